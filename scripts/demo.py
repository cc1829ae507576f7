#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
usage: scripts/demo.py [--replay | CAPTURE KEYS]

The part of scripts/demo that shows: servers under the shim and `cleartap run` on their wire, if it may;
else, or if asked to, captures of pcaps/, or the one given. Every decrypted connection is printed.
"""
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from lab import runs  # noqa: E402
from lab.net import SERVER, Net, wait_for  # noqa: E402
from lab.stand import Stand  # noqa: E402

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


LIVE = """
  curl -> wire -> nginx, LD_PRELOAD=libcleartap-shim.so: holds the handshake
           |          | its secrets, sealed to the sensor
           |        Redis, with a user for each side
           v          v
         cleartap run: acknowledges, decrypts each record as it passes
"""
CLIENTS = (('--http1.1', '1.2'), ('--http1.1', '1.3'), ('--http2', '1.2'), ('--http2', '1.3'))
LATENCIES = 40


def cannot_live():
    """@return why `cleartap run` on a wire of its own cannot be shown here; None if it can."""
    if os.geteuid():
        return 'network namespaces and the EAL need root'
    missing = [tool for tool in ('redis-server', 'nginx', 'curl', 'ip', 'ethtool', 'openssl')
               if not shutil.which(tool)]
    if missing:
        return f'{missing[0]} is not installed'
    if not os.path.exists(f'{ROOT}/build/shim/libcleartap-shim.so'):
        return 'this build has no shim'
    name = f'ctp-{os.getpid()}'
    made = all(subprocess.run(['ip', 'netns', *words], capture_output=True, check=False).returncode == 0
               for words in (['add', name], ['exec', name, 'true']))
    subprocess.run(['ip', 'netns', 'del', name], capture_output=True, check=False)
    return None if made else 'network namespaces are not permitted'


def curl(net, *options, who='c', port=443, path=''):
    at = SERVER[0] if who == 'c' else '127.0.0.1'
    return subprocess.Popen(['ip', 'netns', 'exec', net.ns[who], 'curl', '-ksS', '-o', '/dev/null', '-w',
                             '%{time_connect} %{time_appconnect}', *options, '--resolve',
                             f'shop.example:{port}:{at}', f'https://shop.example:{port}/{path}'],
                            stdout=subprocess.PIPE, text=True)


def handshake_ms(net, ports):
    """How long handshakes take at the server itself, a port after the other. @return medians, ms."""
    found = {port: [] for port in ports}
    for _ in range(LATENCIES):
        for port in ports:
            said = curl(net, '--http1.1', who='s', port=port).communicate()[0]
            connected, done = map(float, said.split())
            found[port].append(1000 * (done - connected))
    return [statistics.median(found[port]) for port in ports]


def talk(net):
    """Clients of all kinds, all at once. @return how many there were."""
    clients = [curl(net, http, '--tls-max', version, path=f'{what}?{n}')
               for n, what in enumerate(('basket', 'large')) for http, version in CLIENTS]
    clients.append(curl(net, '--http1.1', '-d', 'card=4111111111111111', path='pay'))
    for c in clients:
        c.communicate()
    if any(c.returncode for c in clients):
        raise RuntimeError('a client failed')
    return len(clients)


def show_as_they_end(folder, expected):
    """Print connections when their last record is in EVE."""
    shown = set()

    def look():
        found = events(f'{folder}/eve.json') if os.path.exists(f'{folder}/eve.json') else {}
        for flow_id, record in found.items():
            if 'flow' in record and 'tls' in record and flow_id not in shown:
                shown.add(flow_id)
                show(flow_id, record, f'{folder}/raw')
                sys.stdout.flush()
        return len(shown) >= expected
    wait_for('the end of all connections', look, 30)


def live(folder):
    """@return how many records were missed."""
    runs.certificates(folder)
    with Net(folder) as net, Stand(net, outs=('eve:eve.json', 'raw:raw'), hold_ms=1000) as stand:
        stand.nginx()
        print(LIVE, flush=True)
        count = talk(net)
        show_as_they_end(folder, count)
        stand.nginx(port=8443, shim=False)
        held, free = handshake_ms(net, (443, 8443))
        stats = stand.stop_sensor()
    missed = sum(stats['records_not_decrypted'].values())
    print(f'\n{count + LATENCIES} handshakes, {stats["keys_acknowledged"]} keys with the sensor before the '
          f'server answered\n{stats["records_decrypted"]} records decrypted, {missed} missed; no packet waited '
          f'for a key\na handshake took {held:.2f} ms, {free:.2f} ms without the shim (medians of '
          f'{LATENCIES}; all of this shares {os.cpu_count()} cores)')
    return missed


def main():
    if sys.argv[1:] not in ([], ['--replay']) and len(sys.argv) != 3:
        print(__doc__.strip())
        return 0 if sys.argv[1:2] in (['-h'], ['--help']) else 2
    if len(sys.argv) == 1:
        why = cannot_live()
        if not why:
            with tempfile.TemporaryDirectory(prefix='cleartap-demo-') as folder:
                return 1 if live(folder) else 0
        print(f'Captures instead of live traffic: {why}.')
    return show_captures()


def show_captures():
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
