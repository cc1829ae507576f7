/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long it takes to find the connection of a packet among many: flow.h in its three passes, and
 * rte_hash in bulk, as one would use it: the same keys, 32 at a time, what it leads to loaded ahead. Once the
 * connection is found and its first line written to; once both of its lines are loaded and the packet is
 * accounted to it. They take turns; the best round of each counts.
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

#include "base/bytes.h"
#include "flow/flow.h"
#include "memory.h"

enum { BURST = 32, BURSTS = 10000, ROUNDS = 25 };

static uint32_t conns;
static uint8_t (*order)[4]; /* the client of each packet of a round */
static const uint8_t server[4] = { 10, 0, 0, 1 };
static struct flow *flow;
static struct conn *mirror; /* what rte_hash leads to */

/** rte_hash with keys that hold IPv4 only, and with keys that hold either. */
static struct baseline {
	const char *name;
	uint32_t key_len;
	struct rte_hash *hash;
} baselines[] = { { "IPv4 keys", 16, NULL }, { "IPv4 or IPv6 keys", 40, NULL } };

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

static void put_addr(uint8_t *addr, uint32_t n)
{
	memcpy(addr, (uint8_t[]){ 11, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n }, 4);
}

static struct pkt packet(const uint8_t *addr)
{
	return (struct pkt){ .src = addr,
		.dst = server,
		.addr_len = 4,
		.sport = 40000,
		.dport = 443,
		.tcp_flags = TCP_ACK,
		.ts_ns = 1000000000000,
		.wire_len = 1514 };
}

/* What rte_hash finds a connection by: both directions have one key. */
struct key {
	uint32_t addr[2];
	uint16_t port[2];
	uint32_t zero[7];
};

static void make_key(struct key *k, const struct pkt *p)
{
	uint32_t src = get_be32(p->src), dst = get_be32(p->dst);
	bool low = src < dst;

	*k = (struct key){ { low ? src : dst, low ? dst : src },
		{ low ? p->sport : p->dport, low ? p->dport : p->sport }, { 0 } };
}

static void make_hash(struct baseline *b)
{
	struct rte_hash_parameters p = { .name = b->name,
		.entries = conns * 2,
		.key_len = b->key_len,
		.hash_func = rte_hash_crc,
		.socket_id = SOCKET_ID_ANY };

	b->hash = rte_hash_create(&p);
	if (!b->hash)
		die("no memory; give the EAL more by -m MB");
}

static void add(uint32_t n)
{
	uint8_t addr[4];
	struct conn *old;
	struct key key;
	struct pkt pkt = packet(addr);
	struct flow_look l;

	put_addr(addr, n);
	make_key(&key, &pkt);
	flow_look(flow, &pkt, &l);
	if (!flow_get(flow, &pkt, &l, &old))
		die("a table is full");
	for (int i = 0; i < 2; i++)
		if (rte_hash_add_key_data(baselines[i].hash, &key, &mirror[n]) < 0)
			die("a table is full");
}

static void fill(void)
{
	struct flow_cfg cfg = {
		.max_conns = conns * 2, .idle_ms = 600000, .new_ms = 600000, .seed = 1
	};
	void *mem = memory_reserve(flow_bytes(&cfg));

	order = malloc(BURSTS * BURST * sizeof(*order));
	mirror = memory_reserve((size_t)conns * sizeof(*mirror));
	if (!mem || !order || !mirror)
		die("no memory");
	for (int i = 0; i < 2; i++)
		make_hash(&baselines[i]);
	memory_huge(mem, flow_bytes(&cfg));
	memory_huge(mirror, (size_t)conns * sizeof(*mirror));
	flow = flow_init(mem, &cfg);
	for (uint32_t i = 0; i < conns; i++)
		add(i);
}

static void shuffle(void)
{
	for (int i = 0; i < BURSTS * BURST; i++)
		put_addr(order[i], draw());
}

/* @return cycles a packet. */
static double by_flow(struct pkt *pkts, bool accounting)
{
	uint64_t start = rte_rdtsc();

	for (int b = 0; b < BURSTS; b++) {
		struct flow_look l[BURST];
		struct conn *old;

		for (int i = 0; i < BURST; i++) {
			pkts[i].src = order[b * BURST + i];
			flow_look(flow, &pkts[i], &l[i]);
		}
		for (int i = 0; i < BURST; i++) {
			const struct conn *c = flow_peek(flow, &l[i]);

			if (accounting)
				for (size_t at = 0; at < sizeof(*c); at += 64)
					__builtin_prefetch((const uint8_t *)c + at);
		}
		for (int i = 0; i < BURST; i++) {
			struct conn *c = accounting ? flow_get(flow, &pkts[i], &l[i], &old) :
						      flow_find(flow, &pkts[i], &l[i]);

			if (!c)
				die("a connection is gone");
			c->packets[1] += !accounting;
		}
	}
	return (double)(rte_rdtsc() - start) / BURSTS / BURST;
}

static void account(void **data, const struct pkt *pkts, bool accounting)
{
	for (int i = 0; i < BURST; i++)
		for (size_t at = 0; at < (accounting ? sizeof(struct conn) : 1); at += 64)
			__builtin_prefetch((uint8_t *)data[i] + at);
	for (int i = 0; i < BURST; i++) {
		struct conn *c = data[i];

		c->packets[1]++;
		if (!accounting)
			continue;
		c->bytes[1] += pkts[i].wire_len;
		c->tcp_flags[1] |= pkts[i].tcp_flags;
		c->last_ns = pkts[i].ts_ns;
	}
}

static double by_hash(const struct baseline *by, struct pkt *pkts, bool accounting)
{
	uint64_t start = rte_rdtsc(), found = 0;

	for (int b = 0; b < BURSTS; b++) {
		struct key key[BURST];
		const void *keys[BURST];
		void *data[BURST];
		uint64_t hits;

		for (int i = 0; i < BURST; i++) {
			pkts[i].src = order[b * BURST + i];
			make_key(&key[i], &pkts[i]);
			keys[i] = &key[i];
		}
		found += (uint64_t)rte_hash_lookup_bulk_data(by->hash, keys, BURST, &hits, data);
		account(data, pkts, accounting);
	}
	if (found != BURSTS * BURST)
		die("a connection is gone");
	return (double)(rte_rdtsc() - start) / BURSTS / BURST;
}

/* What disturbs a round only adds to it. */
static double best(const double *v)
{
	double low = v[0];

	for (int i = 1; i < ROUNDS; i++)
		low = v[i] < low ? v[i] : low;
	return low;
}

static void compare(bool accounting)
{
	double ours[ROUNDS], theirs[2][ROUNDS];
	struct pkt pkts[BURST];

	for (int i = 0; i < BURST; i++)
		pkts[i] = packet(order[0]);
	for (int r = 0; r < ROUNDS; r++) {
		shuffle();
		for (int i = 0; i < 2; i++)
			theirs[i][r] = by_hash(&baselines[i], pkts, accounting);
		ours[r] = by_flow(pkts, accounting);
	}
	printf("%u connections, %s: %.0f cycles a packet", conns,
		accounting ? "found and accounted" : "found", best(ours));
	for (int i = 0; i < 2; i++)
		printf("; rte_hash in bulk, %s, %.0f: %.2f x", baselines[i].name, best(theirs[i]),
			best(theirs[i]) / best(ours));
	putchar('\n');
}

int main(int argc, char **argv)
{
	conns = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	if (!conns || conns > 1 << 24 || rte_eal_init(argc - 1, argv + 1) < 0)
		die("usage: bench_flow CONNECTIONS EAL-ARGUMENTS");
	fill();
	compare(false);
	compare(true);
	return 0;
}
