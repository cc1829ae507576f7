# SPDX-License-Identifier: BSD-3-Clause
"""Digest lines: what `cleartap replay --out digest:-` prints, from the endpoints or from tshark."""
import hashlib
import ipaddress
import subprocess


def lines(truth):
    """
    @param truth  {(client, server): (bytes from the client, bytes from the server)}
    @return the lines, sorted.
    """
    return sorted(f'{client}\t{server}\t{way}\t{len(data)}\t{hashlib.sha256(data).hexdigest()}\n'
                  for (client, server), both in truth.items()
                  for way, data in zip(('c2s', 's2c'), both))


def _endpoint(text):
    address, port = text.strip().rsplit(':', 1)
    address = address.strip('[]')
    ip = ipaddress.ip_address(address)
    return f'[{ip}]:{port}' if ip.version == 6 else f'{ip}:{port}'


FIELDS = ('tcp.stream', 'ip.src', 'ipv6.src', 'tcp.srcport', 'ip.dst', 'ipv6.dst', 'tcp.dstport')


def _packets(base, which):
    """[(number of the connection, (source, destination))] of the packets that pass a filter."""
    out = subprocess.run([*base, '-Y', which, '-T', 'fields',
                          *(word for field in FIELDS for word in ('-e', field))],
                         capture_output=True, text=True, check=True).stdout
    rows = (row.split('\t') for row in out.splitlines())
    return [(int(r[0]), (_endpoint(f'{r[1] or r[2]}:{r[3]}'), _endpoint(f'{r[4] or r[5]}:{r[6]}')))
            for r in rows]


def clients(capture):
    """(client, server) in the order of the SYNs."""
    found = _packets(['tshark', '-r', capture], 'tcp.flags.syn == 1 && tcp.flags.ack == 0')
    return list(dict.fromkeys(pair for _, pair in found))


def _follow(text, client):
    """One answer of follow,tls,raw: (bytes from the client, bytes from the server)."""
    first, data = '', [b'', b'']
    for line in text.splitlines():
        if line.startswith('Node 0: :'):  # it found nothing
            break
        if line.startswith('Node 0:'):
            first = _endpoint(line.split(':', 1)[1])
        elif line and not line.startswith(('=', 'Follow', 'Filter', 'Node')):
            data[line.startswith('\t')] += bytes.fromhex(line.strip())
    return tuple(data if first == client else reversed(data))


def tshark(capture, keys):
    """The same from tshark's `follow,tls,raw`, for where the endpoints cannot tell."""
    base = ['tshark', '-r', capture, '-o', 'tcp.reassemble_out_of_order:TRUE']
    base += ['-o', f'tls.keylog_file:{keys}'] if keys else []
    truth = {}
    for number, pair in dict(_packets(base, 'tls.handshake.type == 1')[::-1]).items():
        out = subprocess.run([*base, '-q', '-z', f'follow,tls,raw,{number}'],
                             capture_output=True, text=True, check=True).stdout
        truth[pair] = _follow(out, pair[0])
    return truth
