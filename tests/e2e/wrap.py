# SPDX-License-Identifier: BSD-3-Clause
"""
Copies an Ethernet capture (pcap, little-endian) with every packet put into VXLAN, or with IPv4
packets that are long enough cut into two fragments.
"""
import argparse
import struct

from packets import Writer, checksum, read


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('how', choices=['vxlan', 'fragments'])
    parser.add_argument('capture')
    parser.add_argument('copy')
    args = parser.parse_args()
    wrap = {'vxlan': vxlan, 'fragments': fragments}[args.how]
    with Writer(args.copy) as out:
        for number, frame in enumerate(read(args.capture), 1):
            for copy in wrap(frame, number):
                out.add(copy)


if __name__ == '__main__':
    main()
