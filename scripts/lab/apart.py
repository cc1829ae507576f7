# SPDX-License-Identifier: BSD-3-Clause
"""A Redis on a host of its own, which is reached by TLS only, with client certificates."""
import subprocess

from lab.net import sh
from lab.stand import Stand

HOST, PORT = '10.78.0.2', 6380


def certificates(folder):
    """ca.pem, which signs redis.* and user.*; and other-ca.pem, which signs nothing."""
    def openssl(*argv):
        subprocess.run(['openssl', *argv], cwd=folder, check=True, capture_output=True)
    curve = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes')
    for ca in ('ca', 'other-ca'):
        openssl('req', '-x509', *curve, '-days', '2', '-subj', f'/CN={ca}', '-keyout', f'{ca}.key', '-out',
                f'{ca}.pem')
    with open(f'{folder}/names', 'w', encoding='ascii') as f:
        f.write(f'subjectAltName=IP:{HOST}\n')
    for name in ('redis', 'user'):
        openssl('req', *curve, '-subj', f'/CN={name}', '-keyout', f'{name}.key', '-out', f'{name}.csr')
        openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
                '-days', '2', '-extfile', 'names', '-out', f'{name}.pem')


class Apart(Stand):
    """with Apart(net) as stand: ...   The link to Redis is `redis0` in the server's namespace."""

    def __init__(self, net, **how):
        super().__init__(net, **how)
        net.ns['r'] = net.ns['s'].replace('cts', 'ctr')
        self.redis_ns = 'r'
        self.listen = (f'protected-mode no\ntls-port {PORT}\ntls-auth-clients yes\ntls-ca-cert-file ca.pem\n'
                       'tls-cert-file redis.pem\ntls-key-file redis.key\n')
        self.access = ['--redis-ca', 'ca.pem', '--redis-cert', 'user.pem', '--redis-key', 'user.key']

    def uri(self, user):
        return f'rediss://{user}@{HOST}:{PORT}'

    def shim(self, acks=1):
        return dict(super().shim(acks), **{f'CLEARTAP_REDIS_{what.upper()}': f'{self.folder}/{file}' for what, file in
                                           (('ca', 'ca.pem'), ('cert', 'user.pem'), ('key', 'user.key'))})

    def _redis(self):
        certificates(self.folder)
        s, r = self.net.ns['s'], self.net.ns['r']
        sh('ip', 'netns', 'add', r)
        sh('ip', 'link', 'add', 'redis0', 'netns', s, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', r)
        for ns, dev, address in ((s, 'redis0', '10.78.0.1'), (r, 'eth0', HOST)):
            sh('ip', '-n', ns, 'addr', 'add', f'{address}/24', 'dev', dev)
            sh('ip', '-n', ns, 'link', 'set', dev, 'up')
        super()._redis()

    def link(self, state):
        """'down': what is sent is lost, and nobody is told."""
        sh('ip', '-n', self.net.ns['r'], 'link', 'set', 'eth0', state)
