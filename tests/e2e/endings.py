# SPDX-License-Identifier: BSD-3-Clause
"""
usage: endings.py CAPTURE OUT

From the one IPv4 connection of a capture, closed by both ends, makes OUT.pcap: the same connection many
times, from clients of other addresses, ending in each way in which connections end, one also without its
beginning and one with a segment missing. OUT.tuple is the key-log comment that the one without its
beginning needs. Each is as long as the capture, and no two of its data segments differ.
"""
import struct
import sys

from packets import Writer, checksum, read, tcp_of

FIN, RST, ACK = 1, 4, 16
HANDSHAKE = 8  # packets, of the capture, until application data follows


def packet(template, seq, ack, flags):
    """A segment without payload, from the sender of another."""
    frame = bytearray(template[:54])
    struct.pack_into('>H', frame, 16, 40)
    struct.pack_into('>IIBB', frame, 38, seq, ack, 5 << 4, flags)
    return bytes(frame)


def moved(frame, client, new):
    """With another client address, and checksums that are right."""
    frame = bytearray(frame)
    for at in (26, 30):
        if frame[at:at + 4] == client:
            frame[at:at + 4] = new
    end = 14 + struct.unpack_from('>H', frame, 16)[0]
    struct.pack_into('>H', frame, 24, 0)
    struct.pack_into('>H', frame, 24, checksum(bytes(frame[14:34])))
    struct.pack_into('>H', frame, 50, 0)
    segment = bytes(frame[34:end])
    pseudo = bytes(frame[26:34]) + struct.pack('>HH', 6, len(segment))
    struct.pack_into('>H', frame, 50, checksum(pseudo + segment + bytes(len(segment) % 2)))
    return bytes(frame)


class Ends:
    """The two ends of a connection, and what they say last."""

    def __init__(self, body):
        self.last, self.seq = {}, {}
        for frame in body:
            _, seq, start, end = tcp_of(frame)
            sender = frame[26:30]
            self.last[sender], self.seq[sender] = frame, (seq + end - start) & 0xffffffff

    def say(self, who, flags):
        other = next(end for end in self.seq if end != who)
        frame = packet(self.last[who], self.seq[who], self.seq[other], flags)
        self.seq[who] += flags & FIN
        return frame


def ways(body, client, server):
    """(name, frames) of each connection."""
    def after(*said, body=body):
        ends = Ends(body)
        return body + [ends.say(who, flags) for who, flags in said]
    closed = ((client, FIN | ACK), (server, FIN | ACK), (client, ACK))
    full = [n for n, f in enumerate(body) if len(f) > 1000 and n > HANDSHAKE]
    holed = body[:full[1]] + body[full[1] + 1:]
    return [
        ('closed by the client', after(*closed)),
        ('closed by the server', after((server, FIN | ACK), (client, FIN | ACK), (server, ACK))),
        ('both close at once', after((client, FIN | ACK), (server, FIN | ACK))),
        ('reset by the client', after((client, RST | ACK))),
        ('reset by the server', after((server, RST | ACK))),
        ('closed, then reset', after((server, FIN | ACK), (client, RST))),
        ('half open', after((client, FIN | ACK))),
        ('left open', after()),
        ('without its beginning', after(*closed)[HANDSHAKE:]),
        ('with a hole', after(*closed, body=holed)),
    ]


def main():
    capture, out = sys.argv[1:]
    frames = [f for f in read(capture) if tcp_of(f)]
    body = [f for f in frames if not f[47] & (FIN | RST)][:-1]  # the last one acknowledges a FIN
    client, server = frames[0][26:30], frames[0][30:34]
    with Writer(f'{out}.pcap') as f:
        for number, (name, way) in enumerate(ways(body, client, server)):
            new = client[:3] + bytes((100 + number,))
            for frame in way:
                f.add(moved(frame, client, new))
            if name == 'without its beginning':
                with open(f'{out}.tuple', 'w', encoding='ascii') as comment:
                    ips = ['.'.join(map(str, ip)) for ip in (new, server)]
                    ports = struct.unpack_from('>HH', frames[0], 34)
                    print(f'# tuple={ips[0]},{ports[0]},{ips[1]},{ports[1]}', file=comment)


if __name__ == '__main__':
    main()
