# SPDX-License-Identifier: BSD-3-Clause
"""The capture of the benchmark: parallel downloads, AES-256-GCM, no packet missing."""
import os
import shutil
import subprocess

from lab import runs
from lab.net import SERVER, Net

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
