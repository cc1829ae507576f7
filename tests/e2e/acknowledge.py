# SPDX-License-Identifier: BSD-3-Clause
"""
usage: acknowledge.py SOCKET FILE [PASSWORD]

The sensor's side of the key bus, for tests: subscribes to ct:keys at a Redis on a UNIX socket, appends
every payload to FILE, then acknowledges it. Writes "ready" to FILE.ready once it listens.
"""
import re
import socket
import sys


class Redis:
    def __init__(self, path, password):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.file = self.sock.makefile('rb')
        if password:
            self.ask('AUTH', password)

    def send(self, *words):
        out = b'*%d\r\n' % len(words)
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            out += b'$%d\r\n%s\r\n' % (len(data), data)
        self.sock.sendall(out)

    def reply(self):
        line = self.file.readline()
        if not line:
            sys.exit(0)
        kind, rest = line[:1], line[1:-2]
        if kind == b'$':
            return self.file.read(int(rest) + 2)[:-2] if rest != b'-1' else None
        if kind == b'*':
            return [self.reply() for _ in range(int(rest))]
        if kind == b'-':
            sys.exit(f'acknowledge.py: {rest.decode()}')
        return rest

    def ask(self, *words):
        self.send(*words)
        return self.reply()


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.strip())
    password = sys.argv[3] if len(sys.argv) == 4 else None
    keys, answers = Redis(sys.argv[1], password), Redis(sys.argv[1], password)
    keys.ask('SUBSCRIBE', 'ct:keys')
    with open(sys.argv[2], 'ab', buffering=0) as out:
        with open(sys.argv[2] + '.ready', 'w', encoding='ascii') as ready:
            ready.write('ready\n')
        while True:
            payload = keys.reply()[2]
            out.write(payload)
            name = re.search(rb'^[A-Z]\S+ ([0-9a-f]{64}) ', payload, re.M).group(1)
            answers.ask('LPUSH', b'ct:a:' + name, 'test')
            answers.ask('PEXPIRE', b'ct:a:' + name, 1000)


if __name__ == '__main__':
    main()
