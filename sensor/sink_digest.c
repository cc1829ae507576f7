/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The digest of a run: what was decrypted, in a form that two programs, or two runs with the
 * packets dealt out differently, can be compared by. Lines are kept until the end, because they are
 * sorted.
 */
#define OPENSSL_SUPPRESS_DEPRECATED 1 /* the low-level hash does not allocate */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <openssl/sha.h>

#include "base/hex.h"
#include "out.h"
#include "sink.h"

#define LINE_MAX_LEN (2 * ENDPOINT_MAX + 3 + 20 + 2 * SHA256_DIGEST_LENGTH + 8)

/* Both directions of one connection that has text. */
struct sums {
	SHA256_CTX sha[2];
	uint64_t bytes[2];
};

struct digest {
	struct sums **conns; /* by conn_view.index; NULL: no text yet */
	char *lines;         /* each with its terminating 0 */
	size_t len;
	size_t cap;
	size_t n;
	int err;
	struct out out;
};

static void digest_free(struct digest *d)
{
	free(d->lines);
	free(d->conns);
	free(d);
}

static int digest_open(const char *arg, uint32_t max_conns, void **out)
{
	struct digest *d = calloc(1, sizeof(*d));
	int rc;

	if (!d || !(d->conns = calloc(max_conns, sizeof(*d->conns)))) {
		fprintf(stderr, "cleartap: no memory for digests of %u connections\n", max_conns);
		free(d);
		return -ENOMEM;
	}
	rc = out_open(&d->out, arg, O_TRUNC);
	if (rc)
		digest_free(d);
	else
		*out = d;
	return rc;
}

static void no_memory(struct digest *d)
{
	if (!d->err)
		fprintf(stderr, "cleartap: out of memory: the digest is incomplete\n");
	d->err = -ENOMEM;
}

static struct sums *sums_new(void)
{
	struct sums *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	for (int dir = C2S; dir <= S2C; dir++) {
		SHA256_Init(&s->sha[dir]);
		s->bytes[dir] = 0;
	}
	return s;
}

static void digest_text(void *sink, const struct conn_view *v, const struct text *t)
{
	struct digest *d = sink;
	struct sums **s = &d->conns[v->index];

	if (!*s && !(*s = sums_new())) {
		no_memory(d);
		return;
	}
	SHA256_Update(&(*s)->sha[t->dir], t->data, t->len);
	(*s)->bytes[t->dir] += t->len;
}

/* @return room for one more line, or NULL. */
static char *line_room(struct digest *d)
{
	size_t cap = d->cap ? 2 * d->cap : 65536;
	char *lines;

	if (d->cap - d->len >= LINE_MAX_LEN)
		return d->lines + d->len;
	lines = realloc(d->lines, cap);
	if (!lines) {
		no_memory(d);
		return NULL;
	}
	d->lines = lines;
	d->cap = cap;
	return lines + d->len;
}

static void add_line(struct digest *d, const struct conn_view *v, struct sums *s, int dir)
{
	char client[ENDPOINT_MAX], server[ENDPOINT_MAX], hex[2 * SHA256_DIGEST_LENGTH + 1];
	uint8_t md[SHA256_DIGEST_LENGTH];
	int end = sink_client(v->conn);
	char *line = line_room(d);

	if (!line)
		return;
	sink_endpoint(client, &v->key, end);
	sink_endpoint(server, &v->key, !end);
	SHA256_Final(md, &s->sha[dir]);
	hex_encode(hex, md, sizeof(md));
	d->len += (size_t)snprintf(line, LINE_MAX_LEN, "%s\t%s\t%s\t%" PRIu64 "\t%s", client,
			  server, dir == C2S ? "c2s" : "s2c", s->bytes[dir], hex) +
		1;
	d->n++;
}

static void digest_end(void *sink, const struct conn_view *v, enum conn_end why)
{
	struct digest *d = sink;
	struct sums *s = d->conns[v->index];

	d->conns[v->index] = NULL;
	if (!s && v->is_tls && !(s = sums_new()))
		no_memory(d);
	if (s && v->is_tls) {
		add_line(d, v, s, C2S);
		add_line(d, v, s, S2C);
	}
	free(s);
}

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void write_sorted(struct digest *d)
{
	char **sorted = calloc(d->n + 1, sizeof(*sorted));
	char *p = d->lines;

	if (!sorted) {
		no_memory(d);
		return;
	}
	for (size_t i = 0; i < d->n; i++, p += strlen(p) + 1)
		sorted[i] = p;
	qsort(sorted, d->n, sizeof(*sorted), by_line);
	for (size_t i = 0; i < d->n; i++) {
		out_bytes(&d->out, sorted[i], strlen(sorted[i]));
		out_bytes(&d->out, "\n", 1);
	}
	free(sorted);
}

static void digest_meter(void *sink, uint64_t *lost)
{
	struct digest *d = sink;

	out_meter(&d->out, lost);
}

static int digest_close(void *sink)
{
	struct digest *d = sink;
	int rc;

	out_last(&d->out);
	write_sorted(d);
	rc = out_close(&d->out);
	rc = d->err ? d->err : rc;
	digest_free(d);
	return rc;
}

const struct sink_ops sink_digest = {
	.scheme = "digest",
	.arg = "FILE|-",
	.help = "length and SHA-256 of each direction's plaintext, sorted",
	.open = digest_open,
	.text = digest_text,
	.end = digest_end,
	.meter = digest_meter,
	.close = digest_close,
};
