/* SPDX-License-Identifier: BSD-3-Clause */
/* Events of decrypted connections, retold as frames of clear ones between the same endpoints. */
#include "retell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int retell_init(struct retell *r, uint32_t max_conns)
{
	r->conns = calloc(max_conns, sizeof(*r->conns));
	if (r->conns)
		return 0;
	fprintf(stderr, "cleartap: no memory to retell %u connections\n", max_conns);
	return -ENOMEM;
}

void retell_fini(struct retell *r)
{
	free(r->conns);
}

static void drain(struct retell *r, struct frames *f, uint64_t ts_ns)
{
	uint8_t frame[FRAMES_MAX];
	size_t len;

	while ((len = frames_next(f, frame)))
		r->emit(r->arg, ts_ns, frame, (uint32_t)len);
}

void retell_text(struct retell *r, const struct conn_view *v, const struct text *t)
{
	struct frames *f = &r->conns[v->index];

	if (!t->len)
		return;
	if (!frames_begun(f))
		frames_init(f, &v->key, sink_client(v->conn), v->id, FRAMES_MTU);
	frames_text(f, t->dir, t->data, t->len);
	drain(r, f, v->ts_ns);
}

void retell_anomaly(struct retell *r, const struct conn_view *v, int dir, uint64_t missing)
{
	if (missing)
		frames_gap(&r->conns[v->index], (enum tls_dir)dir, missing);
}

/* A connection that was only lost sight of is ended with FINs, so that its reader can let it go. */
void retell_end(struct retell *r, const struct conn_view *v, enum conn_end why)
{
	struct frames *f = &r->conns[v->index];
	int client = sink_client(v->conn), closer = v->conn->closer;

	if (!frames_begun(f))
		return;
	frames_end(f, closer == !client ? S2C : C2S, why == END_RST);
	drain(r, f, v->ts_ns);
	*f = (struct frames){ 0 };
}
