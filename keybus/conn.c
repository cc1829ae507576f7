/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection is up when it has logged in; until then nothing else is sent. Everything goes on from
 * where it stood when the socket had nothing more to give or to take.
 */
#include "keybus/conn.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keybus/lookup.h"
#include "keybus/reader.h"
#include "keybus/stream.h"

#define ARGS_MAX 8

enum state { CLOSED, FINDING, CONNECTING, LOGIN, OPEN };

struct conn {
	struct uri uri;
	const struct access *access;
	bool named;            /* its addresses are looked up */
	bool used;             /* and have been connected to since */
	struct lookup *lookup; /* under way, or answered; NULL: none */
	struct stream_peer peer;
	struct stream stream;
	enum state state;
	int logins; /* replies to AUTH and SELECT that are to come */
	int tries;  /* addresses that may still be tried */
	struct reader *reader;
	char refusal[64];
	size_t sent; /* of the queue */
	size_t queued;
	uint8_t queue[CONN_QUEUE_MAX];
};

uint64_t conn_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct conn *conn_new(const struct uri *u, const struct access *a)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->uri = *u;
	c->access = a;
	c->stream.fd = -1;
	c->named = !lookup_direct(&c->peer, u);
	if (c->named)
		c->lookup = lookup_new(u);
	return c;
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	conn_close(c);
	lookup_free(c->lookup);
	free(c);
}

/* @return as lookup_get(); what is known stays known if nothing better comes. */
static int take_answer(struct conn *c)
{
	struct lookup *l = c->lookup;
	struct stream_peer found;
	int rc = l ? lookup_get(l, &found) : -EHOSTUNREACH;

	if (rc == -EAGAIN)
		return rc;
	c->lookup = NULL;
	lookup_free(l);
	if (rc)
		return rc;
	c->peer = found;
	c->used = false;
	*c->refusal = '\0';
	return 0;
}

void conn_find(struct conn *c, uint64_t deadline_ns)
{
	if (c->lookup && (!deadline_ns || lookup_wait(c->lookup, deadline_ns)))
		take_answer(c);
}

void conn_close(struct conn *c)
{
	stream_close(&c->stream);
	reader_free(c->reader);
	c->reader = NULL;
	OPENSSL_cleanse(c->queue, c->queued);
	c->queued = c->sent = 0;
	c->state = CLOSED;
}

/* What fails at once is not worth a back-off: the next address may do. */
static int open_next(struct conn *c, int rc)
{
	while (rc && rc != -EAGAIN && c->tries) {
		c->tries--;
		stream_close(&c->stream);
		rc = stream_open(&c->stream, &c->uri, &c->peer, c->access);
		if (!rc)
			rc = stream_step(&c->stream);
	}
	return rc;
}

/* @return 0: connecting; or -errno. */
static int dial(struct conn *c)
{
	int rc;

	c->used = true;
	c->tries = c->peer.n;
	c->state = CONNECTING;
	rc = open_next(c, -EHOSTUNREACH);
	return rc == -EAGAIN ? 0 : rc;
}

/* @return 0: there are addresses; -EAGAIN: not yet. */
static int find(struct conn *c)
{
	conn_find(c, 0);
	if (c->named && !c->lookup && (c->used || !c->peer.n))
		c->lookup = lookup_new(&c->uri);
	*c->refusal = '\0';
	if (c->peer.n)
		return 0;
	snprintf(c->refusal, sizeof(c->refusal), "its name is not found");
	c->state = FINDING;
	return -EAGAIN;
}

int conn_open(struct conn *c)
{
	int rc;

	if (c->state != CLOSED)
		return 0;
	c->reader = reader_new();
	rc = c->reader ? find(c) : -ENOMEM;
	if (!rc)
		rc = dial(c);
	if (!rc || rc == -EAGAIN)
		return 0;
	conn_close(c);
	return rc;
}

void conn_forget(struct conn *c)
{
	stream_forget(&c->stream);
	c->reader = NULL;
	c->lookup = NULL; /* it may be in the middle of being let go, and this half an answer: */
	if (c->named)
		c->peer.n = 0;
	conn_close(c);
}

bool conn_is_ours(const struct conn *c)
{
	return c->state == FINDING || stream_is_ours(&c->stream);
}

bool conn_is_open(const struct conn *c)
{
	return c->state != CLOSED;
}

bool conn_is_flushed(const struct conn *c)
{
	return c->sent == c->queued;
}

static struct conn_arg text(const char *s)
{
	return (struct conn_arg){ s, strlen(s) };
}

static int queue_login(struct conn *c)
{
	const struct access *a = c->access;
	char db[4];
	int rc = 0;

	snprintf(db, sizeof(db), "%u", c->uri.db);
	c->logins = 0;
	if (*c->uri.user) {
		rc = conn_command(c,
			(struct conn_arg[]){ text("AUTH"), text(c->uri.user), text(a->password) },
			3);
		c->logins++;
	} else if (a->has_password) {
		rc = conn_command(c, (struct conn_arg[]){ text("AUTH"), text(a->password) }, 2);
		c->logins++;
	}
	if (!rc && c->uri.db) {
		rc = conn_command(c, (struct conn_arg[]){ text("SELECT"), text(db) }, 2);
		c->logins++;
	}
	return rc;
}

static int flush(struct conn *c)
{
	while (c->sent < c->queued) {
		ssize_t n = stream_write(&c->stream, c->queue + c->sent, c->queued - c->sent);

		if (n < 0)
			return (int)n;
		c->sent += (size_t)n;
	}
	OPENSSL_cleanse(c->queue, c->queued);
	c->queued = c->sent = 0;
	return 0;
}

/* One more piece of what came. */
static int fill(struct conn *c)
{
	char buf[READER_FEED_MAX];
	ssize_t n = stream_read(&c->stream, buf, sizeof(buf));
	int rc;

	if (n < 0)
		return (int)n;
	rc = reader_feed(c->reader, buf, (size_t)n);
	OPENSSL_cleanse(buf, (size_t)n);
	return rc;
}

/* @return as conn_reply(), but nothing is closed. */
static int next_reply(struct conn *c, redisReply **out)
{
	int rc;

	do
		rc = reader_next(c->reader, out);
	while (!rc && !*out && !(rc = fill(c)));
	return rc;
}

static int finish_login(struct conn *c)
{
	while (c->logins) {
		redisReply *r;
		int rc = next_reply(c, &r);

		if (rc)
			return rc;
		if (r->type == REDIS_REPLY_ERROR) {
			conn_error_word(r, c->refusal, sizeof(c->refusal));
			rc = -EACCES;
		}
		reader_reply_free(r);
		if (rc)
			return rc;
		c->logins--;
	}
	c->state = OPEN;
	return 0;
}

static int work(struct conn *c)
{
	int rc = 0;

	if (c->state == FINDING) {
		rc = take_answer(c);
		if (!rc)
			rc = dial(c);
	}
	if (!rc && c->state == CONNECTING) {
		rc = open_next(c, stream_step(&c->stream));
		if (!rc)
			rc = queue_login(c);
		if (!rc)
			c->state = LOGIN;
	}
	if (!rc)
		rc = flush(c);
	if (!rc && c->state == LOGIN)
		rc = finish_login(c);
	return rc;
}

int conn_work(struct conn *c)
{
	int rc = c->state == CLOSED ? -ENOTCONN : work(c);

	if (rc && rc != -EAGAIN)
		conn_close(c);
	return rc;
}

void conn_poll(const struct conn *c, struct pollfd *p)
{
	p->fd = c->stream.fd;
	p->events = (short)(c->stream.wants | (c->state == OPEN ? POLLIN : 0) |
		(conn_is_flushed(c) ? 0 : POLLOUT));
}

/* @return 0: look again; -ETIMEDOUT. */
static int wait_for(const struct conn *c, uint64_t deadline_ns)
{
	uint64_t now = conn_now_ns(), left;
	struct pollfd p = { 0 };
	struct timespec t;
	int n;

	if (now >= deadline_ns)
		return -ETIMEDOUT;
	if (c->state == FINDING)
		return lookup_wait(c->lookup, deadline_ns) ? 0 : -ETIMEDOUT;
	left = deadline_ns - now;
	t = (struct timespec){ (time_t)(left / 1000000000), (long)(left % 1000000000) };
	conn_poll(c, &p);
	n = ppoll(&p, 1, &t, NULL);
	return n > 0 || (n < 0 && errno == EINTR) ? 0 : -ETIMEDOUT;
}

int conn_ready(struct conn *c, uint64_t deadline_ns)
{
	for (;;) {
		int rc = conn_work(c);

		if (rc == -EAGAIN)
			rc = wait_for(c, deadline_ns);
		else
			return rc;
		if (rc)
			return rc;
	}
}

size_t conn_room(const struct conn *c)
{
	return sizeof(c->queue) - c->queued;
}

int conn_command(struct conn *c, const struct conn_arg *argv, int argc)
{
	const char *data[ARGS_MAX];
	size_t len[ARGS_MAX];
	char *command = NULL;
	int n;

	for (int i = 0; i < argc; i++) {
		data[i] = argv[i].data;
		len[i] = argv[i].len;
	}
	n = (int)redisFormatCommandArgv(&command, argc, data, len);
	if (n < 0)
		return -ENOMEM;
	if ((size_t)n <= sizeof(c->queue) - c->queued) {
		memcpy(c->queue + c->queued, command, (size_t)n);
		c->queued += (size_t)n;
	} else {
		argc = 0;
	}
	OPENSSL_cleanse(command, (size_t)n);
	redisFreeCommand(command);
	return argc ? 0 : -ENOBUFS;
}

int conn_reply(struct conn *c, redisReply **out)
{
	int rc = c->state == OPEN ? next_reply(c, out) : conn_work(c);

	if (c->state != OPEN)
		return rc ? rc : -EAGAIN;
	if (rc && rc != -EAGAIN)
		conn_close(c);
	return rc;
}

int conn_await(struct conn *c, redisReply **out, uint64_t deadline_ns)
{
	for (;;) {
		int rc = conn_work(c);

		if (!rc)
			rc = conn_reply(c, out);
		if (rc == -EAGAIN)
			rc = wait_for(c, deadline_ns);
		else
			return rc;
		if (rc)
			return rc;
	}
}

const char *conn_refusal(const struct conn *c)
{
	return c->refusal;
}

const struct uri *conn_uri(const struct conn *c)
{
	return &c->uri;
}

const char *conn_error_word(const redisReply *r, char *out, size_t size)
{
	size_t n = 0;

	while (r->str && n + 1 < size && n < r->len && r->str[n] >= 'A' && r->str[n] <= 'Z') {
		out[n] = r->str[n];
		n++;
	}
	out[n] = '\0';
	return out;
}
