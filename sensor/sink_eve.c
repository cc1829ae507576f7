/* SPDX-License-Identifier: BSD-3-Clause */
/* EVE JSON, a record a line, written as they happen: to a file, or to a UNIX socket. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "cert.h"
#include "out.h"
#include "sink.h"
#include "tls/suite.h"
#include "write/eve.h"

/* Someone may be waiting for the records: none stays in the buffer for longer, in packet time. */
#define FLUSH_NS 1000000000u

struct eve_file {
	uint64_t flushed_ns;
	struct out out;
	struct certs certs;
};

static int open_as(bool socket, const char *arg, void **out)
{
	struct eve_file *e = calloc(1, sizeof(*e));
	int rc;

	if (!e) {
		fprintf(stderr, "cleartap: no memory for the EVE output\n");
		return -ENOMEM;
	}
	rc = socket ? out_dial(&e->out, arg) : out_open(&e->out, arg, O_APPEND);
	if (rc)
		free(e);
	else
		*out = e;
	return rc;
}

static int file_open(const char *arg, uint32_t max_conns, void **out)
{
	return open_as(false, arg, out);
}

static int socket_open(const char *arg, uint32_t max_conns, void **out)
{
	return open_as(true, arg, out);
}

static void done(struct eve_file *e, const struct wr *w, uint64_t ts_ns)
{
	out_done(&e->out, w);
	if (ts_ns - e->flushed_ns < FLUSH_NS)
		return;
	out_flush(&e->out);
	e->flushed_ns = ts_ns;
}

static struct eve facts(const struct conn_view *v)
{
	return (struct eve){
		.conn = v->conn,
		.id = v->id,
		.first_ns = v->first_ns,
		.key = &v->key,
		.client = sink_client(v->conn),
		.ts_ns = v->ts_ns,
		.is_tls = v->is_tls,
		.text_bytes = { v->text_bytes[C2S], v->text_bytes[S2C] },
		.records = v->records[C2S] + v->records[S2C],
		.failed = v->failed[C2S] + v->failed[S2C],
		.reason = v->reason,
	};
}

static void on_tls(void *sink, const struct conn_view *v, const struct tls_meta *m)
{
	struct eve_file *e = sink;
	struct wr w = out_room(&e->out, EVE_MAX);
	const struct suite *s = suite_find(m->suite);
	struct eve f = facts(v);

	eve_tls(&w, &f, m, m->cert_len ? certs_read(&e->certs, m->cert, m->cert_len) : NULL,
		m->server_hello && s ? s->name : NULL);
	done(e, &w, v->ts_ns);
}

static void on_txn(void *sink, const struct conn_view *v, const struct txn *t)
{
	struct eve_file *e = sink;
	struct wr w = out_room(&e->out, EVE_MAX);
	struct eve f = facts(v);

	eve_http(&w, &f, t);
	done(e, &w, v->ts_ns);
}

static void on_anomaly(
	void *sink, const struct conn_view *v, int dir, enum verdict why, uint64_t missing)
{
	struct eve_file *e = sink;
	struct wr w = out_room(&e->out, EVE_MAX);
	struct eve f = facts(v);

	eve_anomaly(&w, &f, dir, why, missing);
	done(e, &w, v->ts_ns);
}

static void on_end(void *sink, const struct conn_view *v, enum conn_end why)
{
	struct eve_file *e = sink;
	struct wr w = out_room(&e->out, EVE_MAX);
	struct eve f = facts(v);

	eve_flow(&w, &f, why);
	done(e, &w, v->ts_ns);
}

static void on_stats(void *sink, uint64_t ts_ns, const struct eve_counter *c, uint32_t n)
{
	struct eve_file *e = sink;
	struct wr w = out_room(&e->out, EVE_MAX);

	eve_stats(&w, ts_ns, c, n);
	done(e, &w, ts_ns);
}

static void on_tick(void *sink)
{
	struct eve_file *e = sink;

	out_tick(&e->out);
}

static void file_meter(void *sink, uint64_t *lost)
{
	struct eve_file *e = sink;

	out_meter(&e->out, lost);
}

static int file_reopen(void *sink)
{
	struct eve_file *e = sink;

	return out_reopen(&e->out, O_APPEND);
}

static int file_close(void *sink)
{
	struct eve_file *e = sink;
	int rc = out_close(&e->out);

	free(e);
	return rc;
}

const struct sink_ops sink_eve = {
	.scheme = "eve",
	.arg = "FILE|-",
	.help = "EVE JSON as Suricata writes it: tls, http, flow, anomaly, stats; appended to",
	.open = file_open,
	.tls = on_tls,
	.prints = true,
	.txn = on_txn,
	.anomaly = on_anomaly,
	.end = on_end,
	.stats = on_stats,
	.tick = on_tick,
	.meter = file_meter,
	.reopen = file_reopen,
	.close = file_close,
};

const struct sink_ops sink_unix = {
	.scheme = "unix",
	.arg = "PATH",
	.help = "the same, to who listens at a UNIX stream socket",
	.open = socket_open,
	.tls = on_tls,
	.prints = true,
	.txn = on_txn,
	.anomaly = on_anomaly,
	.end = on_end,
	.stats = on_stats,
	.tick = on_tick,
	.meter = file_meter,
	.close = file_close,
};
