/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plaintext as files, one a direction. There can be far more directions than a process may have
 * open files, so the least recently written is closed when another one is needed, and appended to
 * later.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out.h"
#include "sink.h"

#define RAW_OPEN 64 /* files open at once */

/* State of a direction: none of these is the number of its slot, counted from 1. */
enum { NO_FILE = 0, CLOSED = 255 };

struct slot {
	char *name;
	uint64_t used; /* last write, counted in calls; 0: free */
	size_t owner;  /* the direction: 2 * index + dir */
	struct out out;
};

struct raw {
	const char *dir;
	uint8_t *state; /* by direction */
	uint64_t calls;
	uint64_t *lost; /* live: bytes; NULL: nobody asks */
	int err;
	struct slot *slots[RAW_OPEN]; /* allocated when first needed */
};

static int directory(const char *path)
{
	if (mkdir(path, 0700) && errno != EEXIST) {
		int err = errno;

		fprintf(stderr, "cleartap: cannot create the directory %s: %s\n", path,
			strerror(err));
		return -err;
	}
	if (access(path, W_OK | X_OK)) {
		int err = errno;

		fprintf(stderr,
			"cleartap: cannot write to the directory %s: %s; "
			"choose one that this user may write to\n",
			path, strerror(err));
		return -err;
	}
	return 0;
}

static int raw_open(const char *arg, uint32_t max_conns, void **out)
{
	int rc = directory(arg);
	struct raw *r;

	if (rc)
		return rc;
	r = calloc(1, sizeof(*r));
	if (!r || !(r->state = calloc(max_conns, 2))) {
		fprintf(stderr, "cleartap: no memory for the files of %u connections\n", max_conns);
		free(r);
		return -ENOMEM;
	}
	r->dir = arg;
	*out = r;
	return 0;
}

static char *file_name(const struct raw *r, const struct conn_view *v, int dir)
{
	const struct flow_key *k = &v->key;
	int family = k->addr_len == 4 ? AF_INET : AF_INET6, end = sink_client(v->conn);
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN], *name;

	inet_ntop(family, k->addr[end], client, sizeof(client));
	inet_ntop(family, k->addr[!end], server, sizeof(server));
	if (asprintf(&name, "%s/%s_%u-%s_%u-%" PRIu64 ".%s", r->dir, client, k->port[end], server,
		    k->port[!end], v->id, dir == C2S ? "c2s" : "s2c") < 0)
		return NULL;
	return name;
}

static void release(struct raw *r, struct slot *s, uint8_t state)
{
	int rc = out_close(&s->out);

	if (!r->err)
		r->err = rc;
	free(s->name);
	s->name = NULL;
	s->used = 0;
	r->state[s->owner] = state;
}

/* @return number of a free slot, counted from 1; 0: no memory. */
static int acquire(struct raw *r)
{
	int oldest = 0;

	for (int i = 0; i < RAW_OPEN; i++) {
		if (!r->slots[i] && !(r->slots[i] = calloc(1, sizeof(struct slot))))
			return 0;
		if (!r->slots[i]->used)
			return i + 1;
		if (r->slots[i]->used < r->slots[oldest]->used)
			oldest = i;
	}
	release(r, r->slots[oldest], CLOSED);
	return oldest + 1;
}

static struct slot *slot_open(struct raw *r, const struct conn_view *v, int dir)
{
	size_t owner = 2 * (size_t)v->index + (size_t)dir;
	int flags = r->state[owner] == CLOSED ? O_APPEND : O_TRUNC, n = acquire(r);
	struct slot *s = n ? r->slots[n - 1] : NULL;

	if (!s || !(s->name = file_name(r, v, dir))) {
		fprintf(stderr, "cleartap: out of memory: %s is incomplete\n", r->dir);
		r->err = -ENOMEM;
		return NULL;
	}
	r->err = out_open(&s->out, s->name, flags | O_NOFOLLOW);
	if (r->err) {
		free(s->name);
		s->name = NULL;
		return NULL;
	}
	out_meter(&s->out, r->lost);
	s->owner = owner;
	r->state[owner] = (uint8_t)n;
	return s;
}

static void raw_text(void *sink, const struct conn_view *v, const struct text *t)
{
	struct raw *r = sink;
	uint8_t state = r->state[2 * (size_t)v->index + t->dir];
	struct slot *s;

	/* One failure is a full disk or a lost directory: the next files would fail, too. */
	if (r->err && r->lost)
		__atomic_store_n(r->lost, *r->lost + t->len, __ATOMIC_RELAXED);
	if (!t->len || r->err)
		return;
	s = state == NO_FILE || state == CLOSED ? slot_open(r, v, t->dir) : r->slots[state - 1];
	if (!s)
		return;
	s->used = ++r->calls;
	out_bytes(&s->out, t->data, t->len);
	r->err = s->out.err;
}

static void raw_end(void *sink, const struct conn_view *v, enum conn_end why)
{
	struct raw *r = sink;

	for (int dir = C2S; dir <= S2C; dir++) {
		uint8_t *state = &r->state[2 * (size_t)v->index + (size_t)dir];

		if (*state != NO_FILE && *state != CLOSED)
			release(r, r->slots[*state - 1], NO_FILE);
		*state = NO_FILE;
	}
}

static void raw_meter(void *sink, uint64_t *lost)
{
	struct raw *r = sink;

	r->lost = lost;
}

/* Whatever was wrong may have been put right. */
static int raw_reopen(void *sink)
{
	struct raw *r = sink;

	r->err = 0;
	return 0;
}

static int raw_close(void *sink)
{
	struct raw *r = sink;
	int rc;

	for (int i = 0; i < RAW_OPEN; i++) {
		if (r->slots[i] && r->slots[i]->used)
			release(r, r->slots[i], NO_FILE);
		free(r->slots[i]);
	}
	rc = r->err;
	free(r->state);
	free(r);
	return rc;
}

const struct sink_ops sink_raw = {
	.scheme = "raw",
	.arg = "DIR",
	.help = "each direction's plaintext as a file",
	.open = raw_open,
	.text = raw_text,
	.end = raw_end,
	.meter = raw_meter,
	.reopen = raw_reopen,
	.close = raw_close,
};
