/* SPDX-License-Identifier: BSD-3-Clause */
/* Which connections are read as HTTP/1, and when their state goes. How HTTP is read: test_http1, test_pairs. */
#include <stdio.h>

#include "pipeline.h"
#include "unit.h"

#define OK200 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static struct pipeline pl;
static uint64_t now;

/* What the sink was told, a line each: the path, the status, what is cut or not there by direction. */
static char got[1024];

static void on_txn(void *sink, const struct conn_view *v, const struct txn *t)
{
	size_t len, at = strlen(got);
	const char *path = txn_get(t, TXN_TARGET, &len);

	snprintf(got + at, sizeof(got) - at, "%u:%.*s %u %u\n", v->key.port[0], path ? (int)len : 1,
		path ? path : "-", t->status, t->cut | (~t->seen & 3));
}

static const struct sink_ops ops = { .scheme = "test", .txn = on_txn };

/* Connections 0 and 1, and room for the state of one. */
static void start(struct conn *c[2])
{
	struct pipeline_cfg cfg = pipeline_offline_cfg();

	memset(&pl, 0, sizeof(pl));
	got[0] = '\0';
	cfg.flow.max_conns = cfg.tls.max_sessions = 64;
	cfg.http1 = (struct http1_cfg){ .max_conns = 1, .max_exchanges = 4, .max_lines = 1 };
	ck_assert_int_eq(pipeline_init(&pl, &cfg, NULL), 0);
	pl.out = (struct outputs){ .n = 1, .at = { { &ops, NULL } } };
	pipeline_serve(&pl, outputs_wants(&pl.out));
	ck_assert(pl.wants.txns);
	for (int i = 0; i < 2; i++) {
		struct pkt p = { .tcp_flags = TCP_SYN, .addr_len = 4, .ts_ns = 1 };
		struct flow_look look;
		struct conn *old;
		const uint8_t addr[4] = { 192, 0, 2, (uint8_t)i };

		p.src = p.dst = addr;
		p.sport = (uint16_t)(1 + i);
		p.dport = 443;
		flow_look(pl.flow, &p, &look);
		c[i] = flow_get(pl.flow, &p, &look, &old);
		ck_assert_ptr_nonnull(c[i]);
	}
}

static void stop(struct conn *c[2])
{
	web_end(&pl, c[0], true);
	web_end(&pl, c[1], true);
	ck_assert_uint_eq(pl.web.http1.conns.used, 0);
	ck_assert_uint_eq(pl.web.http1.pairs.pool.used, 0);
	pipeline_fini(&pl);
}

static void say(const struct conn *c, enum tls_dir d, const char *s)
{
	struct text t = { .data = (const uint8_t *)s,
		.len = (uint32_t)strlen(s),
		.dir = (uint8_t)d,
		.ts_ns = now += 10 };

	web_text(&pl, c, &t);
}

static void get(const struct conn *c, const char *path)
{
	char request[80];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
	say(c, C2S, request);
}

START_TEST(transactions_when_they_are_over)
{
	struct conn *c[2];

	start(c);
	for (int i = 0; i < 2; i++) { /* the connection's place is used again */
		get(c[0], "/1");
		ck_assert_str_eq(got, "");
		say(c[0], S2C, OK200);
		ck_assert_str_eq(got, "1:/1 200 0\n");
		get(c[0], "/2");
		web_end(&pl, c[0], false);
		ck_assert_str_eq(got, "1:/1 200 0\n1:/2 0 2\n");
		got[0] = '\0';
	}
	ck_assert_uint_eq(pl.count.http_transactions, 4);
	stop(c);
}
END_TEST

START_TEST(a_hole)
{
	struct conn *c[2];

	start(c);
	get(c[0], "/1");
	say(c[0], S2C, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel");
	web_gap(&pl, c[0], S2C);
	ck_assert_str_eq(got, "1:/1 200 2\n");
	get(c[0], "/2");
	say(c[0], S2C, OK200);
	web_gap(&pl, c[1], S2C); /* before any text */
	stop(c);
	ck_assert_str_eq(got, "1:/1 200 2\n1:/2 200 0\n");
}
END_TEST

START_TEST(other_protocols)
{
	struct tls_meta h2 = { .alpn = "h2" }, http = { .alpn = "http/1.1" };
	struct conn *c[2];

	start(c);
	web_tls(&pl, c[0], &h2);
	web_tls(&pl, c[1], &http);
	get(c[0], "/1");
	say(c[1], C2S, "EHLO h\r\n");
	get(c[1], "/2"); /* too late */
	say(c[1], S2C, OK200);
	stop(c);
	ck_assert_str_eq(got, "");
	ck_assert_uint_eq(pl.count.http_transactions, 0);
}
END_TEST

/* One that there was no room for is read from a message that begins later. */
START_TEST(no_room)
{
	struct conn *c[2];

	start(c);
	get(c[0], "/1");
	get(c[1], "/2");
	ck_assert_uint_eq(pl.web.http1.refused, 1);
	web_end(&pl, c[0], true);
	say(c[1], S2C, "content of /2");
	get(c[1], "/3");
	say(c[1], S2C, OK200);
	stop(c);
	ck_assert_str_eq(got, "1:/1 0 2\n2:/3 200 0\n");
}
END_TEST

UNIT_MAIN("web", transactions_when_they_are_over, a_hole, other_protocols, no_room)
