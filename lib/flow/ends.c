/* SPDX-License-Identifier: BSD-3-Clause */
/* Which two endpoints a connection is between: kept small, and hashed so that outsiders cannot aim. */
#include "flow/ends.h"

size_t ends_bytes(uint32_t max)
{
	return pool_bytes(max, sizeof(struct ends_addr6));
}

/* Draw the hash's secret from the seed, however small that is (SplitMix64). */
static void spread(uint64_t seed, uint64_t *secret, int n)
{
	for (int i = 0; i < n; i++) {
		uint64_t x = seed += 0x9e3779b97f4a7c15u;

		x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
		x = (x ^ x >> 27) * 0x94d049bb133111ebu;
		secret[i] = x ^ x >> 31;
	}
}

void ends_init(struct ends *e, void *mem, uint32_t max, uint64_t seed)
{
	pool_init(&e->addr6, mem, max, sizeof(struct ends_addr6));
	spread(seed, e->secret, 5);
}

static uint64_t load(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

void ends_look6(const struct ends *e, const struct pkt *p, struct ends_look *l)
{
	const uint64_t *secret = e->secret;
	const int diff = memcmp(p->src, p->dst, 16);
	const bool end = diff > 0 || (diff == 0 && p->sport > p->dport);
	const uint8_t *low = end ? p->dst : p->src, *high = end ? p->src : p->dst;
	uint32_t ports = p->sport | (uint32_t)p->dport << 16;

	l->end = end;
	l->brief.addr = ends_fold(load(low) ^ secret[0], load(low + 8) ^ secret[1]) ^
		ends_fold(load(high) ^ secret[2], load(high + 8) ^ secret[3]);
	l->brief.ports = end ? ports << 16 | ports >> 16 : ports;
}

void ends_put(struct ends *e, struct ends_brief *b, const struct pkt *p, const struct ends_look *l)
{
	struct ends_addr6 *a;

	*b = l->brief;
	if (p->addr_len == 4)
		return;
	a = pool_get(&e->addr6); /* there are as many as connections */
	memcpy(a->addr[l->end], p->src, 16);
	memcpy(a->addr[!l->end], p->dst, 16);
	b->kind = pool_index(&e->addr6, a) + 1;
}

void ends_forget(struct ends *e, struct ends_brief *b)
{
	if (b->kind != ENDS_IPV4)
		pool_put(&e->addr6, pool_at(&e->addr6, b->kind - 1));
	b->kind = ENDS_FREE;
}

struct flow_key ends_key(const struct ends *e, const struct ends_brief *b)
{
	struct flow_key k = { .port = { (uint16_t)b->ports, (uint16_t)(b->ports >> 16) },
		.addr_len = b->kind == ENDS_IPV4 ? 4 : 16 };

	if (b->kind == ENDS_IPV4) {
		put_be32(k.addr[0], (uint32_t)b->addr);
		put_be32(k.addr[1], (uint32_t)(b->addr >> 32));
	} else {
		memcpy(k.addr, ((struct ends_addr6 *)pool_at(&e->addr6, b->kind - 1))->addr, 32);
	}
	return k;
}

uint32_t ends_hash(const struct ends *e, const struct ends_brief *b)
{
	const struct flow_key k = ends_key(e, b);
	const struct pkt p = { .src = k.addr[0],
		.dst = k.addr[1],
		.sport = k.port[0],
		.dport = k.port[1],
		.addr_len = k.addr_len };
	struct ends_look l;

	ends_look(e, &p, &l);
	return l.hash;
}
