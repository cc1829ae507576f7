#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
usage: many.py SERVER CLIENT-ADDRESS 1.2|1.3 full|resumed COUNT AT-ONCE [CERTIFICATE KEY]

Makes COUNT HTTPS requests to SERVER:443, each on a connection of its own, AT-ONCE at a time, and prints
what each direction said as lines of cleartap's digest.
"""
import hashlib
import socket
import ssl
import sys
import threading

SERVER, ADDRESS, VERSION, KIND = sys.argv[1:5]
COUNT, AT_ONCE = map(int, sys.argv[5:7])


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    if len(sys.argv) > 7:
        c.load_cert_chain(*sys.argv[7:9])
    c.minimum_version = c.maximum_version = ssl.TLSVersion['TLSv' + VERSION.replace('.', '_')]
    return c


def once(ctx, number, session):
    """@return (digest lines, session for the next one, was this one resumed)"""
    request = (f'GET /{ADDRESS}/{number} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n'
               .encode())
    with socket.create_connection((SERVER, 443), 60, (ADDRESS, 0)) as raw:
        here = '{}:{}'.format(*raw.getsockname())
        with ctx.wrap_socket(raw, session=session) as tls:
            tls.sendall(request)
            answer = b''
            while block := tls.recv(65536):
                answer += block
            if b' 200 ' not in answer[:20]:
                raise OSError(f'answer: {answer[:40]!r}')
            new, reused = tls.session, tls.session_reused
    lines = [f'{here}\t{SERVER}:443\t{way}\t{len(text)}\t{hashlib.sha256(text).hexdigest()}'
             for way, text in (('c2s', request), ('s2c', answer))]
    return lines, new, reused


def worker(numbers, out):
    """Requests from a shared iterator; every thread has its own sessions."""
    ctx, session, resumed = context(), None, 0
    try:
        for number in numbers:
            lines, new, reused = once(ctx, number, session)
            out['lines'] += lines
            resumed += reused
            session = new if KIND == 'resumed' else None
        out['resumed'].append(resumed)
    except OSError as e:
        out['errors'].append(f'{type(e).__name__}: {e}')


def main():
    out = {'lines': [], 'errors': [], 'resumed': []}
    threads = [threading.Thread(target=worker, args=(range(n, COUNT, AT_ONCE), out))
               for n in range(AT_ONCE)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if out['errors']:
        sys.exit(f'{len(out["errors"])} clients failed; {out["errors"][0]}')
    if sum(out['resumed']) != (COUNT - AT_ONCE if KIND == 'resumed' else 0):
        sys.exit(f'{sum(out["resumed"])} of {COUNT} were resumed')
    print('\n'.join(out['lines']))


if __name__ == '__main__':
    main()
