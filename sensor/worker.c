/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From receive queue to pipeline: a loop that only polls and computes. Buffers go back with the burst
 * that brought them, unless a segment ahead of a hole is held: it keeps a reference, or, being small,
 * a copy, so that 100 bytes do not pin 2 KB.
 */
#include "worker.h"

#include <string.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "grace.h"

#define TICK_NS 1000000u  /* how often an idle worker looks at its timers */
#define LAST_BURSTS 65536 /* read at most so many more when told to stop */

/* What keeps a held segment alive is told apart by the low bits of its address. */
enum { OWNER_MBUF, OWNER_SMALL, OWNER_LARGE, OWNER_MASK };

static uint64_t clock_ns(const struct clock *c)
{
	return c->ns + (uint64_t)((unsigned __int128)(rte_rdtsc() - c->tsc) * c->mult >> 32);
}

/* A reassembled datagram, or a packet put together from several buffers, lies elsewhere. */
static bool inside(const struct rte_mbuf *m, const struct seg *seg)
{
	const uint8_t *start = rte_pktmbuf_mtod(m, const uint8_t *);

	return seg->data >= start && seg->data + seg->len <= start + rte_pktmbuf_data_len(m);
}

static bool keep(void *arg, struct seg *seg)
{
	struct worker *w = arg;
	bool small = seg->len <= WORKER_SMALL;
	uint8_t *copy;

	if (!small && inside(seg->owner, seg)) {
		rte_mbuf_refcnt_update(seg->owner, 1);
		return true;
	}
	copy = seg->len <= WORKER_LARGE ? pool_get(small ? &w->small : &w->large) : NULL;
	if (!copy)
		return false;
	memcpy(copy, seg->data, seg->len);
	seg->data = copy;
	seg->owner = copy + (small ? OWNER_SMALL : OWNER_LARGE);
	return true;
}

static void drop(void *arg, void *owner)
{
	struct worker *w = arg;
	uintptr_t kind = (uintptr_t)owner & OWNER_MASK;

	if (kind == OWNER_MBUF)
		rte_pktmbuf_free(owner);
	else
		pool_put(kind == OWNER_SMALL ? &w->small : &w->large, (uint8_t *)owner - kind);
}

/* The bytes of a packet in one piece. */
static void gather(struct worker *w, const struct rte_mbuf *m, struct pkt *p, int slot)
{
	uint8_t *room = w->scratch + (size_t)slot * WORKER_LARGE;

	p->len = p->wire_len < WORKER_LARGE ? p->wire_len : WORKER_LARGE;
	p->data = rte_pktmbuf_read(m, 0, p->len, room);
	w->linearised++;
}

static void process(struct worker *w, struct rte_mbuf **mbufs, uint16_t n)
{
	struct pkt pkts[WORKER_BURST];
	uint64_t now = clock_ns(&w->clock);

	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = mbufs[i];

		/* One by one: to clear the rest, which decoding fills in, costs as much as it. */
		pkts[i].data = rte_pktmbuf_mtod(m, const uint8_t *);
		pkts[i].len = pkts[i].wire_len = rte_pktmbuf_pkt_len(m);
		pkts[i].ts_ns = now;
		pkts[i].link = LINK_ETHERNET;
		pkts[i].port = m->port;
		pkts[i].owner = m;
		if (__builtin_expect(m->nb_segs > 1, 0))
			gather(w, m, &pkts[i], i);
	}
	pipeline_burst(&w->pl, pkts, n);
	rte_pktmbuf_free_bulk(mbufs, n);
}

/* One look at every queue. @return packets. */
static unsigned poll(struct worker *w)
{
	struct rte_mbuf *mbufs[WORKER_BURST];
	unsigned sum = 0, n;

	if (w->ring) {
		n = rte_ring_sc_dequeue_burst(w->ring, (void **)mbufs, WORKER_BURST, NULL);
		if (n)
			process(w, mbufs, (uint16_t)n);
		return n;
	}
	for (int i = 0; i < w->ports->n; i++) {
		n = rte_eth_rx_burst(w->ports->at[i].id, w->id, mbufs, WORKER_BURST);
		if (n)
			process(w, mbufs, (uint16_t)n);
		sum += n;
	}
	return sum;
}

/* Nothing came: let timers run. */
static void idle(struct worker *w)
{
	uint64_t now = clock_ns(&w->clock);

	if (now - w->pl.now_ns > TICK_NS) {
		w->pl.now_ns = now;
		pipeline_burst(&w->pl, NULL, 0);
	}
	rte_pause();
}

int worker_run(void *worker)
{
	struct worker *w = worker;
	unsigned self = rte_lcore_id();

	w->pl.keeper.keep = keep;
	w->pl.keeper.drop = drop;
	w->pl.keeper.arg = w;
	grace_enter(self);
	while (!__atomic_load_n(w->stop, __ATOMIC_ACQUIRE)) {
		if (!poll(w))
			idle(w);
		grace_turn(self);
	}
	for (int i = 0; i < LAST_BURSTS && poll(w); i++)
		grace_turn(self);
	grace_leave(self);
	w->out.patient = true;
	pipeline_finish(&w->pl);
	return 0;
}
