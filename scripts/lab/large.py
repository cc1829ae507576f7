# SPDX-License-Identifier: BSD-3-Clause
"""The captures of the benchmarks: parallel downloads, and single connections to make many of."""
import os
import shutil
import subprocess
import sys

from lab import runs
from lab.net import HERE, SERVER, Net

CONNECTIONS, EACH = 6, 40_000_000
RATE = '12M'  # a connection; the writer of the capture has to keep up


def make(folder, path):
    path = os.path.abspath(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f'{folder}/big', 'wb') as f:
        for _ in range(EACH // 1_000_000):
            f.write(os.urandom(1_000_000))
    with Net(folder) as net:
        runs.nginx(net, kind='rsa')
        tcpdump = net.tap(path, 's', 'eth0', '-B', '262144', '-s', '2048')
        for client in [get(net) for _ in range(CONNECTIONS)]:
            client.end(600)
            if client.child.returncode:
                raise RuntimeError(client.err.decode())
        dropped = net.untap(tcpdump)
    shutil.copyfile(f'{folder}/keys', f'{path}.keys')
    subprocess.run(['capinfos', '-csdu', path], check=True)
    print(f'{path}: the kernel dropped {dropped} packets')
    return 1 if dropped else 0


def get(net):
    return net.start('c', 'curl', '-ksS', '--http1.1', '--tls13-ciphers', 'TLS_AES_256_GCM_SHA384',
                     '--tlsv1.3', '--limit-rate', RATE, '-o', '/dev/null',
                     f'https://{SERVER[0]}/big', env=runs.KEYS)


# name: (bytes a record, records, suite)
STREAMS = {
    'aes128-16384': (16384, 128, 'TLS_AES_128_GCM_SHA256'),
    'aes256-16384': (16384, 128, 'TLS_AES_256_GCM_SHA384'),
    'aes128-1400': (1400, 512, 'TLS_AES_128_GCM_SHA256'),
    'aes128-short': (1000, 1, 'TLS_AES_128_GCM_SHA256'),
}


def streams(folder, path):
    """One connection each; where a record ends, a segment ends."""
    os.makedirs(path, exist_ok=True)
    for name, (size, records, suite) in STREAMS.items():
        stream(folder, os.path.abspath(f'{path}/{name}'), size, records, suite)
    return 0


def stream(folder, path, size, records, suite):
    if os.path.exists(f'{folder}/keys'):
        os.remove(f'{folder}/keys')
    with Net(folder) as net:
        net.serve(sys.executable, f'{HERE}/peer.py', 'pour', str(size), str(records), '--cert',
                  'rsa.pem', '--key', 'rsa.key')
        tcpdump = net.tap(f'{path}.pcap', 's', 'eth0', '-B', '65536', '-s', '2048')
        client = net.start('c', 'openssl', 's_client', '-connect', f'{SERVER[0]}:443', '-quiet',
                           '-ciphersuites', suite, '-keylogfile', 'keys')
        client.expect(size * records)
        client.end(60)
        dropped = net.untap(tcpdump)
    shutil.copyfile(f'{folder}/keys', f'{path}.keys')
    print(f'{path}.pcap: {records} records of {size} bytes, {suite}; '
          f'the kernel dropped {dropped} packets')
