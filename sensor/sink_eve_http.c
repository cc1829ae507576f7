/* SPDX-License-Identifier: BSD-3-Clause */
/* Which connections speak HTTP/1, and what becomes of those that do: from events to transactions. */
#include "sink_eve_http.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "web/http1.h"

#define CONNS 65536
#define EXCHANGES 16384
#define LINES 1024

/* What is in the table where there is no state: this connection speaks something else; */
static struct http1 other;
/* or text of it was lost before there was any. */
static struct http1 holed;

struct eve_http {
	struct http1_env env;
	struct http1 **conns; /* by conn_view.index */
	void *mem;
	size_t bytes;
	const struct conn_view *view; /* of the event */
	void (*emit)(void *arg, const struct conn_view *v, const struct txn *t);
	void *arg;
};

static void done(void *arg, const struct txn *t)
{
	struct eve_http *h = arg;

	h->emit(h->arg, h->view, t);
}

struct eve_http *eve_http_new(uint32_t max_conns,
	void (*emit)(void *arg, const struct conn_view *v, const struct txn *t), void *arg)
{
	uint32_t n = max_conns < CONNS ? max_conns : CONNS;
	const struct http1_cfg cfg = {
		.max_conns = n, .max_exchanges = EXCHANGES, .max_lines = LINES
	};
	struct eve_http *h = calloc(1, sizeof(*h));

	if (h) {
		h->bytes = http1_bytes(&cfg);
		h->mem = memory_reserve(h->bytes);
		h->conns = calloc(max_conns, sizeof(struct http1 *));
	}
	if (!h || !h->mem || !h->conns) {
		fprintf(stderr, "cleartap: no memory for HTTP of %" PRIu32 " connections\n", n);
		eve_http_free(h);
		return NULL;
	}
	h->emit = emit;
	h->arg = arg;
	http1_init(&h->env, h->mem, &cfg, done, h);
	return h;
}

void eve_http_free(struct eve_http *h)
{
	if (!h)
		return;
	if (h->env.refused)
		fprintf(stderr,
			"cleartap: there was no room for HTTP connections or messages, %" PRIu64
			" times\n",
			h->env.refused);
	if (h->mem)
		memory_free(h->mem, h->bytes);
	free(h->conns);
	free(h);
}

static bool has_state(const struct http1 *c)
{
	return c && c != &other && c != &holed;
}

void eve_http_tls(struct eve_http *h, const struct conn_view *v, const struct tls_meta *m)
{
	if (m->alpn[0] && strncmp(m->alpn, "http/1.", 7) != 0 && !has_state(h->conns[v->index]))
		h->conns[v->index] = &other;
}

/* The first text that may begin HTTP/1. @return its state; NULL: it does not, or there is no room. */
static struct http1 *begin(struct eve_http *h, struct http1 **c, struct text *t)
{
	t->after_gap |= *c == &holed;
	if (!http1_likely(t)) {
		*c = t->after_gap ? &holed : &other;
		return NULL;
	}
	*c = http1_new(&h->env, t);
	return *c;
}

void eve_http_text(struct eve_http *h, const struct conn_view *v, const struct text *t)
{
	struct http1 **c = &h->conns[v->index];
	struct text text = *t;

	if (*c == &other || (!has_state(*c) && !begin(h, c, &text)))
		return;
	h->view = v;
	if (http1_text(&h->env, *c, &text) != V_STOPPED)
		return;
	http1_free(&h->env, *c, false);
	*c = &other;
}

void eve_http_gap(struct eve_http *h, const struct conn_view *v, int dir, uint64_t bytes)
{
	struct http1 **c = &h->conns[v->index];

	h->view = v;
	if (has_state(*c))
		http1_gap(&h->env, *c, (enum tls_dir)dir, bytes);
	else if (bytes != HTTP1_UNKNOWN && *c != &other) /* else the text after it will say */
		*c = &holed;
}

void eve_http_end(struct eve_http *h, const struct conn_view *v, enum conn_end why)
{
	struct http1 **c = &h->conns[v->index];

	h->view = v;
	if (has_state(*c))
		http1_free(&h->env, *c, why == END_FIN);
	*c = NULL;
}
