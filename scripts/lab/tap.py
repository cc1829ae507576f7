# SPDX-License-Identifier: BSD-3-Clause
"""
A bad tap: what an interface sends and receives is copied to another one, but for some. All of it is written
to a capture; beside it a file says, a byte a frame, what was passed on. Handshakes are spared: without its
ClientHello no connection has a name.
"""
import argparse
import random
import socket
import struct
from collections import Counter

SPARED = 30  # frames of each pair of endpoints
SO_RCVBUFFORCE = 33


def opened(name, protocol):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    s.bind((name, protocol))
    return s


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('source')
    p.add_argument('destination')
    p.add_argument('capture', help='and CAPTURE.passed')
    p.add_argument('--loss', type=float, default=0.01)
    p.add_argument('--seed', type=int, default=1)
    args = p.parse_args()
    rng, source, destination = random.Random(args.seed), opened(args.source, 3), opened(args.destination, 0)
    source.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 128 << 20)
    seen = Counter()
    with open(args.capture, 'wb', buffering=0) as whole, open(f'{args.capture}.passed', 'wb', buffering=0) as f:
        whole.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        while True:
            frame = source.recv(65536)
            pair = bytes(sorted(frame[26:38]))  # addresses and ports of IPv4, either way round
            seen[pair] += 1
            passed = seen[pair] <= SPARED or rng.random() >= args.loss
            if passed:
                destination.send(frame)
            whole.write(struct.pack('<IIII', 0, 0, len(frame), len(frame)) + frame)
            f.write(b'\x01' if passed else b'\x00')


if __name__ == '__main__':
    main()
