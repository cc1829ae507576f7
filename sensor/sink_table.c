/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a person wants to see after a run: a line for each TLS connection, and why it was not read
 * if it was not. Rows are small and their number is bounded; what is beyond is summed up.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "out.h"
#include "sink.h"
#include "tls/suite.h"
#include "write/eve.h"

#define ROWS_MAX 100000
#define NAME_SHOWN 40 /* longest host or protocol name shown whole */

struct row {
	uint64_t id; /* of the connection: in order of first packet */
	uint64_t bytes[2];
	struct flow_key key;
	char *names; /* SNI, 0, ALPN, 0; NULL: both empty */
	uint16_t version;
	uint16_t suite;
	uint8_t client;
	uint8_t reason;
	bool decrypted; /* any record */
	bool failed;    /* any record */
};

struct table {
	struct row *rows;
	char **names; /* of connections that are not over, by conn_view.index */
	uint32_t n;
	uint32_t cap;
	uint64_t conns;
	uint64_t decrypted;
	uint64_t bytes[2];
	uint64_t reasons[V_COUNT]; /* connections of which nothing was read */
	struct out out;
};

enum col { CONNECTION, SNI, VERSION, SUITE, ALPN, TO_SERVER, TO_CLIENT, RESULT, COLS };

#define CELL 192
static const char *const heads[COLS] = { "CONNECTION", "SNI", "VERSION", "CIPHER SUITE", "ALPN",
	"C2S", "S2C", "RESULT" };

static int table_open(const char *arg, uint32_t max_conns, void **out)
{
	struct table *t = calloc(1, sizeof(*t));
	int rc;

	if (t)
		t->names = calloc(max_conns, sizeof(char *));
	if (!t || !t->names) {
		fprintf(stderr, "cleartap: no memory for the table of connections\n");
		free(t);
		return -ENOMEM;
	}
	rc = out_open(&t->out, arg, O_TRUNC);
	if (rc) {
		free(t->names);
		free(t);
		return rc;
	}
	*out = t;
	return 0;
}

/* @return room for one more row, or NULL: it is only counted then. */
static struct row *row_new(struct table *t)
{
	uint32_t cap = t->cap ? 2 * t->cap : 64;
	struct row *rows;

	if (t->n == ROWS_MAX)
		return NULL;
	if (t->n == t->cap) {
		rows = realloc(t->rows, cap * sizeof(*rows));
		if (!rows)
			return NULL;
		t->rows = rows;
		t->cap = cap;
	}
	return &t->rows[t->n++];
}

/* The handshake is forgotten before the connection ends: its names are kept here. */
static void table_tls(void *sink, const struct conn_view *v, const struct tls_meta *m)
{
	size_t sni = strlen(m->sni) + 1, alpn = strlen(m->alpn) + 1;
	char *s = sni + alpn > 2 ? malloc(sni + alpn) : NULL;
	struct table *t = sink;

	if (s) {
		memcpy(s, m->sni, sni);
		memcpy(s + sni, m->alpn, alpn);
	}
	free(t->names[v->index]);
	t->names[v->index] = s;
}

static char *take_names(struct table *t, uint32_t index)
{
	char *s = t->names[index];

	t->names[index] = NULL;
	return s;
}

static void table_end(void *sink, const struct conn_view *v, enum conn_end why)
{
	bool decrypted = v->records[C2S] + v->records[S2C] > 0;
	struct table *t = sink;
	char *names = take_names(t, v->index);
	struct row *r;

	if (!v->is_tls) {
		free(names);
		return;
	}
	t->conns++;
	t->decrypted += decrypted;
	t->bytes[C2S] += v->text_bytes[C2S];
	t->bytes[S2C] += v->text_bytes[S2C];
	if (!decrypted)
		t->reasons[v->reason]++;
	r = row_new(t);
	if (!r) {
		free(names);
		return;
	}
	*r = (struct row){
		.id = v->id,
		.bytes = { v->text_bytes[C2S], v->text_bytes[S2C] },
		.key = v->key,
		.names = names,
		.version = v->version,
		.suite = v->suite,
		.client = (uint8_t)sink_client(v->conn),
		.reason = (uint8_t)v->reason,
		.decrypted = decrypted,
		.failed = v->failed[C2S] + v->failed[S2C] > 0,
	};
}

/* A stranger's string on a terminal: nothing but printable ASCII, and not longer than is useful. */
static void show(char *out, const char *s)
{
	size_t n = 0;

	for (; *s && n < NAME_SHOWN; s++) {
		if (*s >= ' ' && *s <= '~' && *s != '\\')
			out[n++] = *s;
		else
			n += (size_t)sprintf(out + n, "\\x%02x", (uint8_t)*s);
	}
	snprintf(out + n, CELL - n, "%s", *s ? "..." : "");
}

static void result(char *out, const struct row *r)
{
	if (r->decrypted && !r->failed)
		snprintf(out, CELL, "decrypted");
	else if (r->decrypted)
		snprintf(out, CELL, "decrypted in part: %s", verdict_label(r->reason));
	else if (r->reason != V_OK)
		snprintf(out, CELL, "%s: %s", verdict_label(r->reason), verdict_text(r->reason));
	else
		snprintf(out, CELL, "no application data");
}

static void cells(char cell[COLS][CELL], const struct row *r)
{
	char client[ENDPOINT_MAX], server[ENDPOINT_MAX];
	const struct suite *s = suite_find(r->suite);

	for (int c = 0; c < COLS; c++)
		cell[c][0] = '\0';
	sink_endpoint(client, &r->key, r->client);
	sink_endpoint(server, &r->key, !r->client);
	snprintf(cell[CONNECTION], CELL, "%s -> %s", client, server);
	if (r->names) {
		show(cell[SNI], r->names);
		show(cell[ALPN], r->names + strlen(r->names) + 1);
	}
	if (r->version) {
		eve_version(cell[VERSION], r->version);
		if (s)
			snprintf(cell[SUITE], CELL, "%s", s->name);
		else
			snprintf(cell[SUITE], CELL, "0x%04x", r->suite);
	}
	snprintf(cell[TO_SERVER], CELL, "%" PRIu64, r->bytes[C2S]);
	snprintf(cell[TO_CLIENT], CELL, "%" PRIu64, r->bytes[S2C]);
	result(cell[RESULT], r);
}

/* A column that is empty in every row is left out: its width stays 0. */
static void measure(const struct table *t, int width[COLS])
{
	char cell[COLS][CELL];

	for (int c = 0; c < COLS; c++)
		width[c] = 0;
	for (uint32_t i = 0; i < t->n; i++) {
		cells(cell, &t->rows[i]);
		for (int c = 0; c < COLS; c++) {
			int len = (int)strlen(cell[c]), head = (int)strlen(heads[c]);

			if (len && len < head)
				len = head;
			if (len > width[c])
				width[c] = len;
		}
	}
}

static void print_line(struct out *o, const int width[COLS], const char *const cell[COLS])
{
	char line[COLS * (CELL + 2)];
	int n = 0;

	for (int c = 0; c < RESULT; c++) {
		bool right = c == TO_SERVER || c == TO_CLIENT;

		if (width[c])
			n += sprintf(line + n, "%*s  ", right ? width[c] : -width[c], cell[c]);
	}
	n += sprintf(line + n, "%s\n", cell[RESULT]);
	out_bytes(o, line, (size_t)n);
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = ((const struct row *)a)->id, y = ((const struct row *)b)->id;

	return (x > y) - (x < y);
}

static void print_rows(struct table *t)
{
	char cell[COLS][CELL];
	const char *view[COLS];
	int width[COLS];

	qsort(t->rows, t->n, sizeof(*t->rows), by_id);
	measure(t, width);
	print_line(&t->out, width, heads);
	for (int c = 0; c < COLS; c++)
		view[c] = cell[c];
	for (uint32_t i = 0; i < t->n; i++) {
		cells(cell, &t->rows[i]);
		print_line(&t->out, width, view);
	}
}

static void print_summary(struct table *t)
{
	char line[512];
	int n = 0;

	if (t->conns > t->n)
		n = sprintf(line, "... and %" PRIu64 " more\n", t->conns - t->n);
	n += sprintf(line + n,
		"%s%" PRIu64 " TLS connection%s, %" PRIu64 " decrypted: %" PRIu64
		" bytes c2s, %" PRIu64 " bytes s2c\n",
		t->n ? "\n" : "", t->conns, t->conns == 1 ? "" : "s", t->decrypted, t->bytes[C2S],
		t->bytes[S2C]);
	out_bytes(&t->out, line, (size_t)n);
	for (int v = 0; v < V_COUNT; v++) {
		if (!t->reasons[v])
			continue;
		n = sprintf(line, "%" PRIu64 " not: %s\n", t->reasons[v],
			v == V_OK ? "no application data" : verdict_text(v));
		out_bytes(&t->out, line, (size_t)n);
	}
}

static void table_meter(void *sink, uint64_t *lost)
{
	struct table *t = sink;

	out_meter(&t->out, lost);
}

static int table_close(void *sink)
{
	struct table *t = sink;
	int rc;

	out_last(&t->out);
	if (t->n)
		print_rows(t);
	print_summary(t);
	rc = out_close(&t->out);
	for (uint32_t i = 0; i < t->n; i++)
		free(t->rows[i].names);
	free(t->rows);
	free(t->names);
	free(t);
	return rc;
}

const struct sink_ops sink_table = {
	.scheme = "table",
	.arg = "FILE|-",
	.help = "a table for people, at the end; what replay prints without --out",
	.open = table_open,
	.tls = table_tls,
	.end = table_end,
	.meter = table_meter,
	.close = table_close,
};
