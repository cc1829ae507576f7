/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * OpenSSL's own socket BIO writes without MSG_NOSIGNAL, and a guest may not change what SIGPIPE does,
 * so TLS gets a BIO that sends as we do. What TLS waits for is read from its state and not by
 * SSL_get_error(), which goes by the thread's error queue: that belongs to the host and may hold its
 * errors.
 */
#include "keybus/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keybus/errors.h"

static int bio_write(BIO *b, const char *data, int len)
{
	const struct stream *s = BIO_get_data(b);
	ssize_t n = send(s->fd, data, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(b);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(b);
	return (int)n;
}

static int bio_read(BIO *b, char *buf, int size)
{
	const struct stream *s = BIO_get_data(b);
	ssize_t n = recv(s->fd, buf, (size_t)size, 0);

	BIO_clear_retry_flags(b);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(b);
	return (int)n;
}

static long bio_ctrl(BIO *b, int cmd, long arg, void *ptr)
{
	return cmd == BIO_CTRL_FLUSH;
}

static BIO *new_bio(struct stream *s)
{
	static BIO_METHOD *method; /* for the life of the process; a race makes one too many */
	BIO_METHOD *m = __atomic_load_n(&method, __ATOMIC_ACQUIRE);
	BIO *b;

	if (!m) {
		m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "keybus");
		if (!m)
			return NULL;
		BIO_meth_set_write(m, bio_write);
		BIO_meth_set_read(m, bio_read);
		BIO_meth_set_ctrl(m, bio_ctrl);
		__atomic_store_n(&method, m, __ATOMIC_RELEASE);
	}
	b = BIO_new(m);
	if (b) {
		BIO_set_data(b, s);
		BIO_set_init(b, 1);
	}
	return b;
}

static bool is_address(const char *host)
{
	uint8_t a[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, a) == 1 || inet_pton(AF_INET6, host, a) == 1;
}

/* The certificate must bear the name, or the address, that we were given. */
static bool expect(SSL *ssl, const char *host)
{
	char name[sizeof(((struct uri *)0)->host)]; /* OpenSSL's macro wants no const */

	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	snprintf(name, sizeof(name), "%s", host);
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static int secure(struct stream *s, const struct uri *u, const struct access *a)
{
	BIO *b;

	s->ssl = SSL_new(a->tls);
	b = s->ssl ? new_bio(s) : NULL;
	if (!b)
		return -ENOMEM;
	SSL_set_bio(s->ssl, b, b);
	SSL_set_quiet_shutdown(s->ssl, 1);
	SSL_set_connect_state(s->ssl);
	return expect(s->ssl, u->host) ? 0 : -EINVAL;
}

int stream_open(
	struct stream *s, const struct uri *u, struct stream_peer *peer, const struct access *a)
{
	int i = peer->next++ % peer->n, on = 1, rc = 0;
	const struct sockaddr *sa = (const struct sockaddr *)&peer->at[i].sa;
	struct stat st;

	peer->next %= peer->n;
	*s = (struct stream){ .secured = !u->tls, .wants = POLLOUT };
	s->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	s->ino = fstat(s->fd, &st) ? 0 : st.st_ino;
	if (sa->sa_family != AF_UNIX) {
		setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	}
	if (connect(s->fd, sa, peer->at[i].len) < 0 && errno != EINPROGRESS)
		rc = -errno;
	if (!rc && u->tls) {
		ERR_set_mark();
		rc = secure(s, u, a);
		ERR_pop_to_mark();
	}
	if (rc)
		stream_close(s);
	return rc;
}

static int step_connect(struct stream *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof(error);

	if (poll(&p, 1, 0) < 1) {
		s->wants = POLLOUT;
		return -EAGAIN;
	}
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	s->connected = !error;
	return -error;
}

/* What a call of TLS that gave nothing waits for; -EAGAIN, or it failed. */
static int waits(struct stream *s)
{
	if (SSL_want_read(s->ssl) && BIO_should_read(SSL_get_rbio(s->ssl)))
		s->wants = POLLIN;
	else if (SSL_want_write(s->ssl) && BIO_should_write(SSL_get_wbio(s->ssl)))
		s->wants = POLLOUT;
	else
		return -ECONNRESET;
	return -EAGAIN;
}

/* A handshake message clears the thread's errors, at any time, and no mark keeps it from doing so. */
static int step_tls(struct stream *s)
{
	struct errors hosts;
	int rc = 0;

	errors_save(&hosts);
	if (SSL_do_handshake(s->ssl) == 1)
		s->secured = true;
	else if (waits(s) == -EAGAIN)
		rc = -EAGAIN;
	else
		rc = SSL_get_verify_result(s->ssl) != X509_V_OK ? -EKEYREJECTED : -EPROTO;
	errors_restore(&hosts);
	return rc;
}

int stream_step(struct stream *s)
{
	int rc = s->connected ? 0 : step_connect(s);

	return rc || s->secured ? rc : step_tls(s);
}

ssize_t stream_read(struct stream *s, void *buf, size_t size)
{
	struct errors hosts;
	ssize_t n;

	s->wants = POLLIN;
	if (s->ssl) {
		errors_save(&hosts);
		n = SSL_read(s->ssl, buf, size > INT_MAX ? INT_MAX : (int)size);
		if (n <= 0)
			n = waits(s);
		errors_restore(&hosts);
		return n;
	}
	if (s->drained) {
		s->drained = false;
		return -EAGAIN;
	}
	do
		n = recv(s->fd, buf, size, 0);
	while (n < 0 && errno == EINTR);
	s->drained = n > 0 && (size_t)n < size;
	return n > 0 ? n : n < 0 ? -errno : -ECONNRESET;
}

ssize_t stream_write(struct stream *s, const void *data, size_t len)
{
	struct errors hosts;
	ssize_t n;

	s->wants = POLLOUT;
	if (s->ssl) {
		errors_save(&hosts);
		n = SSL_write(s->ssl, data, len > INT_MAX ? INT_MAX : (int)len);
		if (n <= 0)
			n = waits(s);
		errors_restore(&hosts);
		return n;
	}
	do
		n = send(s->fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n >= 0 ? n : -errno;
}

bool stream_is_ours(const struct stream *s)
{
	struct stat st;

	return s->fd >= 0 && !fstat(s->fd, &st) && S_ISSOCK(st.st_mode) && st.st_ino == s->ino;
}

void stream_forget(struct stream *s)
{
	if (stream_is_ours(s))
		close(s->fd);
	*s = (struct stream){ .fd = -1 };
}

void stream_close(struct stream *s)
{
	SSL_free(s->ssl);
	stream_forget(s);
}
