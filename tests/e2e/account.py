# SPDX-License-Identifier: BSD-3-Clause
"""
usage: account.py OUT CAPTURE...

Puts captures together, whole or damaged, and counts what is in them on its own: packets, TCP segments
with new payload, and TLS records that are protected. What OUT.json holds is what a sensor must account
for.

OUT.pcap is all of them; in OUT-damaged.pcap every third long segment has a byte of a record's body
changed, which takes from no record its place; in OUT-lossy.pcap every seventh frame is missing and
every eleventh is cut short.
"""
import json
import sys

from packets import Writer, read, tcp_of

CCS, HANDSHAKE, APPLICATION = 20, 22, 23


class Direction:
    """The bytes of one TCP direction, and which byte of which frame they are."""

    def __init__(self):
        self.segments, self.data, self.place = [], bytearray(), []

    def put_in_order(self):
        """@return segments that brought something new."""
        first, used = self.segments[0][0], 0
        for seq, number, frame, start, end in sorted(
                self.segments, key=lambda s: (s[0] - first) & 0xffffffff):
            known = len(self.data) - ((seq - first) & 0xffffffff)
            assert known >= 0, 'a hole'
            self.data += frame[start + known:end]
            self.place += [(number, at) for at in range(start + known, end)]
            used += known < end - start
        return used

    def records(self):
        """(type, offset of the body, its end)"""
        at = 0
        while at + 5 <= len(self.data):
            length = int.from_bytes(self.data[at + 3:at + 5], 'big')
            yield self.data[at], at + 5, min(at + 5 + length, len(self.data))
            at += 5 + length


def protected(direction, tls13):
    """Bodies of protected records; in TLS 1.3 the outer type says it, before that the CCS does."""
    ciphered = False
    for kind, start, end in direction.records():
        if kind == APPLICATION or (ciphered and not tls13):
            yield start, end
        ciphered |= kind == CCS


def directions(frames):
    found = {}
    for number, frame in enumerate(frames):
        tcp = tcp_of(frame)
        if tcp and tcp[3] > tcp[2]:
            found.setdefault(tcp[0], Direction()).segments.append(
                (tcp[1], number, frame, tcp[2], tcp[3]))
    return found


def main():
    out, captures = sys.argv[1], sys.argv[2:]
    frames = [frame for capture in captures for frame in read(capture)]
    streams = directions(frames)
    used = sum(direction.put_in_order() for direction in streams.values())
    bodies = {}
    for (a, b), direction in streams.items():
        tls13 = any(b'\x00\x2b\x00\x02\x03\x04' in streams[key].data[:200]
                    for key in ((a, b), (b, a)) if key in streams)
        bodies[a, b] = list(protected(direction, tls13))
    damaged = [bytearray(frame) for frame in frames]
    hurt = 0
    for key, spans in bodies.items():
        for start, end in spans[2::3]:
            number, at = streams[key].place[(start + end) // 2]
            damaged[number][at] ^= 0x20
            hurt += 1
    with Writer(f'{out}.pcap') as f, Writer(f'{out}-damaged.pcap') as d, \
            Writer(f'{out}-lossy.pcap') as lossy:
        for number, frame in enumerate(frames):
            f.add(frame)
            d.add(bytes(damaged[number]))
            if number % 7 != 6:
                lossy.add(frame if number % 11 != 10 else frame[:len(frame) * number % len(frame)])
        sums = {'packets': f.frames, 'lossy_packets': lossy.frames, 'damaged_records': hurt}
    sums['segments'] = used
    sums['records'] = sum(len(spans) for spans in bodies.values())
    with open(f'{out}.json', 'w', encoding='utf-8') as f:
        json.dump(sums, f)


if __name__ == '__main__':
    main()
