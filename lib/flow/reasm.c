/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One direction of TCP in order. The common case, a segment that is exactly next, costs a compare and
 * two additions. Everything else lives in a list of disjoint held segments, sorted by sequence number,
 * whose nodes come from one bounded pool.
 */
#include "flow/reasm.h"

#include <assert.h>

/* The largest window TCP can have (RFC 7323): what lies farther off is not of this stream. */
#define WINDOW_MAX (1 << 30)

struct node {
	struct seg seg;
	uint32_t next;
};

size_t reasm_node_size(void)
{
	return sizeof(struct node);
}

void reasm_init(struct reasm *r)
{
	*r = (struct reasm){ .held = POOL_NONE, .tail = POOL_NONE };
}

void reasm_start(struct reasm *r, uint32_t seq)
{
	if (r->started)
		return;
	r->started = true;
	r->next = seq;
}

static struct node *node_at(const struct reasm_keeper *k, uint32_t index)
{
	return index == POOL_NONE ? NULL : pool_at(&k->nodes, index);
}

/* Cut what lies before sequence number `from`. */
static void trim_front(struct seg *seg, uint32_t from)
{
	uint32_t n = from - seg->seq;

	seg->data += n;
	seg->len -= n;
	seg->seq = from;
}

/* Keep one piece that fits between its neighbours; prev is POOL_NONE at the head. */
static enum verdict hold(
	struct reasm *r, struct reasm_keeper *k, struct seg piece, uint32_t prev, bool kept)
{
	struct node *n;

	if (r->held_segs >= k->max_segs || r->held_bytes + piece.len > k->max_bytes)
		return V_REASM_BUDGET;
	n = pool_get(&k->nodes);
	if (!n)
		return V_REASM_BUDGET;
	if (!kept && !k->keep(k->arg, &piece)) {
		pool_put(&k->nodes, n);
		return V_REASM_BUDGET;
	}
	n->seg = piece;
	if (prev == POOL_NONE) {
		n->next = r->held;
		r->held = pool_index(&k->nodes, n);
	} else {
		n->next = node_at(k, prev)->next;
		node_at(k, prev)->next = pool_index(&k->nodes, n);
	}
	if (n->next == POOL_NONE)
		r->tail = pool_index(&k->nodes, n);
	r->held_segs++;
	r->held_bytes += piece.len;
	return V_HELD;
}

/* Bytes of seg before the segment held at index `at`: all of them if there is none. */
static uint32_t room_before(const struct reasm_keeper *k, uint32_t at, const struct seg *seg)
{
	const struct node *n = node_at(k, at);

	if (!n || (int32_t)(n->seg.seq - (seg->seq + seg->len)) >= 0)
		return seg->len;
	return (int32_t)(n->seg.seq - seg->seq) > 0 ? n->seg.seq - seg->seq : 0;
}

/* Hold those bytes of seg that are not held already; first copy wins. */
static enum verdict insert(struct reasm *r, struct reasm_keeper *k, struct seg seg)
{
	enum verdict v = V_DUPLICATE;
	uint32_t prev = POOL_NONE, at = r->held;
	const struct node *n = node_at(k, r->tail);

	if (n && (int32_t)(seg.seq - n->seg.seq) >= 0) {
		prev = r->tail;
		at = POOL_NONE;
	} else {
		while ((n = node_at(k, at)) && (int32_t)(seg.seq - n->seg.seq) >= 0) {
			prev = at;
			at = n->next;
		}
	}
	for (;;) {
		uint32_t room;

		n = node_at(k, prev);
		if (n && (int32_t)(n->seg.seq + n->seg.len - seg.seq) > 0) {
			if ((int32_t)(n->seg.seq + n->seg.len - (seg.seq + seg.len)) >= 0)
				return v;
			trim_front(&seg, n->seg.seq + n->seg.len);
		}
		room = room_before(k, at, &seg);
		if (room) {
			struct seg piece = seg;

			piece.len = room;
			if (hold(r, k, piece, prev, false) != V_HELD)
				return V_REASM_BUDGET;
			v = V_HELD;
		}
		if (room == seg.len)
			return v;
		prev = at;
		at = node_at(k, at)->next;
	}
}

enum verdict reasm_push(struct reasm *r, struct reasm_keeper *k, struct seg *seg)
{
	int32_t ahead;

	reasm_start(r, seg->seq);
	ahead = (int32_t)(seg->seq - r->next);
	if (ahead > 0)
		return ahead > WINDOW_MAX ? V_OUTSIDE : insert(r, k, *seg);
	if (ahead < 0) {
		if (ahead < -WINDOW_MAX)
			return V_OUTSIDE;
		if (seg->len <= (uint32_t)-ahead)
			return V_DUPLICATE;
		trim_front(seg, r->next);
	}
	seg->off = r->off;
	r->next += seg->len;
	r->off += seg->len;
	return V_OK;
}

static void pop(struct reasm *r, struct reasm_keeper *k, struct seg *seg)
{
	struct node *n = node_at(k, r->held);

	*seg = n->seg;
	r->held = n->next;
	if (r->held == POOL_NONE)
		r->tail = POOL_NONE;
	r->held_segs--;
	r->held_bytes -= seg->len;
	pool_put(&k->nodes, n);
}

enum verdict reasm_pull(struct reasm *r, struct reasm_keeper *k, struct seg *seg)
{
	const struct node *n;

	while ((n = node_at(k, r->held)) && (int32_t)(n->seg.seq - r->next) <= 0) {
		pop(r, k, seg);
		if ((int32_t)(seg->seq + seg->len - r->next) <= 0) {
			k->drop(k->arg, seg->owner); /* delivered meanwhile by another copy */
			continue;
		}
		trim_front(seg, r->next);
		seg->off = r->off;
		r->next += seg->len;
		r->off += seg->len;
		return V_OK;
	}
	return V_MORE;
}

enum verdict reasm_defer(struct reasm *r, struct reasm_keeper *k, struct seg *seg, bool kept)
{
	bool whole = room_before(k, r->held, seg) == seg->len;
	enum verdict v;

	assert(seg->seq + seg->len == r->next);
	r->next -= seg->len;
	r->off -= seg->len;
	if (whole)
		v = hold(r, k, *seg, POOL_NONE, kept);
	else
		v = insert(r, k, *seg);
	if (v == V_REASM_BUDGET) {
		r->next += seg->len;
		r->off += seg->len;
		return v;
	}
	if (kept && !whole)
		k->drop(k->arg, seg->owner);
	return V_OK;
}

bool reasm_hole(const struct reasm *r, const struct reasm_keeper *k, uint32_t *end)
{
	const struct node *n = node_at(k, r->held);

	if (!n || (int32_t)(n->seg.seq - r->next) <= 0)
		return false;
	*end = n->seg.seq;
	return true;
}

bool reasm_acked(
	const struct reasm *r, uint32_t end, uint32_t ack, const struct tcp_span *sack, int n)
{
	uint32_t at = (int32_t)(ack - r->next) > 0 ? ack : r->next;

	for (int i = 0; i < n && (int32_t)(end - at) > 0;) {
		if ((int32_t)(at - sack[i].from) >= 0 && (int32_t)(sack[i].to - at) > 0) {
			at = sack[i].to;
			i = 0; /* another one may go on from here */
		} else {
			i++;
		}
	}
	return (int32_t)(at - end) >= 0;
}

uint32_t reasm_skip(struct reasm *r, struct reasm_keeper *k)
{
	uint32_t end, gap;

	if (!reasm_hole(r, k, &end))
		return 0;
	gap = end - r->next;
	r->next += gap;
	r->off += gap;
	return gap;
}

void reasm_fini(struct reasm *r, struct reasm_keeper *k)
{
	struct seg seg;

	while (r->held != POOL_NONE) {
		pop(r, k, &seg);
		k->drop(k->arg, seg.owner);
	}
}
