# SPDX-License-Identifier: BSD-3-Clause
"""
Everything that a key goes through, for real: a Redis with one user for servers and one for the sensor,
nginx under the shim, and `cleartap run` on the wire before it.
"""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from lab import runs
from lab.net import wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NGINX = """
daemon off;
worker_processes {workers};
pid {name}.pid;
error_log {name}.log notice;
events {{ worker_connections 1024; }}
http {{
	access_log off;
	default_type text/plain;
	client_body_buffer_size 256k;
	server {{
		listen {port} ssl http2 reuseport;
		server_name shop.example;
		ssl_certificate ec.pem;
		ssl_certificate_key ec.key;
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_session_cache shared:tls:8m;
		keepalive_requests 10000;
		{more}
		location / {{ return 200 "$request_method $request_uri was answered\\n"; }}
		location /large {{ alias {folder}/200000.txt; }}
	}}
}}
"""


class Stand:
    """
    with Stand(net) as stand: ...   `net` is a lab.net.Net whose folder holds ec.pem and ec.key. It leaves
    nothing running.

    @param seal     Secrets are sealed to the sensor's public key, and it takes no others.
    @param outs     --out of `cleartap run`
    @param hold_ms  How long a handshake may be held.
    @param iface    Where the sensor listens, at the server.
    @param admin    Redis's default user may do everything: for tests that look into it.
    """

    def __init__(self, net, build=f'{ROOT}/build', seal=True, outs=(), hold_ms=5, options=(), admin=False,
                 iface='eth0'):
        self.net, self.build, self.seal, self.outs = net, build, seal, outs
        self.hold_ms, self.options, self.admin, self.iface = hold_ms, options, admin, iface
        self.folder, self.prefix = net.folder, f'cleartap-{os.getpid()}'
        self.running = []
        self.run = None
        self.access = []  # more of the sensor's options
        self.eal = []  # and of the EAL's
        self.redis_ns, self.listen = None, ''  # where Redis is, and more of its configuration

    def __enter__(self):
        os.chmod(self.folder, 0o755)  # nginx's workers are another user
        try:
            self._redis()
            self.start_sensor()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for p in self.running[::-1]:
            self.stop(p)
        for left in glob.glob(f'/run/dpdk/{self.prefix}*'):
            shutil.rmtree(left, ignore_errors=True)

    def start(self, who, *argv, env=None):
        """Run a program at the 's'erver, the 'c'lient, or in neither's namespace. Its output: a log file."""
        inside = ['ip', 'netns', 'exec', self.net.ns[who]] if who else []
        name = os.path.basename(argv[0])
        with open(f'{self.folder}/{name}.out', 'wb') as log:
            p = subprocess.Popen([*inside, *argv], cwd=self.folder, env=dict(os.environ, **(env or {})),
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.running.append(p)
        return p

    def log(self, name):
        with open(f'{self.folder}/{name}.out', encoding='utf-8', errors='replace') as f:
            return f.read()

    def _redis(self):
        keys = f'{self.build}/keybus/cleartap-keys'
        acl = subprocess.run([keys, 'acl', 'shim.password', 'sensor.password'], cwd=self.folder,
                             check=True, capture_output=True, text=True).stdout
        with open(f'{self.folder}/redis.conf', 'w', encoding='ascii') as f:
            if self.admin:
                acl = acl.replace('user default off', 'user default on nopass ~* &* +@all')
            f.write(f'port 0\nunixsocket {self.folder}/redis\nunixsocketperm 777\n{self.listen}{acl}')
        if self.seal and not os.path.exists(f'{self.folder}/sensor.key'):
            subprocess.run([keys, 'keygen', 'sensor.key'], cwd=self.folder, check=True,
                           stdout=subprocess.DEVNULL)
        self.start_redis()

    def start_redis(self):
        self.redis = self.start(self.redis_ns, 'redis-server', 'redis.conf')
        wait_for('Redis', lambda: os.path.exists(f'{self.folder}/redis'), 30)

    def start_sensor(self):
        """Start it, and wait until it hears what is announced."""
        outs = [word for out in self.outs for word in ('--out', out)]
        self.run = self._cleartap('s', *outs, '--stats', 'stats.json', *self.options, iface=self.iface)

    def second_sensor(self, who='c', wait=True):
        """One more, at the other end of the wire. @return its process."""
        return self._cleartap(who, '--out', 'eve:second.json', name='second', wait=wait)

    def _cleartap(self, who, *options, name='cleartap', wait=True, iface='eth0'):
        program = f'{self.folder}/{name}'
        if not os.path.exists(program):
            os.symlink(f'{self.build}/sensor/cleartap', program)
        sealed = ['--seal-key', 'sensor.key', '--require-seal'] if self.seal else []
        p = self.start(
            who, program, 'run', '--keys', self.uri('cleartap-sensor'),
            '--redis-password-file', 'sensor.password', *self.access, *sealed, *options, '--', '--no-huge', '--no-pci',
            '--file-prefix', f'{self.prefix}-{name}', '-m', '1024', *self.eal, '--vdev',
            f'net_af_packet0,iface={iface},framesz=2048,blocksz=65536,framecnt=32768')
        ready = ('cleartap: running', 'subscribed') if wait else ('cleartap: running',)
        wait_for(f"{name} to say {ready}", lambda: p.poll() is not None or
                 all(word in self.log(name) for word in ready), 60)
        if p.poll() is not None:
            raise RuntimeError(self.log(name))
        return p

    def nginx(self, port=443, workers=1, more='', **how):
        """Start nginx; more: of its configuration; how: of serve()."""
        name = f'nginx-{port}'
        with open(f'{self.folder}/{name}.conf', 'w', encoding='ascii') as f:
            f.write(NGINX.format(folder=self.folder, name=name, port=port, workers=workers,
                                 more=more))
        return self.serve(port, 'nginx', '-p', self.folder, '-c', f'{name}.conf', '-e', f'{name}.log',
                          **how)

    def serve(self, port, *argv, shim=True, acks=1, env=None):
        """
        Start a server and wait until it listens.
        @param shim  Whether it is under the shim, @param env  with more variables.
        """
        p = self.start('s', *argv, env=dict(self.shim(acks), **(env or {})) if shim else None)
        wait_for(argv[0], lambda: p.poll() is not None or self.listens(port), 30)
        if p.poll() is not None:
            raise RuntimeError(self.log(os.path.basename(argv[0])))
        return p

    def stop(self, p, how=signal.SIGTERM):
        """End a process; what has not ended by itself in time is killed."""
        p.send_signal(how)
        try:
            p.wait(20)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        self.running.remove(p)

    def listens(self, port):
        return subprocess.run(['ip', 'netns', 'exec', self.net.ns['s'], 'ss', '-Hltn', f'sport = :{port}'],
                              capture_output=True, check=True).stdout

    def shim(self, acks=1):
        """The environment that puts a server under the shim."""
        debug = f'{self.folder}/shim.log'
        with open(debug, 'a', encoding='ascii'):
            os.chmod(debug, 0o666)
        env = {'LD_PRELOAD': f'{self.build}/shim/libcleartap-shim.so',
               'CLEARTAP_REDIS': self.uri('cleartap-shim'),
               'CLEARTAP_REDIS_PASSWORD_FILE': f'{self.folder}/shim.password',
               'CLEARTAP_HOLD_MS': str(self.hold_ms), 'CLEARTAP_ACKS': str(acks),
               'CLEARTAP_DEBUG': debug}
        if self.seal:
            env['CLEARTAP_SEAL'] = f'{self.folder}/sensor.key.pub'
        return env

    def uri(self, user):
        """How Redis is reached."""
        return f'unix://{user}@{self.folder}/redis'

    def keys_rate(self, count):
        """Push so many connections' secrets. @return how many a second until the last was acknowledged."""
        with open(f'{self.folder}/many.keys', 'w', encoding='ascii') as f:
            for _ in range(count):
                who = os.urandom(32).hex()
                for label in ('CLIENT_HANDSHAKE', 'SERVER_HANDSHAKE', 'CLIENT', 'SERVER'):
                    tail = 'TRAFFIC_SECRET' + ('' if 'HAND' in label else '_0')
                    f.write(f'{label}_{tail} {who} {os.urandom(32).hex()}\n')
        seal = ['--seal', 'sensor.key.pub'] if self.seal else []
        argv = [f'{self.build}/keybus/cleartap-keys', 'push', '--redis',
                f'unix://cleartap-shim@{self.folder}/redis', '--password-file', 'shim.password', *seal]
        start = time.monotonic()
        subprocess.run([*argv, '--ack', 'none', 'many.keys'], cwd=self.folder, check=True,
                       stdout=subprocess.DEVNULL)
        with open(f'{self.folder}/last.keys', 'w', encoding='ascii') as f:
            f.write(f'CLIENT_RANDOM {os.urandom(32).hex()} {os.urandom(48).hex()}\n')
        subprocess.run([*argv, '--ack', 'sensor', '--hold', '60000', 'last.keys'], cwd=self.folder,
                       check=True, stdout=subprocess.DEVNULL)
        return count / (time.monotonic() - start)

    def kill_redis(self):
        self.redis.kill()
        self.redis.wait()
        self.running.remove(self.redis)
        os.unlink(f'{self.folder}/redis')

    def kill_sensor(self):
        """SIGKILL: nothing is written any more."""
        self.run.kill()
        self.run.wait()
        self.running.remove(self.run)

    def stop_sensor(self):
        """SIGTERM; all outputs are complete then. @return its counters."""
        self.run.send_signal(signal.SIGTERM)
        self.run.wait(60)
        self.running.remove(self.run)
        if self.run.returncode:
            raise RuntimeError(f'cleartap run: exit status {self.run.returncode}\n{self.log("cleartap")}')
        with open(f'{self.folder}/stats.json', encoding='ascii') as f:
            return json.load(f)


def nothing_missed(stats):
    """Every protected record was decrypted, and no byte was lost on the way: else it raises."""
    if stats['records_not_decrypted'] or stats['gaps']:
        raise RuntimeError(f'gaps: {stats["gaps"]}, not: {stats["records_not_decrypted"]}, {stats["dropped"]}')


def prove(run, *tools):
    """
    The frame of a test: run(folder), which holds certificates and is removed; the test is skipped where
    one of the tools is missing, and fails with what it raised.
    """
    name = os.path.basename(sys.argv[0])
    missing = [tool for tool in (*tools, 'redis-server', 'nginx', 'ip', 'ethtool') if not shutil.which(tool)]
    if missing or os.geteuid():
        print(f'no {missing[0]}' if missing else 'network namespaces need root')
        sys.exit(77)
    try:
        with tempfile.TemporaryDirectory() as folder:
            runs.certificates(folder)
            run(folder)
    except (RuntimeError, OSError, subprocess.SubprocessError) as e:
        sys.exit(f'{name}: {e}')
