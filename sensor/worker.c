/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From receive queue to pipeline: a loop that only polls and computes. Buffers go back with the burst
 * that brought them, unless a segment ahead of a hole is held: it keeps a reference, or, being small,
 * a copy, so that 100 bytes do not pin 2 KB.
 */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "keyring.h"
#include "memory.h"

#define OUTQ_SIZE (32u << 20)
#define LARGE_MAX 64
#define TICK_NS 1000000u  /* how often an idle worker looks at its timers */
#define LAST_BURSTS 65536 /* read at most so many more when told to stop */

/* What keeps a held segment alive is told apart by the low bits of its address. */
enum { OWNER_MBUF, OWNER_SMALL, OWNER_LARGE, OWNER_MASK };

static uint64_t clock_ns(const struct clock *c)
{
	return c->ns + (uint64_t)((unsigned __int128)(rte_rdtsc() - c->tsc) * c->mult >> 32);
}

static struct clock clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (struct clock){
		.tsc = rte_rdtsc(),
		.ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec,
		.mult = (uint64_t)(((unsigned __int128)1000000000 << 32) / rte_get_tsc_hz()),
	};
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

uint32_t worker_buffers(const struct options *opt)
{
	return pipeline_live_cfg().max_held + (opt->delay_ms ? DELAY_MAX : 0);
}

uint32_t worker_conns(void)
{
	return pipeline_live_cfg().flow.max_conns;
}

/* Copies, scratch and the ring of events, in one piece of memory that is not dumped. */
static int reserve(struct worker *w, const struct options *opt)
{
	uint32_t held = pipeline_live_cfg().max_held;
	size_t small = (pool_bytes(held, WORKER_SMALL) + 63) & ~(size_t)63;
	size_t large = pool_bytes(LARGE_MAX, WORKER_LARGE);
	size_t scratch = (size_t)WORKER_BURST * WORKER_LARGE;
	size_t out = (outq_bytes(OUTQ_SIZE, worker_conns()) + 63) & ~(size_t)63;
	uint8_t *p;

	w->mem_len = out + small + large + scratch + sizeof(*w->delay);
	w->mem = p = memory_reserve(w->mem_len);
	if (!p) {
		perror("cleartap: no memory for a worker");
		return -ENOMEM;
	}
	outq_init(&w->out, p, OUTQ_SIZE, w->id, (uint32_t)opt->workers, worker_conns());
	p += out;
	pool_init(&w->small, p, held, WORKER_SMALL);
	p += small;
	pool_init(&w->large, p, LARGE_MAX, WORKER_LARGE);
	w->scratch = p + large;
	w->delay = (struct delay *)(w->scratch + scratch);
	w->delay_ns = (uint64_t)opt->delay_ms * 1000000;
	return 0;
}

int worker_init(struct worker *w, uint16_t id, const struct options *opt, const struct ports *ports,
	const struct keytab *keys)
{
	struct pipeline_cfg cfg = pipeline_live_cfg();
	int rc;

	w->id = id;
	w->ports = ports;
	rc = reserve(w, opt);
	if (rc)
		return rc;
	cfg.flow.seed = cfg.tls.seed = cfg.frag.seed = keyring_seed();
	cfg.tls.backend = opt->backend;
	rc = pipeline_init(&w->pl, &cfg, keys);
	w->pl.keeper.keep = keep;
	w->pl.keeper.drop = drop;
	w->pl.keeper.arg = w;
	w->pl.out.n = 1;
	w->pl.out.at[0].ops = &outq_ops;
	w->pl.out.at[0].sink = &w->out;
	w->clock = clock_now();
	return rc;
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

		pkts[i] = (struct pkt){
			.data = rte_pktmbuf_mtod(m, const uint8_t *),
			.len = rte_pktmbuf_pkt_len(m),
			.wire_len = rte_pktmbuf_pkt_len(m),
			.ts_ns = now,
			.link = LINK_ETHERNET,
			.port = m->port,
			.owner = m,
		};
		if (__builtin_expect(m->nb_segs > 1, 0))
			gather(w, m, &pkts[i], i);
	}
	pipeline_burst(&w->pl, pkts, n);
	rte_pktmbuf_free_bulk(mbufs, n);
}

static void take(struct worker *w, struct rte_mbuf **mbufs, uint16_t n)
{
	if (w->delay_ns)
		delay_push(w->delay, mbufs, n, clock_ns(&w->clock) + w->delay_ns);
	else if (n)
		process(w, mbufs, n);
}

/* Packets whose time has come; when there is no room for more, the oldest ones before it. */
static unsigned release(struct worker *w, uint64_t now_ns)
{
	struct rte_mbuf *mbufs[WORKER_BURST];
	unsigned sum = 0;
	uint16_t n;

	do {
		bool full = delay_room(w->delay) < WORKER_BURST * PORTS_MAX;

		n = delay_pull(w->delay, mbufs, WORKER_BURST, full ? UINT64_MAX : now_ns);
		if (n)
			process(w, mbufs, n);
		sum += n;
	} while (n == WORKER_BURST);
	return sum;
}

/* One look at every queue. @return packets. */
static unsigned poll(struct worker *w)
{
	struct rte_mbuf *mbufs[WORKER_BURST];
	unsigned sum = 0, n;

	if (w->delay_ns)
		sum = release(w, clock_ns(&w->clock));
	if (w->ring) {
		n = rte_ring_sc_dequeue_burst(w->ring, (void **)mbufs, WORKER_BURST, NULL);
		take(w, mbufs, (uint16_t)n);
		return sum + n;
	}
	for (int i = 0; i < w->ports->n; i++) {
		n = rte_eth_rx_burst(w->ports->at[i].id, w->id, mbufs, WORKER_BURST);
		take(w, mbufs, (uint16_t)n);
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

	while (!__atomic_load_n(w->stop, __ATOMIC_ACQUIRE))
		if (!poll(w))
			idle(w);
	for (int i = 0; i < LAST_BURSTS && poll(w); i++)
		;
	release(w, UINT64_MAX);
	w->out.patient = true;
	pipeline_finish(&w->pl);
	return 0;
}

void worker_fini(struct worker *w)
{
	pipeline_fini(&w->pl);
	memory_free(w->mem, w->mem_len);
}
