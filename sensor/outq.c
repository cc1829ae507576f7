/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sinks write files, allocate, and may have to wait; a worker must do none of that. So what a sink is
 * told in `replay` by a call, it is told here by an event that was copied through a ring.
 */
#include "outq.h"

#include <string.h>

enum kind { EVENT_PAD, EVENT_TLS, EVENT_TEXT, EVENT_TXN, EVENT_ANOMALY, EVENT_END };

/* Events never wrap: a pad, of these two words only, fills the end of the ring. */
struct event {
	uint32_t size; /* to the next event, a multiple of 8 */
	uint8_t kind;
	uint8_t dir;
	uint16_t why;
	uint64_t missing;
	struct conn_view view;
	struct conn conn; /* without what it points to */
	struct text text;
	/* plaintext, or struct tls_meta or struct txn without the unused rest of `cert` or `text` */
	alignas(8) uint8_t data[];
};

/* The connection that sinks were last told of at an index, and what they were told. */
struct outq_told {
	bool open;
	uint64_t text_bytes[2];
	struct conn_view view;
	struct conn conn;
};

#define META_HEAD offsetof(struct tls_meta, cert)
#define META_TAIL offsetof(struct tls_meta, chain_len)

size_t outq_bytes(size_t size, uint32_t max_conns)
{
	return size + max_conns * sizeof(struct outq_told);
}

void outq_init(struct outq *q, void *mem, size_t size, uint32_t worker, uint32_t workers,
	uint32_t max_conns)
{
	*q = (struct outq){
		.mem = mem,
		.told = (struct outq_told *)((uint8_t *)mem + size),
		.size = size,
		.first_index = worker * max_conns,
		.max_conns = max_conns,
		.id_step = workers,
		.id_first = worker,
	};
}

/* Is there room for @p n bytes and @p spare more? */
static bool fits(struct outq *q, uint64_t n, uint64_t spare)
{
	if (q->head + n + spare - q->seen_tail <= q->size)
		return true;
	q->seen_tail = __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE);
	return q->head + n + spare - q->seen_tail <= q->size;
}

static void publish(struct outq *q, const struct event *e)
{
	__atomic_store_n(&q->head, q->head + e->size, __ATOMIC_RELEASE);
}

/* @return @p n bytes in one piece, not yet visible to the reader; NULL if the ring is full. */
static struct event *room(struct outq *q, uint64_t n, uint64_t spare)
{
	uint64_t at = q->head & (q->size - 1), left = q->size - at;
	uint64_t pad = n > left ? left : 0;
	struct event *e = (struct event *)(q->mem + at);

	while (!fits(q, pad + n, q->patient ? 0 : spare)) {
		if (!q->patient) {
			__atomic_store_n(&q->dropped, q->dropped + 1, __ATOMIC_RELAXED);
			return NULL;
		}
		__builtin_ia32_pause();
	}
	if (!pad)
		return e;
	e->size = (uint32_t)pad;
	e->kind = EVENT_PAD;
	publish(q, e);
	return (struct event *)q->mem;
}

/*
 * What an event must leave free. Last words on TLS connections may fill the ring; plaintext all but a
 * quarter; and what costs a sender one packet, and nobody waits for, not more than a half.
 */
static uint64_t spare(const struct outq *q, enum kind kind, bool is_tls)
{
	if (kind == EVENT_END && is_tls)
		return 0;
	return kind == EVENT_END || kind == EVENT_ANOMALY ? q->size / 2 : q->size / 4;
}

static struct event *begin(
	struct outq *q, enum kind kind, const struct conn_view *v, uint32_t data_len)
{
	uint64_t size = (sizeof(struct event) + data_len + 7) & ~7ull;
	struct event *e = room(q, size, spare(q, kind, v->is_tls));

	if (!e)
		return NULL;
	e->size = (uint32_t)size;
	e->kind = (uint8_t)kind;
	e->view = *v;
	e->view.index += q->first_index;
	e->conn = *v->conn;
	e->conn.tls = NULL;
	e->view.id = v->id * q->id_step + q->id_first;
	return e;
}

static void on_tls(void *sink, const struct conn_view *v, const struct tls_meta *m)
{
	uint32_t head = (uint32_t)META_HEAD + m->cert_len;
	struct event *e = begin(sink, EVENT_TLS, v, head + sizeof(*m) - META_TAIL);

	if (!e)
		return;
	memcpy(e->data, m, head);
	memcpy(e->data + head, (const uint8_t *)m + META_TAIL, sizeof(*m) - META_TAIL);
	publish(sink, e);
}

static void on_text(void *sink, const struct conn_view *v, const struct text *t)
{
	struct event *e = begin(sink, EVENT_TEXT, v, t->len);

	if (!e)
		return;
	e->text = *t;
	memcpy(e->data, t->data, t->len);
	publish(sink, e);
}

static void on_txn(void *sink, const struct conn_view *v, const struct txn *t)
{
	uint32_t len = (uint32_t)offsetof(struct txn, text) + t->used;
	struct event *e = begin(sink, EVENT_TXN, v, len);

	if (!e)
		return;
	memcpy(e->data, t, len);
	publish(sink, e);
}

static void on_anomaly(
	void *sink, const struct conn_view *v, int dir, enum verdict why, uint64_t missing)
{
	struct event *e = begin(sink, EVENT_ANOMALY, v, 0);

	if (!e)
		return;
	e->dir = (uint8_t)dir;
	e->why = (uint16_t)why;
	e->missing = missing;
	publish(sink, e);
}

static void on_end(void *sink, const struct conn_view *v, enum conn_end why)
{
	struct event *e = begin(sink, EVENT_END, v, 0);

	if (!e)
		return;
	e->why = (uint16_t)why;
	publish(sink, e);
}

const struct sink_ops outq_ops = {
	.scheme = "queue",
	.tls = on_tls,
	.text = on_text,
	.txn = on_txn,
	.anomaly = on_anomaly,
	.end = on_end,
};

static void give_tls(const struct event *e, const struct sink_ops *ops, void *sink)
{
	struct tls_meta m;
	uint32_t head;

	memcpy(&m, e->data, META_HEAD);
	head = (uint32_t)META_HEAD + m.cert_len;
	memcpy(m.cert, e->data + META_HEAD, m.cert_len);
	memcpy((uint8_t *)&m + META_TAIL, e->data + head, sizeof(m) - META_TAIL);
	ops->tls(sink, &e->view, &m);
}

/* The last words on a connection were lost: sinks must not go on with its state for another one. */
static void close_lost(struct outq_told *t, const struct outputs *out)
{
	for (int i = 0; i < out->n; i++)
		if (out->at[i].ops->end)
			out->at[i].ops->end(out->at[i].sink, &t->view, END_EVICTED);
	t->open = false;
}

/* Text that was lost on its way here leaves a hole, and not nothing. */
static void tell_missed(struct outq_told *t, const struct event *e, int dir, uint64_t upto,
	const struct outputs *out)
{
	uint64_t missed = upto - t->text_bytes[dir];

	if (upto <= t->text_bytes[dir])
		return;
	for (int i = 0; i < out->n; i++)
		if (out->at[i].ops->missed)
			out->at[i].ops->missed(out->at[i].sink, &e->view, dir, missed);
}

/* What has to be said before an event because others were dropped. */
static void catch_up(struct outq *q, const struct event *e, const struct outputs *out)
{
	struct outq_told *t = &q->told[e->view.index - q->first_index];
	uint64_t upto[2] = { e->view.text_bytes[C2S], e->view.text_bytes[S2C] };

	if (t->open && t->view.id != e->view.id)
		close_lost(t, out);
	if (!t->open && !e->view.is_tls)
		return; /* nothing that a sink has state for */
	if (!t->open)
		memset(t->text_bytes, 0, sizeof(t->text_bytes));
	t->open = e->kind != EVENT_END;
	t->view = e->view;
	t->conn = e->conn;
	t->view.conn = &t->conn;
	for (int dir = C2S; dir <= S2C; dir++) {
		uint32_t now = e->kind == EVENT_TEXT && e->text.dir == dir ? e->text.len : 0;

		tell_missed(t, e, dir, upto[dir] - now, out);
		t->text_bytes[dir] = upto[dir];
	}
}

static void give(const struct event *e, const struct sink_ops *ops, void *sink)
{
	if (e->kind == EVENT_TEXT && ops->text)
		ops->text(sink, &e->view, &e->text);
	else if (e->kind == EVENT_TLS && ops->tls)
		give_tls(e, ops, sink);
	else if (e->kind == EVENT_TXN && ops->txn)
		ops->txn(sink, &e->view, (const struct txn *)e->data);
	else if (e->kind == EVENT_ANOMALY && ops->anomaly)
		ops->anomaly(sink, &e->view, e->dir, (enum verdict)e->why, e->missing);
	else if (e->kind == EVENT_END && ops->end)
		ops->end(sink, &e->view, (enum conn_end)e->why);
}

int outq_drain(struct outq *q, const struct outputs *out, int max)
{
	uint64_t head = __atomic_load_n(&q->head, __ATOMIC_ACQUIRE);
	int n = 0;

	while (q->tail != head && n < max) {
		struct event *e = (struct event *)(q->mem + (q->tail & (q->size - 1)));

		if (e->kind != EVENT_PAD) {
			e->view.conn = &e->conn;
			e->text.data = e->data;
			catch_up(q, e, out);
			for (int i = 0; i < out->n; i++)
				give(e, out->at[i].ops, out->at[i].sink);
			n++;
		}
		__atomic_store_n(&q->tail, q->tail + e->size, __ATOMIC_RELEASE);
	}
	return n;
}

void outq_finish(struct outq *q, const struct outputs *out)
{
	for (uint32_t i = 0; outq_dropped(q) && i < q->max_conns; i++)
		if (q->told[i].open)
			close_lost(&q->told[i], out);
}

uint64_t outq_dropped(const struct outq *q)
{
	return __atomic_load_n(&q->dropped, __ATOMIC_RELAXED);
}
