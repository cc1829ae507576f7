# SPDX-License-Identifier: BSD-3-Clause
"""What a server's clients notice while something between it and its sensor fails, and when it is over."""
import os
import subprocess
import time

from lab.net import SERVER, wait_for

REQUESTS = 6


class Faults:
    """
    @param stand   A lab.stand.Stand with --out raw:raw and admin.
    @param refuse  A port whose server runs under `abort`, beside the one on 443 that goes on.
    """

    def __init__(self, net, stand, refuse=None):
        self.net, self.stand, self.refuse, self.done, self.slowest = net, stand, refuse, [], 0

    def answered(self, port=443):
        start = time.monotonic()
        out = subprocess.run(['ip', 'netns', 'exec', self.net.ns['c'], 'curl', '-ksS', '--http1.1', '-m', '30',
                              f'https://{SERVER[0]}:{port}/'], check=False, capture_output=True).stdout
        self.slowest = max(self.slowest, time.monotonic() - start)
        return b'was answered' in out

    def request(self):
        if not self.answered():
            raise RuntimeError(f'a request was not answered: {self.done[-1]}')

    def decrypted(self):
        """Plaintext files that are complete as far as they go: one a direction of a connection."""
        return len(os.listdir(f'{self.stand.folder}/raw'))

    def recovers(self):
        """Ask until a new connection is decrypted; the shim does not try at once again."""
        def again():
            before = self.decrypted()
            self.request()
            time.sleep(2.5)  # files are flushed every second
            return self.decrypted() > before
        wait_for(f'recovery after: {self.done[-1]}', again, 90)
        if self.refuse:
            wait_for(f'answers after: {self.done[-1]}', lambda: self.answered(self.refuse), 90)

    def during(self, what, action, well=False):
        """Requests while it is so. @param well  All is as it should be."""
        self.done.append(what)
        action()
        for _ in range(REQUESTS):
            self.request()
            if self.refuse and self.answered(self.refuse) != well:
                raise RuntimeError(f'under abort: {"not " if well else ""}answered, {what}')

    def admin(self, *words):
        subprocess.run(['redis-cli', '-s', f'{self.stand.folder}/redis', *words], check=True,
                       capture_output=True)
