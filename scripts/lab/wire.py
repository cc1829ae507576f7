# SPDX-License-Identifier: BSD-3-Clause
"""
A bad wire: forwards Ethernet frames between two interfaces and loses, repeats and reorders some of
those that carry data. `tc netem` would do, but is not in every kernel, and this one has a seed.
"""
import argparse
import random
import select
import socket

PACKET_OUTGOING = 4
HANDSHAKE_AND_ACKS = 100  # shorter frames are let through, so that the capture stays small


def parse():
    p = argparse.ArgumentParser()
    p.add_argument('ports', nargs=2)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--loss', type=float, default=0)
    p.add_argument('--swap', type=float, default=0)
    p.add_argument('--twice', type=float, default=0)
    return p.parse_args()


def main():
    args = parse()
    rng = random.Random(args.seed)
    sockets = []
    for name in args.ports:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.bind((name, 0))
        sockets.append(s)
    other = dict(zip(sockets, reversed(sockets)))
    held = {s: None for s in sockets}  # a frame that waits to be overtaken
    while True:
        ready, _, _ = select.select(sockets, [], [], 0.02)
        for s in set(sockets) - set(ready):
            if held[s]:
                other[s].send(held[s])
                held[s] = None
        for s in ready:
            frame, origin = s.recvfrom(65536)
            if origin[2] == PACKET_OUTGOING:
                continue
            if len(frame) > HANDSHAKE_AND_ACKS:
                if rng.random() < args.loss:
                    continue
                if not held[s] and rng.random() < args.swap:
                    held[s] = frame
                    continue
                if rng.random() < args.twice:
                    other[s].send(frame)
            other[s].send(frame)
            if held[s]:
                other[s].send(held[s])
                held[s] = None


if __name__ == '__main__':
    main()
