/* SPDX-License-Identifier: BSD-3-Clause */
/* Which connections speak HTTP/1, and what becomes of those that do: from text to transactions. */
#include "web.h"

#include <string.h>

#include "pipeline.h"
#include "tell.h"

/* A connection's number in the table, if it is not WEB_STATE and its index in http1.conns. */
enum {
	WEB_NEW,   /* no text yet */
	WEB_OTHER, /* it speaks something else */
	WEB_HOLED, /* text was not read, so only a whole head is trusted */
	WEB_STATE
};

static struct http1 *state(const struct web *w, uint32_t number)
{
	return number < WEB_STATE ? NULL : pool_at(&w->http1.conns, number - WEB_STATE);
}

static uint32_t *number_of(struct pipeline *pl, const struct conn *c)
{
	pl->web.conn = c;
	return &pl->web.conns[flow_index(pl->flow, c)];
}

static void done(void *arg, const struct txn *t)
{
	struct pipeline *pl = arg;

	pl->count.http_transactions++;
	tell_txn(pl, pl->web.conn, t);
}

size_t web_bytes(const struct http1_cfg *cfg, uint32_t max_conns)
{
	size_t n = http1_bytes(cfg);

	pool_carve(NULL, &n, max_conns * sizeof(uint32_t));
	return n;
}

void web_init(struct pipeline *pl, void *mem, const struct http1_cfg *cfg, uint32_t max_conns)
{
	size_t n = http1_bytes(cfg);

	http1_init(&pl->web.http1, mem, cfg, done, pl);
	pl->web.conns = pool_carve(mem, &n, max_conns * sizeof(uint32_t));
}

void web_tls(struct pipeline *pl, const struct conn *c, const struct tls_meta *m)
{
	uint32_t *n = number_of(pl, c);

	if (m->alpn[0] && strncmp(m->alpn, "http/1.", 7) != 0 && *n < WEB_STATE)
		*n = WEB_OTHER;
}

/* The first text that may begin HTTP/1. @return its state; NULL: it does not, or there is no room. */
static struct http1 *begin(struct web *w, uint32_t *n, struct text *t)
{
	struct http1 *h;

	t->after_gap |= *n == WEB_HOLED;
	if (!http1_likely(t)) {
		*n = t->after_gap ? WEB_HOLED : WEB_OTHER;
		return NULL;
	}
	h = http1_new(&w->http1, t);
	*n = h ? WEB_STATE + pool_index(&w->http1.conns, h) : WEB_HOLED;
	return h;
}

void web_text(struct pipeline *pl, const struct conn *c, const struct text *t)
{
	uint32_t *n = number_of(pl, c);
	struct web *w = &pl->web;
	struct http1 *h = state(w, *n);
	struct text text = *t;

	if (!h && *n != WEB_OTHER)
		h = begin(w, n, &text);
	if (!h || http1_text(&w->http1, h, &text) != V_STOPPED)
		return;
	http1_free(&w->http1, h, false);
	*n = WEB_OTHER;
}

void web_gap(struct pipeline *pl, const struct conn *c, enum tls_dir d)
{
	struct http1 *h = state(&pl->web, *number_of(pl, c));

	if (h)
		http1_gap(&pl->web.http1, h, d);
}

void web_end(struct pipeline *pl, const struct conn *c, bool closed)
{
	uint32_t *n = number_of(pl, c);
	struct http1 *h = state(&pl->web, *n);

	if (h)
		http1_free(&pl->web.http1, h, closed);
	*n = WEB_NEW;
}
