# SPDX-License-Identifier: BSD-3-Clause
"""
Copies an Ethernet capture (pcap, little-endian) with every packet put into VXLAN, or with IPv4
packets that are long enough cut into two fragments, or with segments that follow each other put
together into frames of up to 9000 bytes.
"""
import argparse
import struct

from packets import Writer, checksum, read, tcp_of


def ip4(template, payload, ident, offset):
    head = bytearray(template)
    struct.pack_into('>HHH', head, 2, len(head) + len(payload), ident, offset)
    struct.pack_into('>H', head, 10, 0)
    struct.pack_into('>H', head, 10, checksum(bytes(head)))
    return bytes(head) + payload


def vxlan(frame, number):
    inner = struct.pack('>II', 0x08000000, 42 << 8) + frame
    udp = struct.pack('>HHHH', 49152 + number % 1000, 4789, 8 + len(inner), 0) + inner
    template = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 0, 0, 0, 64, 17, 0,
                           bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)))
    return [bytes(12) + b'\x08\x00' + ip4(template, udp, number & 0xffff, 0)]


def fragments(frame, number):
    if frame[12:14] != b'\x08\x00' or frame[14] != 0x45:
        return [frame]
    total = struct.unpack_from('>H', frame, 16)[0]
    head, payload = frame[14:34], frame[34:14 + total]
    cut = len(payload) // 16 * 8
    if len(payload) < 64:
        return [frame]
    ident = number & 0xffff
    return [frame[:14] + ip4(head, payload[:cut], ident, 0x2000),
            frame[:14] + ip4(head, payload[cut:], ident, cut // 8)]


def joined(frames):
    """Neighbours of one direction as one segment; checksums of TCP are not computed again."""
    last = None
    for frame in frames:
        a, b = last and tcp_of(last), tcp_of(frame)
        if (a and b and a[0] == b[0] and a[3] > a[2] and b[3] > b[2] and frame[12:14] == b'\x08\x00' and
                a[1] + a[3] - a[2] == b[1] and a[3] + b[3] - b[2] <= 9014):
            payload = last[34:a[3]] + frame[b[2]:b[3]]
            last = last[:14] + ip4(last[14:34], payload, 0, 0)
            continue
        if last:
            yield last
        last = frame
    yield last


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('how', choices=['vxlan', 'fragments', 'jumbo'])
    parser.add_argument('capture')
    parser.add_argument('copy')
    args = parser.parse_args()
    wrap = {'vxlan': vxlan, 'fragments': fragments, 'jumbo': lambda frame, _: [frame]}[args.how]
    frames = read(args.capture)
    with Writer(args.copy) as out:
        for number, frame in enumerate(joined(frames) if args.how == 'jumbo' else frames, 1):
            for copy in wrap(frame, number):
                out.add(copy)


if __name__ == '__main__':
    main()
