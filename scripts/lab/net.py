# SPDX-License-Identifier: BSD-3-Clause
"""Two network namespaces with a wire between them, and the processes that run there."""
import os
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER, CLIENT = ('10.77.0.1', 'fd77::1'), ('10.77.0.2', 'fd77::2')


def sh(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for(what, test, seconds=15):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


class Process:
    """A child with its standard input open and its output collected."""

    def __init__(self, argv, cwd, env=None):
        self.argv = argv
        self.out, self.err = bytearray(), bytearray()
        self.child = subprocess.Popen(argv, cwd=cwd, env=dict(os.environ, **(env or {})),
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, bufsize=0)
        self.threads = [threading.Thread(target=self._collect, args=a, daemon=True)
                        for a in ((self.child.stdout, self.out), (self.child.stderr, self.err))]
        for t in self.threads:
            t.start()

    @staticmethod
    def _collect(pipe, into):
        while data := pipe.read(65536):
            into.extend(data)

    def send(self, data):
        self.child.stdin.write(data)

    def expect(self, n):
        """Wait until n bytes have come out."""
        self._await(f'{n} bytes', lambda: len(self.out) >= n)

    def hear(self, data):
        """Wait until these bytes have come out."""
        self._await(f'{len(data)} bytes that were said', lambda: data in bytes(self.out))

    def _await(self, what, test):
        try:
            wait_for(what, test)
        except TimeoutError:
            raise RuntimeError(f'{" ".join(self.argv)}: {what} did not come\n'
                               f'{self.err.decode(errors="replace")}') from None

    def end(self, seconds=15):
        """Close its input and wait for the end. @return what it wrote."""
        if not self.child.stdin.closed:
            self.child.stdin.close()
        self.child.wait(seconds)
        for t in self.threads:
            t.join()
        return bytes(self.out)

    def stop(self, how=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(how)
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        for t in self.threads:
            t.join()


class Net:
    """
    with Net(folder) as net: ...   Leaves no process and no namespace behind.

    @param weather  None: a plain veth pair. A list of arguments for wire.py: a third namespace
                    stands between the two and forwards with loss and reordering.
    """

    def __init__(self, folder, weather=None):
        self.folder, self.weather = folder, weather
        self.ns = {who: f'ct{who}-{os.getpid()}' for who in 'scw'}
        self.running = []

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for p in reversed(self.running):
            p.stop()
        for ns in self.ns.values():
            subprocess.run(['ip', 'netns', 'del', ns], stderr=subprocess.DEVNULL, check=False)

    def _build(self):
        for who in 'scw' if self.weather else 'sc':
            sh('ip', 'netns', 'add', self.ns[who])
        if self.weather:
            self._veth('s', 'eth0', 'w', 'left')
            self._veth('c', 'eth0', 'w', 'right')
            self.start('w', sys.executable, f'{HERE}/wire.py', 'left', 'right', *self.weather)
        else:
            self._veth('s', 'eth0', 'c', 'eth0')
        for who, addresses in (('s', SERVER), ('c', CLIENT)):
            sh('ip', '-n', self.ns[who], 'addr', 'add', f'{addresses[0]}/24', 'dev', 'eth0')
            sh('ip', '-n', self.ns[who], 'addr', 'add', f'{addresses[1]}/64', 'dev', 'eth0',
               'nodad')

    def _veth(self, a, a_name, b, b_name):
        sh('ip', 'link', 'add', a_name, 'netns', self.ns[a], 'mtu', '1500', 'type', 'veth',
           'peer', 'name', b_name, 'netns', self.ns[b], 'mtu', '1500')
        for who, dev in ((a, a_name), (b, b_name)):
            # Segments as on a wire: no GSO giants, and checksums that are computed.
            sh('ip', 'netns', 'exec', self.ns[who], 'ethtool', '-K', dev,
               'gro', 'off', 'gso', 'off', 'tso', 'off', 'tx', 'off')
            sh('ip', '-n', self.ns[who], 'link', 'set', dev, 'up')
            sh('ip', '-n', self.ns[who], 'link', 'set', 'lo', 'up')

    def start(self, who, *argv, env=None):
        """Run a program: on the 's'erver, on the 'c'lient."""
        p = Process(['ip', 'netns', 'exec', self.ns[who], *argv], self.folder, env)
        self.running.append(p)
        return p

    def serve(self, *argv, port=443, env=None):
        """Start a server and wait until it listens."""
        p = self.start('s', *argv, env=env)
        wait_for(' '.join(argv) + ' to listen', lambda: p.child.poll() is None and subprocess.run(
            ['ip', 'netns', 'exec', self.ns['s'], 'ss', '-Hltn', f'sport = :{port}'],
            capture_output=True, check=True).stdout)
        return p

    def tap(self, path, who, dev, *options):
        """Capture at the 's'erver or the 'c'lient. @return the process, for untap()."""
        p = self.start(who, 'tcpdump', '-i', dev, '-w', path, '-U', '-Z', 'root', *options, 'tcp')
        wait_for('tcpdump', lambda: b'listening on' in p.err)
        return p

    @staticmethod
    def untap(p):
        """@return how many packets the kernel dropped."""
        path = p.argv[p.argv.index('-w') + 1]
        size = -1
        while size != os.path.getsize(path):  # what is still in the kernel's ring
            size = os.path.getsize(path)
            time.sleep(0.3 if '--immediate-mode' in p.argv else 2)
        p.stop(signal.SIGINT)
        lost = [line for line in p.err.decode().splitlines() if 'dropped by kernel' in line]
        return int(lost[0].split()[0]) if lost else 0
