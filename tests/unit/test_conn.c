/* SPDX-License-Identifier: BSD-3-Clause */
/* Logins, certificates and replies: those of a real server, and those a hostile one makes up. */
#include "keybus/conn.h"

#include <errno.h>
#include <poll.h>

#include "certs.h"
#include "redis.h"

#define LONG_NS 60000000000ull

static struct redis r;
static char why[256];

static struct access *access_of(const struct access_cfg *cfg)
{
	struct access *a;
	int rc = access_new(&a, cfg, true, why, sizeof(why));

	ck_assert_msg(rc == 0, "%s", why);
	return a;
}

static struct conn *conn_to(const char *text, const struct access *a)
{
	struct conn *c;
	struct uri u;

	ck_assert_int_eq(uri_list(&u, 1, text, why, sizeof(why)), 1);
	c = conn_new(&u, a);
	ck_assert_ptr_nonnull(c);
	return c;
}

/* @return as conn_ready(), of a connection begun now. */
static int ready(struct conn *c)
{
	int rc = conn_open(c);

	return rc ? rc : conn_ready(c, conn_now_ns() + LONG_NS);
}

static void command(struct conn *c, const char *a, const char *b, const void *data, size_t len)
{
	const struct conn_arg argv[] = { { a, strlen(a) }, { b, b ? strlen(b) : 0 },
		{ data, len } };

	ck_assert_int_eq(conn_command(c, argv, data ? 3 : b ? 2 : 1), 0);
}

static redisReply *await(struct conn *c)
{
	redisReply *reply;

	ck_assert_int_eq(conn_await(c, &reply, conn_now_ns() + LONG_NS), 0);
	return reply;
}

static void works(const char *uri, const struct access_cfg *cfg)
{
	struct access *a = access_of(cfg);
	struct conn *c = conn_to(uri, a);
	uint8_t data[30000];
	redisReply *reply;
	int rc = ready(c);

	ck_assert_msg(rc == 0, "%s: %s %s", uri, strerror(-rc), conn_refusal(c));
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i >> 3);
	for (int i = 0; i < 30; i++) { /* more than one buffer */
		command(c, "SET", "x", data, sizeof(data) - (size_t)i);
		command(c, "GET", "x", NULL, 0);
		conn_work(c);
		reader_reply_free(await(c));
		reply = await(c);
		ck_assert_int_eq(reply->type, REDIS_REPLY_STRING);
		ck_assert_uint_eq(reply->len, sizeof(data) - (size_t)i);
		ck_assert_mem_eq(reply->str, data, reply->len);
		reader_reply_free(reply);
	}
	ck_assert_int_eq(conn_reply(c, &reply), -EAGAIN);
	conn_free(c);
	access_free(a);
}

static int fails(const char *uri, const struct access_cfg *cfg, const char *refusal)
{
	struct access *a = access_of(cfg);
	struct conn *c = conn_to(uri, a);
	int rc = ready(c);

	ck_assert_str_eq(conn_refusal(c), refusal);
	ck_assert(!conn_is_open(c));
	conn_free(c);
	access_free(a);
	return rc;
}

static char *in_dir(const char *name)
{
	static char path[16][64];
	static int i;

	i = (i + 1) % 16;
	snprintf(path[i], sizeof(path[i]), "%s/%s", r.dir, name);
	return path[i];
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

START_TEST(logins)
{
	struct access_cfg none = { 0 }, right = { 0 }, wrong = { 0 };
	char tcp[80], user[80], db[100];

	redis_start(&r, "requirepass sesame\nuser me on >open +@all ~* &*");
	snprintf(tcp, sizeof(tcp), "redis://127.0.0.1:%d", r.port);
	snprintf(user, sizeof(user), "redis://me@127.0.0.1:%d", r.port);
	snprintf(db, sizeof(db), "%s/12", user);
	right.password_file = in_dir("right");
	wrong.password_file = in_dir("wrong");
	write_file(right.password_file, "sesame\r\nnot this\n");
	write_file(wrong.password_file, "open");
	works(tcp, &right);
	works(r.uri, &right);
	works(user, &wrong);
	works(db, &wrong);
	ck_assert_int_eq(fails(tcp, &wrong, "WRONGPASS"), -EACCES);
	ck_assert_int_eq(fails(user, &right, "WRONGPASS"), -EACCES);
	ck_assert_int_eq(fails(user, &none, "WRONGPASS"), -EACCES);
	setenv("CLEARTAP_REDIS_PASSWORD", "sesame", 1);
	works(tcp, &none);
	works(user, &wrong); /* the file counts */
	redis_stop(&r);
}
END_TEST

static int tls_start(const char *more)
{
	struct certs ca, other, server, client;
	char conf[512];

	redis_dir(&r);
	ca = certs_make(r.dir, "ca", NULL, NULL);
	other = certs_make(r.dir, "other", NULL, NULL);
	server = certs_make(r.dir, "server", &ca, "DNS:localhost");
	client = certs_make(r.dir, "client", &ca, "DNS:client");
	certs_free(&ca);
	certs_free(&other);
	certs_free(&server);
	certs_free(&client);
	r.tls_port = redis_free_port();
	snprintf(conf, sizeof(conf),
		"tls-port %d\ntls-cert-file %s\ntls-key-file %s\ntls-ca-cert-file %s\n%s",
		r.tls_port, in_dir("server.crt"), in_dir("server.key"), in_dir("ca.crt"), more);
	redis_run(&r, conf);
	return r.tls_port;
}

START_TEST(certificates)
{
	int port = tls_start("tls-auth-clients optional");
	struct access_cfg right = { .ca = in_dir("ca.crt") }, wrong = { .ca = in_dir("other.crt") };
	struct access_cfg system = { 0 };
	char by_name[80], by_address[80];

	snprintf(by_name, sizeof(by_name), "rediss://localhost:%d", port);
	snprintf(by_address, sizeof(by_address), "rediss://127.0.0.1:%d", port);
	works(by_name, &right);
	ck_assert_int_eq(fails(by_address, &right, ""), -EKEYREJECTED);
	ck_assert_int_eq(fails(by_name, &wrong, ""), -EKEYREJECTED);
	ck_assert_int_eq(fails(by_name, &system, ""), -EKEYREJECTED);
	redis_stop(&r);
}
END_TEST

START_TEST(client_certificate)
{
	int port = tls_start("tls-auth-clients yes");
	struct access_cfg none = { .ca = in_dir("ca.crt") };
	struct access_cfg right = { none.ca, in_dir("client.crt"), in_dir("client.key"), NULL,
		NULL };
	struct access_cfg wrong = { none.ca, in_dir("other.crt"), in_dir("other.key"), NULL, NULL };
	struct access_cfg mixed = { none.ca, in_dir("client.crt"), in_dir("other.key"), NULL,
		NULL };
	struct access_cfg half = { none.ca, in_dir("client.crt"), NULL, NULL, NULL };
	struct access_cfg no_ca = { in_dir("conf"), NULL, NULL, NULL, NULL };
	struct access *a;
	char uri[80];

	snprintf(uri, sizeof(uri), "rediss://localhost:%d", port);
	works(uri, &right);
	for (int i = 0; i < 2; i++) { /* TLS 1.3 tells after the handshake */
		struct conn *c;
		redisReply *reply;
		int rc;

		a = access_of(i ? &wrong : &none);
		c = conn_to(uri, a);
		rc = ready(c);
		if (!rc)
			rc = conn_await(c, &reply, conn_now_ns() + LONG_NS);
		ck_assert_int_eq(rc, -ECONNRESET);
		conn_free(c);
		access_free(a);
	}
	ck_assert_int_lt(access_new(&a, &mixed, true, why, sizeof(why)), 0);
	ck_assert_ptr_nonnull(strstr(why, "other.key"));
	ck_assert_int_lt(access_new(&a, &half, true, why, sizeof(why)), 0);
	ck_assert_int_lt(access_new(&a, &no_ca, true, why, sizeof(why)), 0);
	ck_assert_ptr_nonnull(strstr(why, "conf"));
	redis_stop(&r);
}
END_TEST

/* The server's end of one TLS handshake. @return by the exit status: was it asked for by `name`? */
static pid_t tls_server(int fd, const char *name)
{
	pid_t pid = fork();
	SSL_CTX *ctx;
	SSL *ssl;
	const char *sni;

	if (pid)
		return pid;
	ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate_chain_file(ctx, in_dir("server.crt"));
	SSL_CTX_use_PrivateKey_file(ctx, in_dir("server.key"), SSL_FILETYPE_PEM);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, accept(fd, NULL, NULL));
	if (SSL_accept(ssl) != 1)
		_exit(2);
	sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	_exit(name ? !sni || strcmp(sni, name) != 0 : sni != NULL);
}

/* A name is told to the server, which may have several; an address is no name (RFC 6066). */
START_TEST(server_name)
{
	static const char *const hosts[] = { "localhost", "127.0.0.1" };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(sin);
	struct certs ca, server;

	redis_dir(&r);
	ca = certs_make(r.dir, "ca", NULL, NULL);
	server = certs_make(r.dir, "server", &ca, "DNS:localhost,IP:127.0.0.1");
	for (int i = 0; i < 2; i++) {
		struct access_cfg cfg = { .ca = in_dir("ca.crt") };
		struct access *a = access_of(&cfg);
		int fd = socket(AF_INET, SOCK_STREAM, 0), status;
		struct conn *c;
		char uri[64];
		pid_t pid;

		sin.sin_port = 0;
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, size), 0);
		ck_assert_int_eq(listen(fd, 1), 0);
		getsockname(fd, (struct sockaddr *)&sin, &size);
		snprintf(uri, sizeof(uri), "rediss://%s:%d", hosts[i], ntohs(sin.sin_port));
		pid = tls_server(fd, i ? NULL : hosts[i]);
		c = conn_to(uri, a);
		ready(c);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		conn_free(c);
		access_free(a);
		close(fd);
	}
	certs_free(&ca);
	certs_free(&server);
	snprintf(why, sizeof(why), "rm -rf '%s'", r.dir);
	ck_assert_int_eq(system(why), 0);
}
END_TEST

/* One connection to a server that says `data`, and then closes. */
static int hear(const void *data, size_t len, redisReply **out)
{
	struct access_cfg cfg = { 0 };
	struct access *a = access_of(&cfg);
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0), peer, rc;
	struct conn *c;
	char uri[64];
	pid_t pid;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, size), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&sin, &size);
	snprintf(uri, sizeof(uri), "redis://127.0.0.1:%d", ntohs(sin.sin_port));
	c = conn_to(uri, a);
	ck_assert_int_eq(ready(c), 0);
	pid = fork();
	if (!pid) {
		peer = accept(fd, NULL, NULL);
		for (size_t at = 0; at < len;) {
			ssize_t n = send(peer, (const char *)data + at, len - at, MSG_NOSIGNAL);

			if (n <= 0)
				break;
			at += (size_t)n;
		}
		_exit(0);
	}
	close(fd);
	rc = conn_await(c, out, conn_now_ns() + LONG_NS);
	ck_assert(rc == 0 || !conn_is_open(c));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	conn_free(c);
	access_free(a);
	return rc;
}

START_TEST(hostile)
{
	static const struct {
		const char *data;
		int rc;
	} said[] = {
		{ "", -ECONNRESET },
		{ "+OK\r", -ECONNRESET },
		{ "HTTP/1.1 200 OK\r\n\r\n", -EBADMSG },
		{ "*2000000000\r\n", -EBADMSG },
		{ "*1025\r\n", -EBADMSG },
		{ "*1024\r\n", -ECONNRESET },
		{ "$2000000000\r\nx", -ECONNRESET },
		{ "$-5\r\n", -EBADMSG },
		{ "*-5\r\n", -EBADMSG },
		{ ":99999999999999999999999999\r\n", -EBADMSG },
		{ "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", -EBADMSG },
	};
	redisReply *reply;

	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		int rc = hear(said[i].data, strlen(said[i].data), &reply);

		ck_assert_msg(rc == said[i].rc, "%s: %s", said[i].data, strerror(-rc));
	}
}
END_TEST

/* The longest that is taken, and one byte more; and many small ones in one. */
START_TEST(bounds)
{
	size_t size = 4u << 20, n;
	char *data = malloc(size);
	redisReply *reply;

	ck_assert_ptr_nonnull(data);
	for (size_t len = READER_MAX - 300; len < READER_MAX + 300; len += 50) {
		n = (size_t)sprintf(data, "$%zu\r\n", len);
		memset(data + n, 'x', len);
		memcpy(data + n + len, "\r\n", 2);
		if (hear(data, n + len + 2, &reply) == 0) {
			ck_assert_uint_eq(reply->len, len);
			ck_assert_uint_le(len, READER_MAX);
			reader_reply_free(reply);
		} else {
			ck_assert_uint_gt(len, READER_MAX - 100);
		}
	}
	memset(data, '1', size);
	memcpy(data, "$4000000\r\n", 10);
	ck_assert_int_eq(hear(data, size, &reply), -EMSGSIZE);
	n = (size_t)sprintf(data, "*1024\r\n");
	for (int i = 0; i < 1024; i++)
		n += (size_t)sprintf(data + n, "*1024\r\n%s", i ? "" : ":1\r\n");
	ck_assert_int_lt(hear(data, n, &reply), 0);
	n = (size_t)sprintf(data, "*1024\r\n");
	for (int i = 0; i < 1024; i++)
		n += (size_t)sprintf(data + n,
			"+0123456789012345678901234567890123456789"
			"0123456789012345678901234567890123456789\r\n");
	ck_assert_int_eq(hear(data, n, &reply), -EBADMSG); /* 144 bytes each */
	free(data);
}
END_TEST

/* An error may repeat the arguments, and those may be secret: only the word is told. */
START_TEST(error_word)
{
	char word[16];
	redisReply e = { .type = REDIS_REPLY_ERROR };

	char text[] = "ERR unknown command, with args beginning with: 'secret'";
	char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	e.str = text;
	e.len = strlen(e.str);
	ck_assert_str_eq(conn_error_word(&e, word, sizeof(word)), "ERR");
	e.str = capitals;
	e.len = 26;
	ck_assert_str_eq(conn_error_word(&e, word, sizeof(word)), "ABCDEFGHIJKLMNO");
	e.len = 0;
	ck_assert_str_eq(conn_error_word(&e, word, sizeof(word)), "");
}
END_TEST

/* The queue is bounded, and keeps what is whole. */
START_TEST(queue)
{
	struct access_cfg cfg = { 0 };
	struct access *a = access_of(&cfg);
	static uint8_t big[100000];
	const struct conn_arg set[] = { { "SET", 3 }, { "x", 1 }, { big, sizeof(big) } };
	struct conn *c;

	redis_start(&r, "");
	c = conn_to(r.uri, a);
	ck_assert_int_eq(ready(c), 0);
	ck_assert_int_eq(conn_command(c, set, 3), 0);
	ck_assert_int_eq(conn_command(c, set, 3), 0);
	ck_assert_int_eq(conn_command(c, set, 3), -ENOBUFS);
	command(c, "STRLEN", "x", NULL, 0);
	reader_reply_free(await(c));
	reader_reply_free(await(c));
	{
		redisReply *reply = await(c);

		ck_assert_int_eq(reply->integer, sizeof(big));
		reader_reply_free(reply);
	}
	conn_free(c);
	access_free(a);
	redis_stop(&r);
}
END_TEST

UNIT_MAIN("conn", logins, certificates, client_certificate, server_name, hostile, bounds,
	error_word, queue)
