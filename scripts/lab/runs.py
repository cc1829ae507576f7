# SPDX-License-Identifier: BSD-3-Clause
"""
What can happen between two endpoints. Each function gets the net, lets real programs talk TLS, and
returns [(bytes from the client, bytes from the server)] for each connection in the order of their
SYNs, as the endpoints sent and received them; None if they cannot tell. Key log: the file `keys`.
"""
import os
import random
import re
import subprocess
import sys
import time

from lab.net import HERE, SERVER

PEER = (sys.executable, f'{HERE}/peer.py')
KEYS = {'SSLKEYLOGFILE': 'keys'}


def certificates(folder):
    """RSA, ECDSA and a client's certificate, Diffie-Hellman parameters and files to serve."""
    def req(name, *kind):
        subprocess.run(['openssl', 'req', '-x509', '-nodes', '-days', '3650', '-newkey', *kind,
                        '-subj', f'/CN={name}.example', '-keyout', f'{name}.key', '-out',
                        f'{name}.pem'], cwd=folder, check=True, capture_output=True)
    req('rsa', 'rsa:2048')
    req('ec', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1')
    req('client', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1')
    with open(f'{folder}/psk', 'w', encoding='ascii') as f:
        f.write('user:0123456789abcdef\n')
    for n in (1, 100, 1000, 14000, 24000, 200000):
        with open(f'{folder}/{n}.txt', 'wb') as f:
            f.write(text('file', n))


def text(seed, n):
    """A line of n bytes of hexadecimal digits: no command letter of s_client is in it."""
    rng = random.Random(f'{seed} {n}')
    return ''.join(rng.choices('0123456789abcdef', k=n - 1)).encode() + b'\n'


def reversed_lines(data):
    return b''.join(line[::-1] + b'\n' for line in data.splitlines())


def cert(kind):
    return [] if kind is None else ['-cert', f'{kind}.pem', '-key', f'{kind}.key']


def talk(client, server, steps, seed, rev):
    """
    Play `steps` on a running s_client and s_server, one word each:
    c100, s100: the client, the server says a line of 100 bytes; cK, sk: one of its command letters.
    @return (bytes from the client, bytes from the server)
    """
    said = {'c': b'', 's': b''}
    if not rev:
        time.sleep(0.5)  # s_server takes its input for the next connection only once it is there
    for i, step in enumerate(steps.split()):
        who, what = step[0], step[1:]
        speaker, hearer = (client, server) if who == 'c' else (server, client)
        if not what.isdigit():
            speaker.send(what.encode() + b'\n')
            time.sleep(0.3)
            continue
        line = text(f'{seed} {i}', int(what))
        said[who] += line
        speaker.send(line)
        if rev:
            said['s'] += reversed_lines(line)
        else:
            hearer.hear(line)
        client.expect(len(said['s']))
    return said['c'], said['s']


def s_client(net, *options, host=SERVER[0], port=443):
    at = f'[{host}]:{port}' if ':' in host else f'{host}:{port}'
    return net.start('c', 'openssl', 's_client', '-connect', at, '-quiet', '-no_ign_eof',
                     '-keylogfile', 'keys', *options)


def openssl(net, seed, both='', server='', client='', conns=('',), steps='c100 c3000 c40',
            kind='rsa', rev=True, host=SERVER[0], serve=None):
    """
    s_client and s_server; the server answers each line reversed (`rev`), or says its own.

    @param conns  More options of s_client, one string for each connection.
    @param steps  A string for all, or one for each connection.
    @param serve  Another server that reverses lines, instead of s_server.
    """
    mode = ['-quiet', '-rev'] if rev else []
    daemon = net.server = net.serve(*(serve or [
        'openssl', 's_server', '-accept', '443', *cert(kind), *mode, *both.split(),
        *server.split()]))
    truth = []
    for i, more in enumerate(conns):
        c = s_client(net, *both.split(), *client.split(), *more.split(), host=host)
        early = b''
        if '-early_data' in more:
            with open(f'{net.folder}/{more.split()[-1]}', 'rb') as f:
                early = f.read()
        todo = steps if isinstance(steps, str) else steps[i]
        said, heard = talk(c, daemon, todo, f'{seed} {i}', rev)
        if c.end() != heard:
            raise RuntimeError('the client did not get what the server said')
        truth.append((early + said, heard))
        time.sleep(0.1)
    return truth


EARLY = 600


def early(net, seed, size=EARLY, both='', server='', client='', refused=False):
    """0-RTT: a session is made, then resumed with its first data in the first flight."""
    with open(f'{net.folder}/early', 'wb') as f:
        f.write(text(f'{seed} early', size))
    truth = openssl(net, seed, both=f'-tls1_3 {both}', client=client, rev=False,
                    server=f'-early_data -max_early_data 16384 {server}',
                    conns=('-sess_out session', '-sess_in session -early_data early'),
                    steps=('c100 s100', 's800 c300 s50'))
    with open(f'{net.folder}/early', 'rb') as f:
        if (f.read().strip() in bytes(net.server.out)) == refused:
            raise RuntimeError('early data was ' + ('accepted' if refused else 'refused'))
    with open(f'{net.folder}/keys', encoding='ascii') as f:
        if 'CLIENT_EARLY_TRAFFIC_SECRET' not in f.read():
            raise RuntimeError('no early data was sent')
    return truth


def early_refused(net, seed):
    """0-RTT that a HelloRetryRequest makes void: the server skips it."""
    first, (said, heard) = early(net, seed, server='-groups P-384', refused=True,
                                 client='-groups X25519:P-384')
    return [first, (said[EARLY:], heard)]


def fetch(net, seed, file='14000.txt', server='', client='', kind='rsa', host=SERVER[0]):
    """s_server as a small HTTP server, s_client asks for a file."""
    net.serve('openssl', 's_server', '-accept', '443', '-HTTP', *cert(kind), *server.split())
    ask = f'GET /{file} HTTP/1.0\r\n\r\n'.encode()
    c = s_client(net, '-ign_eof', *client.split(), host=host)
    c.send(ask)
    heard = c.end()
    with open(f'{net.folder}/{file}', 'rb') as f:
        if not heard.endswith(f.read()):
            raise RuntimeError('the client did not get the file')
    return [(ask, heard)]


def starttls(net, seed, proto, both=''):
    """Another protocol first. The words before TLS are not application data of TLS."""
    how = f'-proxy {SERVER[0]}:443' if proto == 'connect' else f'-starttls {proto}'
    return openssl(net, seed, client=f'{both} {how}', steps='c60 c2000',
                   serve=[*PEER, 'serve', proto, '--cert', 'rsa.pem', '--key', 'rsa.key'])


def dribble(net, seed, version):
    """Each byte of the client in a segment of its own."""
    net.serve('openssl', 's_server', '-accept', '443', *cert('ec'), '-quiet', '-rev',
              '-num_tickets', '0')
    say = f'{seed} byte'
    c = net.start('c', *PEER, 'dribble', SERVER[0], '--say', say, '--version', version)
    heard = c.end()
    if heard != reversed_lines(say.encode()):
        raise RuntimeError(c.err.decode())
    return [(say.encode() + b'\n', heard)]


def gnutls(net, seed, priority='NORMAL', server='', client='', steps='100 3000 40', kind='rsa',
           host=SERVER[0]):
    """gnutls-serv echoes the lines of gnutls-cli; a word that is no number is an inline command."""
    net.serve('gnutls-serv', '--echo', '--quiet', '-p', '443', '--x509certfile', f'{kind}.pem',
              '--x509keyfile', f'{kind}.key', '--priority', priority, *server.split())
    c = net.start('c', 'gnutls-cli', host, '-p', '443', '--insecure', '--logfile', 'gnutls.log',
                  '--priority', priority, '--inline-commands', *client.split(), env=KEYS)
    time.sleep(0.5)
    if 'resume' in client:
        time.sleep(2.5)  # gnutls-cli makes the first connection, sleeps and makes the second
    said = b''
    for i, step in enumerate(steps.split()):
        if step.isdigit():
            line = text(f'{seed} {i}', int(step))
            said += line
            c.send(line)
            c.expect(len(said))
        else:
            c.send(f'^{step}^\n'.encode())
            time.sleep(0.5)
    if c.end() != said:
        raise RuntimeError('the client did not get what the server said')
    empty = [(b'', b'')] if '--resume' in client.split() else []
    return empty + [(said, said)]


NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
	access_log off; default_type text/plain; keepalive_timeout 1000;
	client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
	client_max_body_size 1m; client_body_buffer_size 512k;
	gzip {gzip}; gzip_types text/plain;
	server {{
		listen {listen}; listen [::]:443 ssl;
		ssl_certificate {folder}/{kind}.pem; ssl_certificate_key {folder}/{kind}.key;
		ssl_protocols TLSv1.2 TLSv1.3; {more}
		location / {{ root {folder}; }}
		location /post {{ return 200 "ok\\n"; }}
		location /chunked/ {{ alias {folder}/; sub_filter_types *; sub_filter _ _; sub_filter_last_modified on; }}
	}}
}}
"""


def nginx(net, listen='443 ssl', kind='ec', more='', gzip='off'):
    with open(f'{net.folder}/nginx.conf', 'w', encoding='ascii') as f:
        f.write(NGINX.format(folder=net.folder, listen=listen, kind=kind, more=more, gzip=gzip))
    return net.serve('nginx', '-c', f'{net.folder}/nginx.conf', '-e', f'{net.folder}/error.log')


def curl_trace(path):
    """The application data in a curl --trace of HTTP/1 on one connection."""
    way, data = None, {'=>': b'', '<=': b''}
    with open(path, encoding='latin-1') as f:
        for line in f:
            if m := re.match(r'(=>|<=) (Send|Recv) (header|data),', line):
                way = m[1]
            elif line.startswith(('=>', '<=', '== ')):
                way = None
            elif way:
                data[way] += bytes.fromhex(line.split(':', 1)[1][:49].replace(' ', ''))
    return data['=>'], data['<=']


def curl(net, seed, options='', paths=('100.txt',), truth=True, host=SERVER[0], **conf):
    """nginx and curl; all paths on one connection. HTTP/2 frames: the endpoints cannot tell."""
    nginx(net, **conf)
    at = f'[{host}]' if ':' in host else host
    urls = [f'https://{at}/{p}' for p in paths]
    sinks = [word for _ in urls for word in ('-o', '/dev/null')]
    c = net.start('c', 'curl', '-ksS', '--raw', '--trace', 'trace', *options.split(), *sinks, *urls,
                  env=KEYS)
    c.end()
    if c.child.returncode:
        raise RuntimeError(c.err.decode())
    return [curl_trace(f'{net.folder}/trace')] if truth else None


def many(net, seed, count=40, options='', **conf):
    """
    nginx and curl, one connection: files of 0 to 60 KB, no two of one size, some chunked; some requests with
    a body, one after the other. Each has a path of its own.
    """
    rng = random.Random(seed)
    sizes = [0, 60000, 33000]
    while len(sizes) < count:
        n = rng.randrange(16384 >> len(sizes) % 8)
        sizes += [n] if n not in sizes else []
    rng.shuffle(sizes)
    argv = []
    for i, n in enumerate(sizes):
        with open(f'{net.folder}/many-{i}.txt', 'wb') as f:
            f.write(text(f'{seed} {i}', n) if n else b'')
        way = 'chunked/' if i % 3 == 1 else ''
        body = ['-d', '@1000.txt'] if i % 7 == 3 else ['-I'] if i == 20 else []
        path = f'post?{i}' if body[:1] == ['-d'] else f'{way}many-{i}.txt'
        argv += ['--next'] * (i > 0) + ['-ksS', '--raw', '--http1.1', *options.split(), *body, '-A', f'agent/{i}',
                                        '-o', '/dev/null', f'https://{SERVER[0]}/{path}']
    nginx(net, **conf)
    c = net.start('c', 'curl', '--trace', 'trace', *argv, env=KEYS)
    c.end()
    if c.child.returncode:
        raise RuntimeError(c.err.decode())
    return [curl_trace(f'{net.folder}/trace')]


def nss_database(net):
    """The RSA key, as NSS wants it. @return the folder."""
    db = f'{net.folder}/nss'
    if not os.path.isdir(db):
        subprocess.run(['openssl', 'pkcs12', '-export', '-in', 'rsa.pem', '-inkey', 'rsa.key',
                        '-name', 'rsa', '-passout', 'pass:', '-out', 'rsa.p12'],
                       cwd=net.folder, check=True)
        os.mkdir(db)
        for argv in (['certutil', '-N', '-d', db, '--empty-password'],
                     ['pk12util', '-i', 'rsa.p12', '-d', db, '-W', '']):
            subprocess.run(argv, cwd=net.folder, check=True, capture_output=True)
    return db


def nss(net, seed, versions='tls1.2:tls1.2', client='', server=''):
    """NSS answers: selfserv; OpenSSL asks and writes the key log."""
    net.serve('selfserv', '-d', nss_database(net), '-n', 'rsa', '-p', '443', '-V', versions, *server.split())
    ask = b'GET / HTTP/1.0\r\n\r\n'
    c = s_client(net, '-ign_eof', *client.split())
    c.send(ask)
    heard = c.end()
    if not heard.startswith(b'HTTP/1.0 200'):
        raise RuntimeError(c.err.decode())
    return [(ask, heard)]


def ssl3(net, seed, suite, file='1000.txt'):
    """SSL 3.0, which only NSS still speaks. It writes no key log: premaster_line() makes one."""
    net.serve('selfserv', '-d', nss_database(net), '-n', 'rsa', '-p', '443', '-V', 'ssl3:ssl3', '-c',
              f':{suite}')
    c = net.start('c', 'tstclnt', '-h', SERVER[0], '-p', '443', '-D', '-o', '-f', '-V', 'ssl3:ssl3', '-c',
                  f':{suite}')
    ask = f'GET {file} HTTP/1.0\r\n'.encode()
    lines = [ask + b'X: ' + text(seed, 1021 - len(ask)), *(b'X: ' + text(seed, 1021) for _ in range(6)),
             b'\r\n']
    for line in lines:  # a record each
        c.send(line)
        time.sleep(0.1)
    with open(f'{net.folder}/{file}', 'rb') as f:
        c.hear(f.read())
    time.sleep(0.3)
    c.stop()  # it does not end by itself
    return [(b''.join(lines), bytes(c.out))]
