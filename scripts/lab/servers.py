# SPDX-License-Identifier: BSD-3-Clause
"""
HTTPS servers that the shim is put under, each as little configured as can be: port 443, the certificate
ec.pem, TLS 1.2 and 1.3 with resumption, and an answer to whatever is asked for. Each function gets a
lab.stand.Stand and returns the processes it started.
"""
import os

HAPROXY = """
global
	nbthread 2
defaults
	mode http
	timeout connect 60s
	timeout client 60s
	timeout server 60s
frontend {label}
	bind {bind}
	http-request return status 200 content-type text/plain string "was answered\\n"
"""
APACHE = """
ServerName shop.example
Listen 443
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/apache.log
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
User www-data
Group www-data
DocumentRoot {folder}/www
FallbackResource /index.html
SSLEngine on
SSLSessionCache shmcb:{folder}/sessions(1024000)
SSLCertificateFile {folder}/ec.pem
SSLCertificateKeyFile {folder}/ec.key
"""
STUNNEL = """
foreground = yes
pid =
[tls]
accept = 443
connect = 127.0.0.1:80
cert = {folder}/both.pem
"""


def write(stand, name, text, **words):
    path = f'{stand.folder}/{name}'
    with open(path, 'w', encoding='ascii') as f:
        f.write(text.format(folder=stand.folder, **words))
    return path


def both(stand):
    """Certificate and key in one file."""
    text = ''
    for name in ('ec.key', 'ec.pem'):
        with open(f'{stand.folder}/{name}', encoding='ascii') as f:
            text += f.read()
    return write(stand, 'both.pem', text)


def nginx(stand):
    return [stand.nginx(workers=2)]


def apache(stand):
    os.makedirs(f'{stand.folder}/www', exist_ok=True)
    write(stand, 'www/index.html', 'was answered\n')
    conf = write(stand, 'apache.conf', APACHE)
    # It ends its whole process group.
    return [stand.serve(443, 'setsid', 'apache2', '-f', conf, '-DFOREGROUND')]


def haproxy(stand):
    conf = write(stand, 'haproxy.conf', HAPROXY, label='tls', bind=f':443 ssl crt {both(stand)}')
    return [stand.serve(443, 'haproxy', '-db', '-f', conf)]


def stunnel(stand):
    both(stand)
    back = write(stand, 'back.conf', HAPROXY, label='back', bind='127.0.0.1:80')
    return [stand.serve(80, 'haproxy', '-db', '-f', back, shim=False),
            stand.serve(443, 'stunnel4', write(stand, 'stunnel.conf', STUNNEL))]


def s_server(stand):
    return [stand.serve(443, 'openssl', 's_server', '-quiet', '-accept', '443', '-cert', 'ec.pem', '-key',
                        'ec.key', '-www')]


# name -> (how, the program that it needs)
SERVERS = {'nginx': (nginx, 'nginx'), 'apache': (apache, 'apache2'), 'haproxy': (haproxy, 'haproxy'),
           'stunnel': (stunnel, 'stunnel4'), 's_server': (s_server, 'openssl')}
