# SPDX-License-Identifier: BSD-3-Clause
"""
usage: handshakes.py PORT 1.2|1.3 COUNT full|resumed [KEYLOG]

Makes COUNT TLS connections to 127.0.0.1, asks for / on each, and prints how many were answered and
how many of them were resumed. Stops at the first failure: exit status 1.
"""
import socket
import ssl
import sys

REQUEST = b'GET / HTTP/1.1\r\nHost: shim.example\r\nConnection: close\r\n\r\n'


def once(context, port, session):
    with socket.create_connection(('127.0.0.1', port)) as raw:
        with context.wrap_socket(raw, server_hostname='shim.example', session=session) as tls:
            tls.sendall(REQUEST)
            answer = b''
            while block := tls.recv(65536):
                answer += block
            if not answer.startswith(b'HTTP/1.') or b' 200 ' not in answer[:20]:
                sys.exit(f'answer: {answer[:40]!r}')
            return tls.session, tls.session_reused


def main():
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__.strip())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    version = ssl.TLSVersion.TLSv1_2 if sys.argv[2] == '1.2' else ssl.TLSVersion.TLSv1_3
    context.minimum_version = context.maximum_version = version
    if len(sys.argv) == 6:
        context.keylog_filename = sys.argv[5]
    session, resumed, count = None, 0, int(sys.argv[3])
    for _ in range(count):
        new, reused = once(context, int(sys.argv[1]), session)
        resumed += reused
        session = new if sys.argv[4] == 'resumed' else None
    print(count, resumed)


if __name__ == '__main__':
    try:
        main()
    except OSError as e:
        sys.exit(f'{type(e).__name__}: {e}')
