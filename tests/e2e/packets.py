# SPDX-License-Identifier: BSD-3-Clause
"""Captures (pcap, little-endian, Ethernet) and frames, for the tests: read, write, take apart."""
import struct


def read(path):
    """Frames."""
    with open(path, 'rb') as f:
        data = f.read()
    at = 24
    while at < len(data):
        length = struct.unpack_from('<I', data, at + 8)[0]
        yield data[at + 16:at + 16 + length]
        at += 16 + length


class Writer:
    """One microsecond from frame to frame."""

    def __init__(self, path):
        self.file, self.frames = open(path, 'wb', buffering=1 << 20), 0
        self.file.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))

    def add(self, frame):
        n = self.frames
        self.file.write(struct.pack('<IIII', 1700000000 + n // 1000000, n % 1000000, len(frame),
                                    len(frame)) + frame)
        self.frames += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def checksum(header):
    total = sum(struct.unpack(f'>{len(header) // 2}H', header))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def tcp_of(frame):
    """(connection and direction, sequence number, offset of the payload, its end), or None."""
    at = 14
    while frame[at - 2:at] in (b'\x81\x00', b'\x88\xa8'):
        at += 4
    if frame[at - 2:at] == b'\x08\x00' and frame[at + 9] == 6:
        tcp, end = at + 4 * (frame[at] & 15), at + struct.unpack_from('>H', frame, at + 2)[0]
        ends = frame[at + 12:at + 16], frame[at + 16:at + 20]
    elif frame[at - 2:at] == b'\x86\xdd' and frame[at + 6] == 6:
        tcp, end = at + 40, at + 40 + struct.unpack_from('>H', frame, at + 4)[0]
        ends = frame[at + 8:at + 24], frame[at + 24:at + 40]
    else:
        return None
    ports = frame[tcp:tcp + 2], frame[tcp + 2:tcp + 4]
    return ((ends[0] + ports[0], ends[1] + ports[1]), struct.unpack_from('>I', frame, tcp + 4)[0],
            tcp + 4 * (frame[tcp + 12] >> 4), end)
