/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Without RSS, software has to see that both directions of a connection come to one worker. The hash
 * is over the innermost addresses, without ports: so fragments go where their connection goes. Only
 * the fragments of a tunnel go by its outer addresses; what they carry may be another worker's.
 */
#include "dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "decode/frame.h"
#include "grace.h"
#include "keyring.h"

#define BURST 32
#define LAST_BURSTS 65536 /* read at most so many more when told to stop */

/* Packets on their way to one worker. */
struct hand {
	unsigned n;
	struct rte_mbuf *mbufs[BURST];
};

int dispatch_init(struct dispatch *d, const struct ports *ports, int workers, const bool *stop)
{
	char name[RTE_RING_NAMESIZE];

	d->ports = ports;
	d->stop = stop;
	d->workers = workers;
	d->seed = keyring_seed() | 1;
	for (int i = 0; i < workers; i++) {
		snprintf(name, sizeof(name), "worker%d", i);
		d->ring[i] = rte_ring_create(
			name, DISPATCH_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (!d->ring[i]) {
			fprintf(stderr, "cleartap: no memory for the ring of worker %d\n", i);
			return -ENOMEM;
		}
	}
	return 0;
}

static uint64_t mix(const uint8_t *addr, uint32_t len, uint64_t seed)
{
	uint64_t word[2] = { 0 };
	unsigned __int128 m;

	memcpy(word, addr, len);
	m = (unsigned __int128)(word[0] ^ seed) * (word[1] ^ 0x9e3779b97f4a7c15u);
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static unsigned choose(const struct dispatch *d, struct rte_mbuf *m)
{
	struct pkt p = {
		.data = rte_pktmbuf_mtod(m, const uint8_t *),
		.len = rte_pktmbuf_data_len(m),
		.wire_len = rte_pktmbuf_pkt_len(m),
		.link = LINK_ETHERNET,
	};
	uint64_t hash;

	frame_decode(&p, NULL);
	if (!p.src)
		return 0;
	hash = mix(p.src, p.addr_len, d->seed) + mix(p.dst, p.addr_len, d->seed);
	return (unsigned)((hash >> 32) * (unsigned)d->workers >> 32);
}

static void pass(struct dispatch *d, int worker, struct hand *h)
{
	unsigned sent = rte_ring_sp_enqueue_burst(d->ring[worker], (void **)h->mbufs, h->n, NULL);

	if (sent < h->n) {
		__atomic_store_n(&d->full[worker], d->full[worker] + h->n - sent, __ATOMIC_RELAXED);
		rte_pktmbuf_free_bulk(h->mbufs + sent, h->n - sent);
	}
}

static unsigned deal(struct dispatch *d, uint16_t port)
{
	struct hand hands[OPTIONS_WORKERS_MAX];
	struct rte_mbuf *mbufs[BURST];
	uint16_t n = rte_eth_rx_burst(port, 0, mbufs, BURST);

	if (!n)
		return 0;
	for (int i = 0; i < d->workers; i++)
		hands[i].n = 0;
	for (uint16_t i = 0; i < n; i++) {
		struct hand *h;

		if (i + 1 < n)
			rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + 1], void *));
		h = &hands[choose(d, mbufs[i])];
		h->mbufs[h->n++] = mbufs[i];
	}
	for (int i = 0; i < d->workers; i++)
		if (hands[i].n)
			pass(d, i, &hands[i]);
	return n;
}

static unsigned deal_all(struct dispatch *d)
{
	unsigned n = 0;

	for (int i = 0; i < d->ports->n; i++)
		n += deal(d, d->ports->at[i].id);
	return n;
}

int dispatch_run(void *dispatch)
{
	struct dispatch *d = dispatch;
	unsigned self = rte_lcore_id();

	grace_enter(self);
	while (!__atomic_load_n(d->stop, __ATOMIC_ACQUIRE)) {
		if (!deal_all(d))
			rte_pause();
		grace_turn(self);
	}
	for (int i = 0; i < LAST_BURSTS && deal_all(d); i++)
		grace_turn(self);
	grace_leave(self);
	__atomic_store_n(&d->done, true, __ATOMIC_RELEASE);
	return 0;
}

int dispatch_drops(const struct dispatch *d, struct drop *out)
{
	for (int i = 0; i < d->workers; i++)
		out[i] = drop_init(DROP_WORKER_RING, (unsigned)i,
			__atomic_load_n(&d->full[i], __ATOMIC_RELAXED));
	return d->workers;
}

void dispatch_fini(struct dispatch *d)
{
	for (int i = 0; i < d->workers; i++)
		rte_ring_free(d->ring[i]);
}
