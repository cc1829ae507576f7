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

#include "keybus/cluster.h"
#include "keybus/conn.h"
#include "keybus/schema.h"

#define PAGE "256"     /* names that SCAN looks at in a row */
#define BATCH 64       /* payloads between two sendings */
#define ASKED_MAX 4096 /* commands that are not answered yet */
#define RETRY_FIRST_NS 100000000ull
#define RETRY_LAST_NS 5000000000ull
#define PING_NS 2000000000ull     /* a connection that says nothing is asked */
#define SILENCE_NS 10000000000ull /* and given up */

/* What a reply answers. */
enum asked {
	ASKED_ACK,
	ASKED_EXPIRE,
	ASKED_GET,
	ASKED_PING,
	ASKED_ASKING,
	ASKED_SLOTS,
	ASKED_SCAN
};

struct question {
	uint8_t what; /* enum asked */
	uint8_t hops; /* redirections it has been through */
	uint8_t client_random[32];
};

struct line {
	struct conn *conn; /* NULL: not needed yet */
	bool ready;
	uint64_t retry_ns; /* not before */
	uint64_t wait_ns;  /* the next back-off */
	uint64_t heard_ns;
	uint64_t pinged_ns;
	uint32_t head, tail; /* of asked */
	struct question *asked;
};

struct pull {
	struct pull_cfg cfg;
	struct pull_counts counts;
	struct uri uri[URI_MAX];
	struct cluster *cluster; /* NULL: one server */
	bool doubtful;           /* its map may be out of date */
	int sub_node;            /* which one is subscribed at */
	bool subscribed;
	char trouble[64];
	struct line sub;
	int n;
	struct line cmd[CLUSTER_NODES]; /* by node */
};

static void count(uint64_t *n, uint64_t more)
{
	__atomic_store_n(n, *n + more, __ATOMIC_RELAXED);
}

static const struct uri *uri_of(const struct pull *p, int node)
{
	return p->cluster ? &p->cluster->node[node] : &p->uri[node];
}

/* The line to a node, perhaps a new one. @return NULL: no memory. */
static struct line *line_to(struct pull *p, int node)
{
	for (; p->n <= node; p->n++) {
		struct line *l = &p->cmd[p->n];

		l->asked = calloc(ASKED_MAX, sizeof(*l->asked));
		l->conn = l->asked ? conn_new(uri_of(p, p->n), p->cfg.access) : NULL;
		if (!l->conn) {
			free(l->asked);
			*l = (struct line){ 0 };
			return NULL;
		}
	}
	return &p->cmd[node];
}

static bool open_lines(struct pull *p)
{
	if (p->uri[0].cluster) {
		p->cluster = calloc(1, sizeof(*p->cluster));
		if (!p->cluster)
			return false;
		cluster_init(p->cluster, p->uri, p->cfg.n_uri);
	}
	p->sub.conn = conn_new(&p->uri[0], p->cfg.access);
	return p->sub.conn && line_to(p, p->cfg.n_uri - 1);
}

struct pull *pull_new(const struct pull_cfg *cfg)
{
	struct pull *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->cfg = *cfg;
	memcpy(p->uri, cfg->uri, (size_t)cfg->n_uri * sizeof(*cfg->uri));
	if (open_lines(p))
		return p;
	pull_free(p);
	return NULL;
}

void pull_free(struct pull *p)
{
	if (!p)
		return;
	conn_free(p->sub.conn);
	for (int i = 0; i < p->n; i++) {
		conn_free(p->cmd[i].conn);
		free(p->cmd[i].asked);
	}
	free(p->cluster);
	free(p);
}

static struct conn_arg word(const char *s)
{
	return (struct conn_arg){ s, strlen(s) };
}

/* @return false: there is no room, or no connection. */
static bool ask(struct line *l, const struct question *q, const struct conn_arg *argv, int argc)
{
	if (!l || !l->ready || l->tail - l->head == ASKED_MAX || conn_command(l->conn, argv, argc))
		return false;
	l->asked[l->tail++ % ASKED_MAX] = *q;
	return true;
}

/* A subscription can be had at any node of a cluster: at the next one, then. */
static void move_subscription(struct pull *p)
{
	int node = (p->sub_node + 1) % p->cluster->n;
	struct conn *c = conn_new(uri_of(p, node), p->cfg.access);

	p->sub_node = node;
	if (!c)
		return;
	conn_free(p->sub.conn);
	p->sub.conn = c;
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
	l->head = l->tail = 0;
	count(&p->counts.losses, 1);
	p->doubtful = true;
	if (l != &p->sub)
		return;
	p->subscribed = false;
	if (p->cluster)
		move_subscription(p);
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

/* Where the keys of a connection are. */
static struct line *line_of(struct pull *p, const uint8_t client_random[32])
{
	int node = p->cluster ? cluster_owner(p->cluster, cluster_slot(client_random)) : 0;

	return node < p->n ? &p->cmd[node] : NULL;
}

static bool ask_asking(struct line *l, bool asking)
{
	const struct question q = { .what = ASKED_ASKING };
	const struct conn_arg argv[] = { word("ASKING") };

	return !asking || ask(l, &q, argv, 1);
}

/* A list that is pushed to without an expiry would stay. */
static void acknowledge(struct pull *p, struct line *l, struct question q, bool asking)
{
	struct schema_key key = schema_key(SCHEMA_ACK, q.client_random, p->cluster != NULL);
	const struct conn_arg push[] = { word("LPUSH"), word(key.text), word(p->cfg.id) };
	const struct conn_arg expire[] = { word("PEXPIRE"), word(key.text), word(SCHEMA_ACK_MS) };

	q.what = ASKED_ACK;
	if (!ask_asking(l, asking) || !ask(l, &q, push, 3)) {
		count(&p->counts.unsaid, 1);
		return;
	}
	q.what = ASKED_EXPIRE;
	if (ask_asking(l, asking) && ask(l, &q, expire, 3)) {
		count(&p->counts.acknowledged, !q.hops);
	} else {
		count(&p->counts.unsaid, 1);
		lose(p, l, -ENOBUFS);
	}
}

static bool fetch(struct pull *p, struct line *l, struct question q, bool asking)
{
	struct schema_key key = schema_key(SCHEMA_PAYLOAD, q.client_random, p->cluster != NULL);
	const struct conn_arg argv[] = { word("GET"), word(key.text) };

	q.what = ASKED_GET;
	return ask_asking(l, asking) && ask(l, &q, argv, 2);
}

/* ["message", channel, payload]; also the answers to SUBSCRIBE and PING. @return 0 or -EPERM. */
static int on_message(struct pull *p, const redisReply *r)
{
	const redisReply *payload;
	struct question q = { 0 };

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
		p->cfg.on_payload(p->cfg.arg, payload->str, payload->len, q.client_random))
		acknowledge(p, line_of(p, q.client_random), q, false);
	return 0;
}

/* The node that was asked does not have the slot, or not any more. @return false: it said no. */
static bool redirect(struct pull *p, int node, struct question q, const redisReply *r)
{
	struct cluster_redirect to;
	struct line *l;

	if (!p->cluster || q.hops == CLUSTER_HOPS || !cluster_follow(p->cluster, r, node, &to))
		return false;
	p->doubtful |= !to.ask;
	l = line_to(p, to.node);
	q.hops++;
	if (q.what == ASKED_ACK) /* with its expiry, whose own redirection is then passed over */
		acknowledge(p, l, q, to.ask);
	else if (q.what == ASKED_GET)
		fetch(p, l, q, to.ask);
	return true;
}

/*
 * Connections may be older than this sensor, or than its way to Redis: all that Redis still holds is
 * fetched once, page by page. A page is asked for when the one before it has come.
 */
static void recall(struct line *l, const char *cursor)
{
	const struct question q = { .what = ASKED_SCAN };
	const struct conn_arg argv[] = { word("SCAN"), word(cursor), word("MATCH"),
		word(SCHEMA_PAYLOADS), word("COUNT"), word(PAGE) };

	ask(l, &q, argv, 6);
}

static void on_page(struct pull *p, struct line *l, const redisReply *r)
{
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 ||
		r->element[0]->type != REDIS_REPLY_STRING ||
		r->element[1]->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i < r->element[1]->elements; i++) {
		const redisReply *name = r->element[1]->element[i];
		struct question q = { 0 };

		if (name->type == REDIS_REPLY_STRING &&
			schema_random(name->str, name->len, q.client_random) &&
			fetch(p, l, q, false))
			count(&p->counts.asked, 1);
	}
	if (strcmp(r->element[0]->str, "0") != 0 && r->element[0]->len < 24)
		recall(l, r->element[0]->str);
}

static void on_answer(struct pull *p, int node, const redisReply *r)
{
	struct line *l = &p->cmd[node];
	struct question q = l->asked[l->head++ % ASKED_MAX];
	uint8_t client_random[32];

	l->wait_ns = 0;
	if (r->type == REDIS_REPLY_ERROR && !redirect(p, node, q, r)) {
		conn_error_word(r, p->trouble, sizeof(p->trouble));
		count(&p->counts.refused, 1);
	}
	if (q.what == ASKED_SLOTS && cluster_load(p->cluster, r, node))
		p->doubtful = false;
	if (q.what == ASKED_SCAN)
		on_page(p, l, r);
	if (q.what != ASKED_GET || r->type != REDIS_REPLY_STRING)
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
		else if (l->head != l->tail)
			on_answer(p, (int)(l - p->cmd), r);
		else
			rc = -EBADMSG; /* an answer that nobody asked for */
		reader_reply_free(r);
	}
	if (rc && rc != -EAGAIN)
		lose(p, l, rc);
	return rc;
}

static void keep_alive(struct pull *p, struct line *l, uint64_t now)
{
	const struct question q = { .what = ASKED_PING };
	const struct conn_arg ping[] = { word("PING") };

	if (now - l->heard_ns > SILENCE_NS) {
		lose(p, l, -ETIMEDOUT);
		return;
	}
	if (now - l->heard_ns < PING_NS || now - l->pinged_ns < PING_NS)
		return;
	l->pinged_ns = now;
	if (l != &p->sub)
		ask(l, &q, ping, 1);
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

/* @return whether acknowledgements can be given, as who hears is expected to. */
static bool connect_lines(struct pull *p, uint64_t now)
{
	const struct question q = { .what = ASKED_SLOTS };
	const struct conn_arg argv[] = { word("CLUSTER"), word("SLOTS") };
	struct line *ready = NULL;

	if (p->cluster && p->cluster->loaded)
		line_to(p, p->cluster->n - 1);
	for (int i = 0; i < p->n; i++) {
		if (!p->cmd[i].ready && connect_line(p, &p->cmd[i], now))
			recall(&p->cmd[i], "0");
		if (p->cmd[i].ready)
			ready = &p->cmd[i];
	}
	if (ready && p->cluster && cluster_wants_map(p->cluster, now, p->doubtful))
		ask(ready, &q, argv, 2);
	return ready && (!p->cluster || p->cluster->loaded);
}

static void flush_all(struct pull *p)
{
	for (int i = 0; i < p->n; i++)
		flush_line(p, &p->cmd[i]);
}

void pull_work(struct pull *p)
{
	uint64_t now = conn_now_ns();
	int more = 0;

	if (connect_lines(p, now) && !p->sub.ready && connect_line(p, &p->sub, now))
		subscribe(p);
	for (int i = 0; i < BATCH && !more; i++) {
		more = p->sub.ready ? listen_line(p, &p->sub, now) : -EAGAIN;
		flush_all(p);
	}
	for (int i = 0; i < p->n; i++) {
		while (p->cmd[i].ready && !listen_line(p, &p->cmd[i], now))
			;
		if (p->cmd[i].ready)
			keep_alive(p, &p->cmd[i], now);
	}
	if (p->sub.ready)
		keep_alive(p, &p->sub, now);
	flush_line(p, &p->sub);
	flush_all(p);
}

/*
 * What Redis says to an acknowledgement can wait until the next payload comes: to wake for it would take
 * the CPU from the server that is waiting for the same acknowledgement. Nodes of a cluster may answer that
 * another has it.
 */
static bool can_wait(const struct pull *p, const struct line *l)
{
	if (p->cluster || !l->ready || l->tail - l->head >= BATCH || !conn_is_flushed(l->conn))
		return false;
	for (uint32_t i = l->head; i != l->tail; i++) {
		uint8_t what = l->asked[i % ASKED_MAX].what;

		if (what != ASKED_ACK && what != ASKED_EXPIRE)
			return false;
	}
	return true;
}

int pull_fds(const struct pull *p, struct pollfd *fds, int max)
{
	int n = 0;

	if (n < max && conn_is_open(p->sub.conn))
		conn_poll(p->sub.conn, &fds[n++]);
	for (int i = 0; i < p->n && n < max; i++)
		if (conn_is_open(p->cmd[i].conn) && !can_wait(p, &p->cmd[i]))
			conn_poll(p->cmd[i].conn, &fds[n++]);
	return n;
}

bool pull_want(struct pull *p, const uint8_t client_random[32])
{
	struct question q = { 0 };

	memcpy(q.client_random, client_random, sizeof(q.client_random));
	if (!fetch(p, line_of(p, client_random), q, false))
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
