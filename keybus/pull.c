/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A subscribed connection can do nothing else, so there are two: one listens, the other acknowledges
 * and fetches. Somebody waits for each acknowledgement: they are queued as payloads are installed and
 * sent together, and what Redis says to them is counted in the order it was asked.
 */
#include "keybus/pull.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keybus/conn.h"
#include "keybus/schema.h"

#define BATCH 64       /* payloads between two sendings */
#define ASKED_MAX 4096 /* commands that are not answered yet */
#define RETRY_FIRST_NS 100000000ull
#define RETRY_LAST_NS 5000000000ull
#define PING_NS 2000000000ull     /* a connection that says nothing is asked */
#define SILENCE_NS 10000000000ull /* and given up */

/* What a reply on the second connection answers. */
enum asked { ASKED_ACK, ASKED_EXPIRE, ASKED_GET, ASKED_PING };

struct line {
	struct conn *conn;
	bool ready;
	uint64_t retry_ns; /* not before */
	uint64_t wait_ns;  /* the next back-off */
	uint64_t heard_ns;
	uint64_t pinged_ns;
};

struct pull {
	struct pull_cfg cfg;
	struct pull_counts counts;
	struct line sub, cmd;
	bool subscribed;
	char trouble[64];
	uint32_t head, tail; /* of asked */
	uint8_t asked[ASKED_MAX];
};

static void count(uint64_t *n, uint64_t more)
{
	__atomic_store_n(n, *n + more, __ATOMIC_RELAXED);
}

int pull_new(struct pull **out, const struct pull_cfg *cfg, char *why, size_t why_size)
{
	struct pull *p = calloc(1, sizeof(*p));
	int rc;

	*out = NULL;
	if (!p)
		return -ENOMEM;
	p->cfg = *cfg;
	rc = conn_new(&p->sub.conn, cfg->uri, cfg->access, why, why_size);
	if (!rc)
		rc = conn_new(&p->cmd.conn, cfg->uri, cfg->access, why, why_size);
	if (rc)
		pull_free(p);
	else
		*out = p;
	return rc;
}

void pull_free(struct pull *p)
{
	if (!p)
		return;
	conn_free(p->sub.conn);
	conn_free(p->cmd.conn);
	free(p);
}

static struct conn_arg word(const char *s)
{
	return (struct conn_arg){ s, strlen(s) };
}

/* @return false: there is no room, or no connection. */
static bool ask(struct pull *p, enum asked what, const struct conn_arg *argv, int argc)
{
	if (!p->cmd.ready || p->tail - p->head == ASKED_MAX ||
		conn_command(p->cmd.conn, argv, argc))
		return false;
	p->asked[p->tail++ % ASKED_MAX] = (uint8_t)what;
	return true;
}

static void lose(struct pull *p, struct line *l, int rc)
{
	const char *word = conn_refusal(l->conn);

	if (rc != -EPERM) /* else it has been said */
		snprintf(p->trouble, sizeof(p->trouble), "%s", *word ? word : strerror(-rc));
	conn_close(l->conn);
	l->ready = false;
	l->wait_ns = l->wait_ns ? l->wait_ns * 2 : RETRY_FIRST_NS;
	if (l->wait_ns > RETRY_LAST_NS)
		l->wait_ns = RETRY_LAST_NS;
	l->retry_ns = conn_now_ns() + l->wait_ns;
	count(&p->counts.losses, 1);
	if (l == &p->cmd)
		p->head = p->tail = 0;
	else
		p->subscribed = false;
}

/* @return true once, when the connection has become ready. */
static bool connect_line(struct pull *p, struct line *l, uint64_t now)
{
	int rc = 0;

	if (!conn_is_open(l->conn)) {
		if (now < l->retry_ns)
			return false;
		l->heard_ns = now;
		rc = conn_open(l->conn);
	}
	if (!rc)
		rc = conn_work(l->conn);
	if (!rc) {
		l->ready = true;
		l->heard_ns = l->pinged_ns = now;
		return true;
	}
	if (rc != -EAGAIN)
		lose(p, l, rc);
	else if (now - l->heard_ns > SILENCE_NS)
		lose(p, l, -ETIMEDOUT);
	return false;
}

/* A list that is pushed to without an expiry would stay. */
static void acknowledge(struct pull *p, const uint8_t client_random[32])
{
	struct schema_key key = schema_key(SCHEMA_ACK, client_random, p->cfg.uri->cluster);
	const struct conn_arg push[] = { word("LPUSH"), word(key.text), word(p->cfg.id) };
	const struct conn_arg expire[] = { word("PEXPIRE"), word(key.text), word(SCHEMA_ACK_MS) };

	if (!ask(p, ASKED_ACK, push, 3)) {
		count(&p->counts.unsaid, 1);
	} else if (!ask(p, ASKED_EXPIRE, expire, 3)) {
		count(&p->counts.unsaid, 1);
		lose(p, &p->cmd, -ENOBUFS);
	} else {
		count(&p->counts.acknowledged, 1);
	}
}

/* ["message", channel, payload]; also the answers to SUBSCRIBE and PING. @return 0 or -EPERM. */
static int on_message(struct pull *p, const redisReply *r)
{
	uint8_t client_random[32];
	const redisReply *payload;

	if (r->type == REDIS_REPLY_ERROR) {
		conn_error_word(r, p->trouble, sizeof(p->trouble));
		count(&p->counts.refused, 1);
		return -EPERM;
	}
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 3 ||
		r->element[0]->type != REDIS_REPLY_STRING)
		return 0;
	if (!strcmp(r->element[0]->str, "subscribe")) {
		p->subscribed = true;
		p->sub.wait_ns = 0;
		*p->trouble = '\0';
	}
	payload = r->element[2];
	if (strcmp(r->element[0]->str, "message") != 0 || payload->type != REDIS_REPLY_STRING)
		return 0;
	count(&p->counts.announced, 1);
	if (payload->len <= SCHEMA_PAYLOAD_MAX &&
		p->cfg.on_payload(p->cfg.arg, payload->str, payload->len, client_random))
		acknowledge(p, client_random);
	return 0;
}

static void on_answer(struct pull *p, const redisReply *r)
{
	enum asked what = p->asked[p->head++ % ASKED_MAX];
	uint8_t client_random[32];

	p->cmd.wait_ns = 0;
	if (r->type == REDIS_REPLY_ERROR)
		count(&p->counts.refused, 1);
	if (what != ASKED_GET || r->type != REDIS_REPLY_STRING)
		return;
	count(&p->counts.fetched, 1);
	if (r->len <= SCHEMA_PAYLOAD_MAX)
		p->cfg.on_payload(p->cfg.arg, r->str, r->len, client_random);
}

/* @return 0: a batch was read, there may be more; -EAGAIN; or the line is lost. */
static int listen_line(struct pull *p, struct line *l, uint64_t now)
{
	redisReply *r;
	int rc = 0;

	for (int i = 0; i < BATCH && !rc; i++) {
		rc = conn_reply(l->conn, &r);
		if (rc)
			break;
		l->heard_ns = now;
		if (l == &p->sub)
			rc = on_message(p, r);
		else if (p->head != p->tail)
			on_answer(p, r);
		else
			rc = -EBADMSG; /* an answer that nobody asked for */
		conn_reply_free(r);
	}
	if (rc && rc != -EAGAIN)
		lose(p, l, rc);
	return rc;
}

static void keep_alive(struct pull *p, struct line *l, uint64_t now)
{
	const struct conn_arg ping[] = { word("PING") };

	if (now - l->heard_ns > SILENCE_NS) {
		lose(p, l, -ETIMEDOUT);
		return;
	}
	if (now - l->heard_ns < PING_NS || now - l->pinged_ns < PING_NS)
		return;
	l->pinged_ns = now;
	if (l == &p->cmd)
		ask(p, ASKED_PING, ping, 1);
	else
		conn_command(l->conn, ping, 1);
}

static void flush_line(struct pull *p, struct line *l)
{
	int rc = l->ready ? conn_work(l->conn) : 0;

	if (rc && rc != -EAGAIN)
		lose(p, l, rc);
}

static void subscribe(struct pull *p)
{
	const struct conn_arg argv[] = { word("SUBSCRIBE"), word(SCHEMA_CHANNEL) };

	conn_command(p->sub.conn, argv, 2);
}

/* The connection for acknowledgements first: who hears is expected to answer. */
void pull_work(struct pull *p)
{
	uint64_t now = conn_now_ns();
	int more = 0;

	if (!p->cmd.ready)
		connect_line(p, &p->cmd, now);
	if (!p->sub.ready && p->cmd.ready && connect_line(p, &p->sub, now))
		subscribe(p);
	for (int i = 0; i < BATCH && !more; i++) {
		more = p->sub.ready ? listen_line(p, &p->sub, now) : -EAGAIN;
		flush_line(p, &p->cmd);
	}
	while (p->cmd.ready && !listen_line(p, &p->cmd, now))
		;
	if (p->sub.ready)
		keep_alive(p, &p->sub, now);
	if (p->cmd.ready)
		keep_alive(p, &p->cmd, now);
	flush_line(p, &p->sub);
	flush_line(p, &p->cmd);
}

void pull_fds(const struct pull *p, struct pollfd fds[PULL_FDS])
{
	fds[0] = fds[1] = (struct pollfd){ .fd = -1 };
	if (conn_is_open(p->sub.conn))
		conn_poll(p->sub.conn, &fds[0]);
	if (conn_is_open(p->cmd.conn))
		conn_poll(p->cmd.conn, &fds[1]);
}

bool pull_want(struct pull *p, const uint8_t client_random[32])
{
	struct schema_key key = schema_key(SCHEMA_PAYLOAD, client_random, p->cfg.uri->cluster);
	const struct conn_arg argv[] = { word("GET"), word(key.text) };

	if (!ask(p, ASKED_GET, argv, 2))
		return false;
	count(&p->counts.asked, 1);
	return true;
}

bool pull_is_subscribed(const struct pull *p)
{
	return p->subscribed;
}

const char *pull_trouble(const struct pull *p)
{
	return p->trouble;
}

const struct pull_counts *pull_counts(const struct pull *p)
{
	return &p->counts;
}
