/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long it takes to find the connection of a packet among many: flow.h in its three passes, and
 * rte_hash in bulk, as one would use it: the same keys, 32 at a time, then the connection itself
 * prefetched and accounted to. They take turns; medians.
 *
 * usage: bench_flow CONNECTIONS EAL-ARGUMENTS
 */
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow.h"
#include "memory.h"

enum { BURST = 32, BURSTS = 40000, ROUNDS = 7 };

static uint32_t conns;
static uint8_t (*addr)[4];
static const uint8_t server[4] = { 10, 0, 0, 1 };
static struct flow *flow;
static struct rte_hash *hash;
static struct conn *mirror; /* what rte_hash leads to */

static void die(const char *what)
{
	fprintf(stderr, "bench_flow: %s\n", what);
	exit(EXIT_FAILURE);
}

static uint32_t draw(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)((x >> 32) * conns >> 32);
}

static struct pkt packet(uint32_t n)
{
	return (struct pkt){ .src = addr[n],
		.dst = server,
		.addr_len = 4,
		.sport = 40000,
		.dport = 443,
		.tcp_flags = TCP_ACK,
		.ts_ns = 1000000000000,
		.wire_len = 1514 };
}

static void fill(void)
{
	struct flow_cfg cfg = {
		.max_conns = conns * 2, .idle_ms = 600000, .new_ms = 600000, .seed = 7
	};
	struct rte_hash_parameters p = { .name = "conns",
		.entries = conns * 2,
		.key_len = sizeof(struct flow_key),
		.hash_func = rte_hash_crc,
		.socket_id = SOCKET_ID_ANY };
	void *mem = memory_reserve(flow_bytes(&cfg));

	addr = malloc((size_t)conns * 4);
	mirror = memory_reserve((size_t)conns * sizeof(*mirror));
	hash = rte_hash_create(&p);
	if (!mem || !addr || !mirror || !hash)
		die("no memory; give the EAL more by -m MB");
	memory_huge(mem, flow_bytes(&cfg));
	memory_huge(mirror, (size_t)conns * sizeof(*mirror));
	flow = flow_init(mem, &cfg);
	for (uint32_t i = 0; i < conns; i++) {
		struct conn *old;
		struct flow_look l;
		struct pkt pkt;

		memcpy(addr[i],
			(uint8_t[]){ 11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }, 4);
		pkt = packet(i);
		l = flow_look(flow, &pkt);
		if (!flow_get(flow, &pkt, &l, &old) ||
			rte_hash_add_key_data(hash, &l.key, &mirror[i]) < 0)
			die("a table is full");
	}
}

static double by_flow(struct pkt *pkts)
{
	uint64_t start = rte_rdtsc();

	for (int b = 0; b < BURSTS; b++) {
		struct flow_look l[BURST];
		struct conn *old;

		for (int i = 0; i < BURST; i++) {
			pkts[i].src = addr[draw()];
			l[i] = flow_look(flow, &pkts[i]);
		}
		for (int i = 0; i < BURST; i++)
			flow_peek(flow, &l[i]);
		for (int i = 0; i < BURST; i++)
			if (!flow_get(flow, &pkts[i], &l[i], &old))
				die("a connection is gone");
	}
	return (double)(rte_rdtsc() - start) / BURSTS / BURST;
}

static double by_hash(struct pkt *pkts)
{
	uint64_t start = rte_rdtsc();

	for (int b = 0; b < BURSTS; b++) {
		struct flow_look l[BURST];
		const void *keys[BURST];
		void *data[BURST];
		uint64_t hits;

		for (int i = 0; i < BURST; i++) {
			pkts[i].src = addr[draw()];
			l[i] = flow_look(flow, &pkts[i]); /* the key is to be made in any case */
			keys[i] = &l[i].key;
		}
		if (rte_hash_lookup_bulk_data(hash, keys, BURST, &hits, data) != BURST)
			die("a connection is gone");
		for (int i = 0; i < BURST; i++)
			for (size_t at = 0; at < 192; at += 64)
				__builtin_prefetch((uint8_t *)data[i] + at);
		for (int i = 0; i < BURST; i++) {
			struct conn *c = data[i];

			c->packets[l[i].end]++;
			c->bytes[l[i].end] += pkts[i].wire_len;
			c->tcp_flags[l[i].end] |= pkts[i].tcp_flags;
			c->last_ns = pkts[i].ts_ns;
		}
	}
	return (double)(rte_rdtsc() - start) / BURSTS / BURST;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	double ours[ROUNDS], theirs[ROUNDS];
	struct pkt pkts[BURST];

	conns = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	if (!conns || conns > 1 << 24 || rte_eal_init(argc - 1, argv + 1) < 0)
		die("usage: bench_flow CONNECTIONS EAL-ARGUMENTS");
	fill();
	for (int i = 0; i < BURST; i++)
		pkts[i] = packet(0);
	for (int r = 0; r < ROUNDS; r++) {
		theirs[r] = by_hash(pkts);
		ours[r] = by_flow(pkts);
	}
	qsort(ours, ROUNDS, sizeof(*ours), by_value);
	qsort(theirs, ROUNDS, sizeof(*theirs), by_value);
	printf("%u connections, cycles a packet with accounting: rte_hash bulk %.0f, flow %.0f: %.2f x\n",
		conns, theirs[ROUNDS / 2], ours[ROUNDS / 2], theirs[ROUNDS / 2] / ours[ROUNDS / 2]);
	return 0;
}
