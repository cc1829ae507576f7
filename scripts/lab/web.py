# SPDX-License-Identifier: BSD-3-Clause
"""
HTTP/1 transactions of complete captures, from what the endpoints said and from tshark, and what a hole
touches of them: worked out from TLS records and HTTP messages, not by cleartap.
"""
import json
import os
import re
import subprocess
from collections import namedtuple

from lab import damage, pcap

KEYS = ('http_method', 'hostname', 'url', 'http_user_agent', 'status', 'http_content_type', 'length')
TSHARK = ('tcp.stream', 'http.request.method', 'http.host', 'http.request.uri', 'http.user_agent',
          'http.response.code', 'http.content_type', 'http.content_length_header', 'http.chunk_size')

There = namedtuple('There', 'beginning all begun ended')  # of a message: what is there, and when it came
Message = namedtuple('Message', 'at end body')  # offsets in a direction's text; bytes of content


def lines(records):
    """Of `http` records: one line a transaction, in the order of the connections."""
    return ['\t'.join([str(r['flow_id']), *(str(r['http'].get(key, '-')) for key in KEYS)]) for r in records]


def read(program, *options):
    """@return the EVE records of cleartap by kind."""
    out = subprocess.run([program, 'replay', *options, '--out', 'eve:-'], check=True, capture_output=True,
                         text=True).stdout
    kinds = {}
    for record in map(json.loads, out.splitlines()):
        kinds.setdefault(record['event_type'], []).append(record)
    return kinds


def tshark(capture, keys):
    """The same lines from tshark's HTTP dissector."""
    rows = subprocess.run(['tshark', '-r', capture, '-o', f'tls.keylog_file:{keys}', '-Y', 'http', '-T',
                           'fields', *(word for f in TSHARK for word in ('-e', f))], check=True,
                          capture_output=True, text=True).stdout.splitlines()
    asked, out = {}, []
    for stream, method, host, uri, agent, code, kind, length, chunks in (r.split('\t') for r in rows):
        if method:
            asked.setdefault(stream, []).append([method, host, uri, agent])
            continue
        request = asked[stream].pop(0)
        size = 0 if request[0] == 'HEAD' else sum(map(int, chunks.split(','))) if chunks else int(length or 0)
        out.append('\t'.join([str(int(stream) + 1), *request, code, kind.split(';')[0] or '-', str(size)]))
    return out


def messages(text, heads=()):
    """The messages of one direction of a complete connection. @param heads  Numbers of those without content."""
    at, out = 0, []
    while at < len(text):
        end = text.index(b'\r\n\r\n', at) + 4
        head = text[at:end].lower()
        length = re.search(rb'\r\ncontent-length: (\d+)', head)
        size, begin = 0, end
        if len(out) in heads:
            pass
        elif b'\r\ntransfer-encoding: chunked' in head:
            while True:
                stop = text.index(b'\r\n', end)
                n = int(text[end:stop], 16)
                size, end = size + n, stop + 2 + n + 2
                if not n:
                    break
        elif length:
            size = int(length[1])
            end = begin + size
        out.append(Message(at, end, size))
        at = end
    return out


class Way:
    """One direction: its records of text, and the messages in them."""

    def __init__(self, capture, src, dst, text, heads):
        self.text, self.first = text, pcap.start(capture, src, dst)
        data, _ = pcap.stream(capture, src, dst, self.first)
        self.size, self.messages = len(data), messages(text, heads)
        self.hello = damage.hello_end(data)
        sealed = [(at, at + 5 + n, n - 17) for at, kind, n in pcap.records(data) if kind == 23]
        if sealed[-1][2] == 2:  # the alert at the end
            sealed.pop()
        left, self.records = len(text), []
        while left > 0:  # what is before the text is the handshake
            at, end, n = sealed.pop()
            left -= n
            self.records.insert(0, damage.Record(at, end, left, n, None))
        if left:
            raise RuntimeError(f'{src}: the records do not hold the text')

    def holding(self, at):
        """The record that holds a byte of the text."""
        return next(r for r in self.records if r.text <= at < r.text + r.size)

    def whole(self, seen, begin, end):
        """Is every record there that holds some of the text from `begin` to `end`?"""
        return all(all(seen[r.at:r.end]) for r in self.records if r.text < end and r.text + r.size > begin)


class Talk(damage.Whole):
    """A complete capture of one HTTP/1 connection of TLS 1.3 with AES-GCM."""

    def __init__(self, program, path):
        base = path[:-len('.pcap')]
        rows = self._beside(base)
        self.records = read(program, '--keys', f'file:{base}.keys', path)['http']
        capture, text = pcap.read(path), self._text(program, path, base, rows)
        heads = {i for i, r in enumerate(self.records) if r['http']['http_method'] == 'HEAD'}
        self.way = {'c2s': Way(capture, self.client, self.server, text['c2s'], ()),
                    's2c': Way(capture, self.server, self.client, text['s2c'], heads)}
        if [m.body for m in self.way['s2c'].messages] != [r['http']['length'] for r in self.records]:
            raise RuntimeError(f'{path}: not as the endpoints say')
        self._packets(capture)

    def there(self, packets):
        """{way: [There of each message]}"""
        seen, out, late = self.seen(packets), {}, 0
        came = {way: [0.0] * w.size for way, w in self.way.items()}  # when each byte did
        for time, _, way, at, n in packets:
            late = max(late, time)
            for i in range(at, at + n):
                came[way][i] = came[way][i] or late
        for way, w in self.way.items():
            out[way] = [There(w.whole(seen[way], m.at, m.at + 1), w.whole(seen[way], m.at, m.end),
                              came[way][w.holding(m.at).end - 1], came[way][w.holding(m.end - 1).end - 1])
                        for m in w.messages]
        return out
