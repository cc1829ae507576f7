# SPDX-License-Identifier: BSD-3-Clause
"""
usage: flight_order.py TRACE FLIGHTS[,FLIGHTS]

Reads what `strace -f -xx -s 65536` saw a TLS server do. On every connection: the acknowledgement for
its ClientHello.random (ct:a:<random>, from Redis) was received after the ClientHello and before the
server's write number FLIGHTS: 0 with TLS 1.3 and resumed sessions, 1 with a full TLS 1.2 handshake,
whose secret is not born earlier, or with a HelloRetryRequest. The second number is that of all connections but
the first. Prints how many connections there were.
"""
import re
import sys

CALL = re.compile(r'^\d+ +(\w+)\((\d+)(.*)$')
BYTES = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def events(path):
    """(call, descriptor, bytes) of every read, write and close that was done."""
    with open(path, encoding='ascii') as f:
        for line in f:
            found = CALL.match(line)
            if found and ' = -1 ' not in line and 'MSG_PEEK' not in line:
                yield found[1], int(found[2]), b''.join(
                    bytes.fromhex(s.replace('\\x', '')) for s in BYTES.findall(found[3]))


class Order:
    """What each descriptor said so far; who waits for which acknowledgement."""

    def __init__(self, free):
        self.of_next, self.free, self.heard, self.written, self.waiting, self.seen = free, {}, {}, {}, {}, 0

    def read(self, fd, data):
        for name in re.findall(rb'ct:a:([0-9a-f]{64})', data):
            self.waiting = {k: v for k, v in self.waiting.items() if v != name.decode()}
        before = self.heard.get(fd, b'')
        self.heard[fd] = said = (before + data)[:43]
        if len(said) == 43 > len(before) and said[0] == 22 and said[5] == 1:
            self.waiting[fd], self.written[fd] = said[11:].hex(), 0
            self.free[fd] = self.of_next[min(self.seen, len(self.of_next) - 1)]
            self.seen += 1

    def write(self, fd):
        if fd not in self.written:
            return
        if fd in self.waiting and self.written[fd] >= self.free[fd]:
            sys.exit(f'{self.waiting[fd]}: written before the acknowledgement')
        self.written[fd] += 1

    def close(self, fd):
        if self.waiting.pop(fd, None):
            sys.exit('closed without acknowledgement')
        self.heard.pop(fd, None)
        self.written.pop(fd, None)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    order = Order([int(n) for n in sys.argv[2].split(',')])
    for call, fd, data in events(sys.argv[1]):
        if call == 'close':
            order.close(fd)
        elif call.startswith('re'):
            order.read(fd, data)
        else:
            order.write(fd)
    print(order.seen)


if __name__ == '__main__':
    main()
