# SPDX-License-Identifier: BSD-3-Clause
"""
Complete captures, damaged by seed, and what can still be read of them: worked out from the complete
capture, from which bytes are missing and how each suite protects a record, not by cleartap.
"""
import glob
import hashlib
import os
import random
import subprocess
import tempfile
from collections import namedtuple

from lab import pcap

RATES = (0.0001, 0.001, 0.01, 0.05)
KINDS = ('lost', 'cut', 'headless', 'restarted', 'handshake', 'one way', 'late key', 'lost')
SHAKING = 0.3  # share of a handshake's segments that is lost, of the kind 'handshake'
MIDWAY = 4  # packets that a stream taken up in the middle begins with
TOGETHER = 0.1  # seconds from one connection's beginning to the next one's

# One connection as it is captured: [(time, frame)], {way: text that can be read}, is it one that begins
# without its handshake?
Damaged = namedtuple('Damaged', 'client packets want midway')

Record = namedtuple('Record', 'at end text size stands')  # `stands`: bytes before it that it needs, too


class Protection:
    """What a suite adds to a text, by the name of its capture."""

    def __init__(self, name):
        version, cipher = name.split('-', 1)
        old = version in ('ssl3', 'tls10')
        aead = version == 'tls13' or any(word in cipher for word in ('gcm', 'ccm', 'chacha'))
        self.rc4 = 'rc4' in cipher
        stream = self.rc4 or 'null' in cipher
        self.block = 0 if aead or stream else 8 if '3des' in cipher else 16
        self.mac = 8 if 'ccm8' in cipher else 16 if aead or 'md5' in cipher else \
            {'sha256': 32, 'sha384': 48}.get(cipher.split('-')[1], 20)
        self.mac += version == 'tls13'  # the content type
        self.head = 8 if aead and version == 'tls12' and 'chacha' not in cipher else \
            0 if old else self.block
        self.etm = 'etm' in cipher
        self.chained = old and self.block
        self.split = 'ssl3' in version and self.block  # NSS sends the first byte alone
        self.midway = version == 'tls13'  # can be read without its handshake

    def holds(self, body, text):
        """May a record body of so many bytes hold a text of so many?"""
        most = body - self.head - self.mac - bool(self.block)
        return most - max(0, self.block - 1) <= text <= most

    def stands_on(self, end, begins):
        """
        What comes before a record that it cannot be read without: the ciphertext that ends at `end`, or the
        message that the key stream begins after.
        """
        if self.rc4:
            return begins
        end -= self.mac if self.etm else 0
        return (end - self.block, end) if self.chained else (end, end)


def hello_end(data):
    """Where the first message of a direction ends."""
    return 9 + int.from_bytes(data[6:9], 'big')


class Way:
    """One direction of a complete capture."""

    def __init__(self, capture, src, dst, text, protection, chunk):
        self.text, self.first = text, pcap.start(capture, src, dst)
        data, _ = pcap.stream(capture, src, dst, self.first)
        self.size, self.records = len(data), []
        self.hello = hello_end(data)
        pieces, done = list(self._pieces(len(text), chunk, protection.split)), 0
        begins = (0, 0)
        for at, kind, body in pcap.records(data):
            begins = (at, at + 6) if kind == 20 else begins
            if kind == 23 and pieces and protection.holds(body, pieces[0]):
                self.records.append(Record(at, at + 5 + body, done, pieces[0], protection.stands_on(at, begins)))
                done += pieces.pop(0)
        if pieces:
            raise RuntimeError(f'{src}: the records do not hold the text')

    @staticmethod
    def _pieces(size, chunk, split):
        for at in range(0, size, chunk):
            n = min(chunk, size - at)
            yield from (1, n - 1) if split and n > 1 else (n,)

    def surviving(self, seen, since=0):
        """@param seen  Of each byte: is it there?  @param since  Records that begin before are not read."""
        return b''.join(self.text[r.text:r.text + r.size] for r in self.records
                        if r.at + 5 >= since and all(seen[r.at:r.end]) and all(seen[slice(*r.stands)]))

    def left_in(self, capture, src, dst):
        """What survives in a capture of which packets are missing."""
        _, seen = pcap.stream(capture, src, dst, self.first)
        return self.surviving(seen + bytes(self.size - len(seen)))


class Whole:
    """One complete capture, and what was said in it."""

    def __init__(self, program, path):
        base = path[:-len('.pcap')]
        rows = self._beside(base)
        self.protection = Protection(self.name)
        capture = pcap.read(path)
        text = self._text(program, path, base, rows)
        self.way = {}
        for way, src, dst in (('c2s', self.client, self.server), ('s2c', self.server, self.client)):
            size = len(text[way])
            chunk = 4095 if size == 8 * 4095 else size if 'ssl3' in self.name and way == 's2c' else 1024
            self.way[way] = Way(capture, src, dst, text[way], self.protection, chunk)
        self._packets(capture)

    def _beside(self, base):
        """Names, and what lies beside the capture. @return the digest's rows."""
        self.name = os.path.basename(base).removeprefix('whole-')
        with open(f'{base}.keys', encoding='ascii') as f:
            self.secrets = f.read()
        with open(f'{base}.digest', encoding='ascii') as f:
            rows = [line.split('\t') for line in f]
        self.client, self.server = rows[0][:2]
        return rows

    def _text(self, program, path, base, rows):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([program, 'replay', '--keys', f'file:{base}.keys', '--out', f'raw:{folder}', path],
                           check=True)
            text = {}
            for _, _, way, size, sha in rows:
                with open(glob.glob(f'{folder}/*.{way}')[0], 'rb') as f:
                    text[way] = f.read()
                if (len(text[way]), hashlib.sha256(text[way]).hexdigest()) != (int(size), sha.strip()):
                    raise RuntimeError(f'{path} is not read as the endpoints say')
        return text

    def _packets(self, capture):
        """[(time, frame, way, offset in the stream, bytes of payload)]"""
        self.packets = []
        for stamp, frame in capture.packets:
            s = pcap.segment(frame)
            way = 'c2s' if s.src == self.client else 's2c'
            at = (s.seq - self.way[way].first) & 0xffffffff
            self.packets.append((pcap.seconds(stamp), frame, way, at, len(s.payload)))
        starts = {way: w.records[0].at for way, w in self.way.items()}
        self.shaken = next(i for i, (_, _, way, at, n) in enumerate(self.packets)
                           if n and at + n > starts[way])
        self.greeted = 1 + max(next(i for i, (_, _, w, at, n) in enumerate(self.packets)
                                    if w == way and at < self.way[way].hello <= at + n) for way in self.way)

    def seen(self, packets):
        """{way: is each byte there}"""
        seen = {way: bytearray(w.size) for way, w in self.way.items()}
        for _, _, way, at, n in packets:
            if n:
                seen[way][at:at + n] = b'\x01' * n
        return seen

    def want(self, packets, since=None):
        seen = self.seen(packets)
        return {way: w.surviving(seen[way], since[way] if since else 0) for way, w in self.way.items()}


def spoil(packets, rng, rate, calm, cut=False, once=False):
    """
    Lose, cut short, repeat and reorder packets; the first `calm` of them only repeat. A stream that is
    taken up in the middle begins with what is seen first, so that has to stay first. @return what is left.
    @param once  No packet is overtaken by more than one.
    """
    left, burst, swapped = [], 0, 0
    for number, packet in enumerate(packets):
        time, frame, way, at, n = packet
        if n and number >= calm:
            burst = burst - 1 if burst else rng.choice((1, 1, 1, 4)) if rng.random() < rate else 0
        if n and burst:
            if not cut:
                continue
            keep = rng.randrange(n)
            packet = time, frame[:len(frame) - n + keep], way, at, keep
        left.append(packet)
        if rng.random() < 0.02:
            left.append(packet)
        if len(left) > calm + 1 and rng.random() < 0.05 and len(left) > swapped + once:
            left[-1], left[-2] = left[-2], left[-1]
            swapped = len(left)
    return left


def moved(whole, packets, number, begin):
    """The same, as if another client had sent it, at another time. @return (client, [(time, frame)])"""
    address = f'11.{number >> 16}.{number >> 8 & 255}.{number & 255}'
    old, port = whole.client.rsplit(':', 1)
    old, new = (bytes(map(int, a.split('.'))) for a in (old, address))
    zero, late, out = packets[0][0] if packets else 0, 0, []
    for time, frame, *_ in packets:
        late = max(late, time - zero)  # a packet that was overtaken comes later
        out.append((begin + late, frame[:26] + frame[26:34].replace(old, new) + frame[34:]))
    return f'{address}:{port}', out


def in_time(packets):
    return sorted(packets, key=lambda p: p[0])


class Laboratory:
    """Connections under client addresses of their own, damaged, in one capture."""

    def __init__(self):
        self.damaged, self.late, self.wholes = [], [], {}
        self.halves = [[], []]  # packets before the late keys, and after

    def add(self, whole, seed, rate=None, kind=None):
        rng = random.Random(f'{whole.name} {seed}')
        kind = kind or KINDS[seed % len(KINDS)]
        rate = RATES[-1 - (seed + seed // len(KINDS)) % len(RATES)] if rate is None else rate
        self.wholes[whole.name] = whole
        middle = rng.randrange(whole.shaken, max(len(whole.packets) - 4, whole.shaken + 1))
        head, tail = whole.packets[:middle], whole.packets[middle:]
        if kind == 'late key':
            self._late(whole, rng, rate, middle)
        elif kind == 'restarted':
            self._put(whole, spoil(head, rng, rate, whole.shaken))
            self._put(whole, spoil(tail, rng, rate, MIDWAY), midway=True)
        elif kind == 'headless':
            self._put(whole, spoil(tail, rng, rate, MIDWAY), midway=True)
        elif kind == 'one way':
            gone = rng.choice(('c2s', 's2c'))
            here = [p for i, p in enumerate(whole.packets) if i < whole.shaken or p[2] != gone]
            self._put(whole, spoil(here, rng, rate, whole.shaken))
        elif kind == 'handshake':
            shaking = whole.packets[:whole.shaken]
            self._put(whole, spoil(shaking, rng, SHAKING, whole.greeted) +
                      spoil(whole.packets[whole.shaken:], rng, rate, 0))
        else:
            self._put(whole, spoil(whole.packets, rng, rate, whole.shaken, kind == 'cut'))

    def _put(self, whole, packets, midway=False):
        number = len(self.damaged) + 1
        client, frames = moved(whole, packets, number, number * TOGETHER)
        want = whole.want(packets)
        if midway and not whole.protection.midway:
            want = dict.fromkeys(want, b'')
        self.damaged.append((whole, Damaged(client, frames, want, midway)))

    def _late(self, whole, rng, rate, middle):
        """Its key comes after packet number `middle`; what is lost is lost later."""
        early, late = whole.packets[:middle + 1], whole.packets[middle + 1:]
        since = {way: max(at + n for _, _, w, at, n in early if w == way and n) for way in whole.way}
        left = early + spoil(late, rng, rate, MIDWAY)
        number = len(self.late) + 1
        client, frames = moved(whole, left, number, -(left[middle][0] - left[0][0]))
        self.late.append((whole, Damaged(client, frames, whole.want(left, since), False)))
        self.halves[0] += frames[:middle + 1]
        self.halves[1] += frames[middle + 1:]

    def secrets(self):
        lines = [whole.secrets for whole in self.wholes.values()]
        for whole, d in self.damaged:
            if d.midway and whole.protection.midway:
                ends = ','.join([*d.client.rsplit(':', 1), *whole.server.rsplit(':', 1)])
                lines.append(f'# tuple={ends}\n{whole.secrets}')
        return '\n'.join(lines)

    def write(self, base):
        """The capture and the key log of all but those whose key comes late."""
        pcap.write_times(f'{base}.pcap', in_time(p for _, d in self.damaged for p in d.packets))
        with open(f'{base}.keys', 'w', encoding='ascii') as f:
            f.write(self.secrets())

    def write_late(self, base):
        """The others, in two captures to be read one after the other: the second brings the keys."""
        early, late = (in_time(half) for half in self.halves)
        pcap.write_times(f'{base}.pcap', early)
        pcap.write_ng(f'{base}.pcapng', late, '\n'.join(w.secrets for w in self.wholes.values()))
