#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
usage: scripts/demo.py [CAPTURE KEYS]

The part of scripts/demo that shows: replays captures of pcaps/, or the one given, and prints every
connection that was decrypted.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WIDTH = 74

SHOWN = (
    ('http2-get', 'nginx and curl, TLS 1.3, HTTP/2'),
    ('http1-keep-alive', 'several requests over one connection'),
    ('http1-tls12', 'nginx and curl, TLS 1.2'),
    ('tls12-ecdhe-rsa-aes256-sha384-etm', 'CBC, encrypt-then-MAC'),
    ('gnutls-tls12-camellia128-gcm', 'GnuTLS, Camellia-GCM'),
    ('tls13-resumed', 'a session, and the one that resumes it'),
    ('tls13-early-data', '0-RTT'),
    ('tls13-key-update-both-chacha', 'KeyUpdate in both directions'),
    ('starttls-smtp', 'TLS that begins after clear text'),
    ('net-qinq', 'two VLAN tags'),
    ('net-ipv6-http1', 'IPv6'),
    ('tls13-one-byte-segments', 'every byte in a segment of its own'),
    ('lost-tls13-aes256-gcm', 'the capture lost segments: it goes on after each hole'),
    ('lost-start-tls13', 'the capture began in the middle of the connection'),
)


def first_line(path):
    """What was said first, as a person can read it, and how much in all."""
    with open(path, 'rb') as f:
        line = f.read(WIDTH).split(b'\n', 1)[0].rstrip(b'\r')
    text = ''.join(chr(b) if 32 <= b < 127 else '.' for b in line)
    size = os.path.getsize(path)
    if text.count('.') > len(text) / 3:
        return f'({size} bytes, not text)'
    return text if len(text) < WIDTH else text[:WIDTH - 14] + f'... {size}'


def events(path):
    """EVE records by connection: {flow id: {'tls': ..., 'flow': ...}}, in the order they ended."""
    found = {}
    with open(path, encoding='utf-8') as f:
        for record in map(json.loads, f):
            if 'flow_id' in record:
                found.setdefault(record['flow_id'], {})[record['event_type']] = record
    return found


def endpoint(ip, port):
    return f'[{ip}]:{port}' if ':' in ip else f'{ip}:{port}'


def show(flow_id, record, raw):
    flow = record['flow']
    tls = record.get('tls', {}).get('tls', {})
    what = [tls.get('version', 'TLS'), tls.get('cipher_suite', '(handshake not seen)'),
            tls.get('sni', ''), tls.get('alpn', '')]
    if tls.get('session_resumed'):
        what.append('resumed')
    client = endpoint(flow['src_ip'], flow['src_port'])
    server = endpoint(flow['dest_ip'], flow['dest_port'])
    print(f'  {client} -> {server}   {"  ".join(w for w in what if w)}')
    for arrow, ext in (('>', 'c2s'), ('<', 's2c')):
        files = glob.glob(f'{raw}/*-{flow_id}.{ext}')
        print(f'     {arrow} {first_line(files[0]) if files else "(nothing)"}')


def replay(capture, keys, tmp):
    """Decrypt one capture and show it. @return its counters."""
    raw, eve, stats = (f'{tmp}/{name}' for name in ('raw', 'eve.json', 'stats.json'))
    os.mkdir(raw, 0o700)
    argv = [f'{ROOT}/build/sensor/cleartap', 'replay', '--out', f'raw:{raw}', '--out', f'eve:{eve}',
            '--stats', stats, *(['--keys', f'file:{keys}'] if keys else []), capture]
    status = subprocess.run(argv, check=False).returncode
    if status:
        sys.exit(f'demo: {" ".join(argv)}: exit status {status}')
    for flow_id, record in events(eve).items():
        if 'flow' in record and record['flow'].get('cleartap', {}).get('decrypted'):
            show(flow_id, record, raw)
    with open(stats, encoding='utf-8') as f:
        return json.load(f)


def main():
    if len(sys.argv) not in (1, 3) or sys.argv[1:2] in (['-h'], ['--help']):
        print(__doc__.strip())
        return 0 if sys.argv[1:2] in (['-h'], ['--help']) else 2
    cases = [(sys.argv[1], sys.argv[2], '')] if len(sys.argv) == 3 else []
    for name, why in SHOWN if not cases else ():
        capture = glob.glob(f'{ROOT}/pcaps/{name}.pcap*')[0]
        keys = f'{ROOT}/pcaps/{name}.keys'
        cases.append((capture, keys if os.path.exists(keys) else None, why))
    if len(cases) > 1:
        print('\nCaptures of pcaps/. Where the peers do not speak HTTP they talk in hexadecimal digits: that '
              'is\nthe plaintext. A line that is cut ends with the number of bytes said in that direction.')
    total, start = {}, time.monotonic()
    for capture, keys, why in cases:
        print(f'\n{os.path.relpath(capture)}{"  " + why if why else ""}', flush=True)
        with tempfile.TemporaryDirectory() as tmp:
            for name, value in replay(capture, keys, tmp).items():
                if isinstance(value, int):
                    total[name] = total.get(name, 0) + value
    print(f'\n{total["tls_connections_decrypted"]} of {total["tls_connections"]} TLS connections '
          f'decrypted, {total["records_decrypted"]} records, {total["plaintext_bytes"]} bytes of '
          f'plaintext, {total["resyncs"]} holes\nresumed after, in {time.monotonic() - start:.1f} s')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
