# SPDX-License-Identifier: BSD-3-Clause
"""Just enough of pcap, Ethernet and TCP to edit our own captures, and to know what is left."""
import ipaddress
import random
import struct
from collections import namedtuple

Capture = namedtuple('Capture', 'header packets')  # 24 bytes; [(time stamp, frame)]
Segment = namedtuple('Segment', 'src dst seq flags payload')

SYN = 0x02


def read(path):
    """A little-endian pcap file, as tcpdump writes it on the machines that we use."""
    with open(path, 'rb') as f:
        data = f.read()
    if data[:4] not in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1'):
        raise ValueError(f'{path}: not a little-endian pcap')
    packets, at = [], 24
    while at + 16 <= len(data):
        caplen = struct.unpack_from('<I', data, at + 8)[0]
        packets.append((data[at:at + 8], data[at + 16:at + 16 + caplen]))
        at += 16 + caplen
    return Capture(data[:24], packets)


def write(path, capture):
    with open(path, 'wb') as f:
        f.write(capture.header)
        for stamp, frame in capture.packets:
            f.write(stamp + struct.pack('<II', len(frame), len(frame)) + frame)


def seconds(stamp):
    """A time stamp of a capture in microseconds."""
    return struct.unpack('<I', stamp[:4])[0] + struct.unpack('<I', stamp[4:])[0] / 1e6


EPOCH = 1_700_000_000  # seconds: when a capture of times from 0 on was made


def wire_length(frame):
    """Of an IPv4 packet over Ethernet that may have been cut short."""
    return max(len(frame), 14 + struct.unpack_from('>H', frame, 16)[0])


def write_times(path, packets):
    """@param packets  [(seconds, frame)]"""
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for time, frame in packets:
            whole, part = divmod(round((EPOCH + time) * 1e6), 1_000_000)
            f.write(struct.pack('<IIII', whole, part, len(frame), wire_length(frame)) + frame)


def write_ng(path, packets, secrets):
    """A pcapng that begins with secrets (a key log). @param packets  [(seconds, frame)]"""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = struct.pack('<I', len(body) + 12)
        return struct.pack('<I', kind) + size + body + size

    def packet(time, frame):
        stamp = round((EPOCH + time) * 1e6)
        return block(6, struct.pack('<IIIII', 0, stamp >> 32, stamp & 0xffffffff, len(frame),
                                    wire_length(frame)) + frame)
    with open(path, 'wb') as f:
        f.write(block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1)))
        f.write(block(1, struct.pack('<HHI', 1, 0, 262144)))
        f.write(block(10, struct.pack('<II', 0x544c534b, len(secrets)) + secrets.encode()))
        f.writelines(packet(*p) for p in packets)


def endpoint(address, port):
    """An endpoint as in a digest line."""
    ip = ipaddress.ip_address(address)
    return f'[{ip}]:{port}' if ip.version == 6 else f'{ip}:{port}'


def segment(frame):
    """The TCP segment in an Ethernet frame with any number of VLAN tags; None if there is none."""
    at = 12
    while frame[at:at + 2] in (b'\x81\x00', b'\x88\xa8'):
        at += 4
    ethertype, at = frame[at:at + 2], at + 2
    if ethertype == b'\x08\x00' and frame[at + 9] == 6:
        end = at + struct.unpack_from('>H', frame, at + 2)[0]
        src, dst, at = frame[at + 12:at + 16], frame[at + 16:at + 20], at + (frame[at] & 15) * 4
    elif ethertype == b'\x86\xdd' and frame[at + 6] == 6:
        end = at + 40 + struct.unpack_from('>H', frame, at + 4)[0]
        src, dst, at = frame[at + 8:at + 24], frame[at + 24:at + 40], at + 40
    else:
        return None
    sport, dport, seq, _, offset, flags = struct.unpack_from('>HHIIBB', frame, at)
    return Segment(endpoint(src, sport), endpoint(dst, dport), seq, flags,
                   frame[at + (offset >> 4) * 4:end])


def start(capture, src, dst):
    """The sequence number of the first byte of one direction."""
    for _, frame in capture.packets:
        s = segment(frame)
        if s and (s.src, s.dst) == (src, dst) and s.flags & SYN:
            return s.seq + 1
    raise ValueError(f'no SYN from {src}')


def payloads(capture, src, dst, first):
    """One direction from sequence number `first`: yields (number of the packet, offset in the stream, bytes)."""
    for i, (_, frame) in enumerate(capture.packets):
        s = segment(frame)
        if not s or (s.src, s.dst) != (src, dst):
            continue
        at = (s.seq - first) & 0xffffffff
        if s.payload and at < 1 << 31:
            yield i, at, s.payload


def stream(capture, src, dst, first):
    """One direction put together from sequence number `first`: (bytes, was each byte seen)."""
    data, seen = bytearray(), bytearray()
    for _, at, payload in payloads(capture, src, dst, first):
        end = at + len(payload)
        data.extend(bytes(max(0, end - len(data))))
        seen.extend(bytes(len(data) - len(seen)))
        data[at:end] = payload
        seen[at:end] = b'\x01' * len(payload)
    return bytes(data), bytes(seen)


def sent_again(capture, passed, src, dst, first):
    """Of each byte of one direction: did it come only when it was sent again? @param passed  By packet."""
    again = bytearray()
    for i, at, payload in payloads(capture, src, dst, first):
        again.extend(bytes([not passed[i]]) * (at + len(payload) - len(again)))
    return bytes(again)


def records(data):
    """[(offset, type, body length)] of the TLS records in a complete stream."""
    found, at = [], 0
    while at + 5 <= len(data):
        n = struct.unpack_from('>H', data, at + 3)[0]
        found.append((at, data[at], n))
        at += 5 + n
    return found


def drop(capture, seed, count, after, burst=1):
    """Take out `count` bursts of data segments, none of the first `after` that carry data."""
    full = [i for i, (_, frame) in enumerate(capture.packets)
            if (s := segment(frame)) and s.payload]
    starts = random.Random(seed).sample(range(after, len(full) - burst - 1), count)
    gone = {full[i + k] for i in starts for k in range(burst)}
    return capture._replace(packets=[p for i, p in enumerate(capture.packets) if i not in gone])


def headless(capture, after):
    """A capture that began late: the first `after` packets are missing."""
    return capture._replace(packets=capture.packets[after:])


def tag(capture, *tags):
    """Put VLAN tags, outermost first, each (ethertype, id), on every frame."""
    head = b''.join(struct.pack('>HH', kind, vid) for kind, vid in tags)
    return capture._replace(packets=[(t, f[:12] + head + f[12:]) for t, f in capture.packets])


def twice(capture, seed, share):
    """A SPAN port that mirrors ingress and egress: some frames are seen twice."""
    rng = random.Random(seed)
    return capture._replace(packets=[p for p in capture.packets
                                     for _ in range(1 + (rng.random() < share))])


def replies_first(capture, server):
    """Two ports of a tap with skew: each server segment is seen before the client's last two."""
    out = []
    for p in capture.packets:
        s = segment(p[1])
        at = len(out)
        if s and s.src == server:
            while at > 0 and at > len(out) - 2 and segment(out[at - 1][1]).src != server:
                at -= 1
        out.insert(at, p)
    stamps = [t for t, _ in capture.packets]
    return capture._replace(packets=[(t, f) for t, (_, f) in zip(stamps, out)])
