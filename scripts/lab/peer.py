# SPDX-License-Identifier: BSD-3-Clause
"""
Endpoints that no ready program gives: a server that speaks a few words of another protocol before
TLS, a client that sends a byte at a time, and a server whose records end where its segments do. The
TLS is OpenSSL's, through Python.
"""
import argparse
import os
import socket
import ssl
import time

# What the server says first, and then for each line that it gets until TLS begins: (start of the
# client's line, answer, does TLS begin now).
DIALOGUES = {
    'smtp': (b'220 mail.example ESMTP\r\n', [
        (b'EHLO', b'250-mail.example\r\n250-SIZE 1000000\r\n250 STARTTLS\r\n', False),
        (b'STARTTLS', b'220 go ahead\r\n', True)]),
    'imap': (b'* OK IMAP4rev1 ready\r\n', [
        (b'. CAPABILITY', b'* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n', False),
        (b'. STARTTLS', b'. OK begin\r\n', True)]),
    'pop3': (b'+OK ready\r\n', [(b'STLS', b'+OK begin\r\n', True)]),
    'ftp': (b'220 ftp.example\r\n', [
        (b'FEAT', b'211-Features\r\n AUTH TLS\r\n211 End\r\n', False),
        (b'AUTH TLS', b'234 begin\r\n', True)]),
    'connect': (b'', [(b'CONNECT', b'', False), (b'\r\n', b'HTTP/1.1 200 OK\r\n\r\n', True)]),
}


def read_line(sock):
    line = b''
    while not line.endswith(b'\n'):
        c = sock.recv(1)
        if not c:
            raise EOFError
        line += c
    return line


def plain_part(sock, greeting, rules):
    sock.sendall(greeting)
    while True:
        line = read_line(sock)
        for start, answer, begin in rules:
            if line.startswith(start):
                sock.sendall(answer)
                if begin:
                    return
                break


def serve(args):
    """Answers each line with the line reversed, as `openssl s_server -rev` does."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(args.cert, args.key)
    listener = socket.create_server(('0.0.0.0', args.port))
    while True:
        sock, _ = listener.accept()
        plain_part(sock, *DIALOGUES[args.dialogue])
        with ctx.wrap_socket(sock, server_side=True) as tls:
            while line := tls_line(tls):
                tls.sendall(line.rstrip(b'\n')[::-1] + b'\n')


def tls_line(tls):
    line = b''
    while not line.endswith(b'\n'):
        data = tls.recv(4096)
        if not data:
            return b''
        line += data
    return line


def dribble(args):
    """A client whose every byte, from the ClientHello on, is a segment of its own."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    ctx.maximum_version = ssl.TLSVersion[args.version]
    ctx.set_ciphers('ECDHE-ECDSA-AES128-GCM-SHA256')
    ctx.set_ecdh_curve('prime256v1')
    ctx.keylog_filename = args.keys
    inbox, outbox = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ctx.wrap_bio(inbox, outbox)
    sock = socket.create_connection((args.host, args.port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def turn(step):
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                done = None
            for byte in outbox.read():
                sock.sendall(bytes([byte]))
                time.sleep(0.001)
            if done is not None:
                return done
            inbox.write(sock.recv(4096))

    turn(lambda: tls.do_handshake() or True)
    turn(lambda: tls.write(args.say.encode() + b'\n'))
    got = b''
    while not got.endswith(b'\n'):
        got += turn(lambda: tls.read(4096))
    print(got.decode(), end='')


def pour(args):
    """Serve one connection: so many records of one size each, none sent together with the next."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(args.cert, args.key)
    sock, _ = socket.create_server(('0.0.0.0', args.port)).accept()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with ctx.wrap_socket(sock, server_side=True) as tls:
        for _ in range(args.records):
            tls.sendall(os.urandom(args.size))
            time.sleep(0.0005)


def main():
    p = argparse.ArgumentParser()
    sub = p.add_subparsers(required=True)
    s = sub.add_parser('serve')
    s.add_argument('dialogue', choices=DIALOGUES)
    s.add_argument('--cert', default='cert.pem')
    s.add_argument('--key', default='key.pem')
    s.add_argument('--port', type=int, default=443)
    s.set_defaults(run=serve)
    d = sub.add_parser('dribble')
    d.add_argument('host')
    d.add_argument('--port', type=int, default=443)
    d.add_argument('--keys', default='keys')
    d.add_argument('--say', default='one byte at a time')
    d.add_argument('--version', default='TLSv1_2')
    d.set_defaults(run=dribble)
    o = sub.add_parser('pour')
    o.add_argument('size', type=int)
    o.add_argument('records', type=int)
    o.add_argument('--cert', default='cert.pem')
    o.add_argument('--key', default='key.pem')
    o.add_argument('--port', type=int, default=443)
    o.set_defaults(run=pour)
    args = p.parse_args()
    args.run(args)


if __name__ == '__main__':
    main()
