/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/pool.h"
#include "decode/pkt.h"

/** Both endpoints of a connection, the lower one first, so that both directions have one key. */
struct flow_key {
	uint8_t addr[2][16]; /* network order; IPv4 in the first 4 bytes, the rest 0 */
	uint16_t port[2];    /* host order */
	uint8_t addr_len;    /* 4 or 16 */
	uint8_t pad[3];      /* 0 */
};

/** A key as it is compared: one word of addresses, one of ports and of what kind it is. */
struct ends_brief {
	uint64_t addr;  /* IPv4: both as numbers, the lower one first; IPv6: a digest */
	uint32_t ports; /* in that order */
	uint32_t kind;  /* enum ends_kind, or the index of the IPv6 addresses + 1 */
};

enum ends_kind { ENDS_IPV4 = 0, ENDS_FREE = UINT32_MAX };

struct ends_addr6 {
	uint8_t addr[2][16];
};

/**
 * What the keys of all connections share. A connection holds 16 bytes of its own: all of an IPv4 key; of IPv6
 * a digest, and the addresses lie in a pool here.
 *
 * Context: one owner; no lock.
 */
struct ends {
	struct pool addr6;
	uint64_t secret[5]; /* of the hash */
};

/** A packet's key: what is looked for. */
struct ends_look {
	struct ends_brief brief; /* kind ENDS_IPV4 for IPv6 as well */
	uint32_t hash;
	int end; /* the endpoint (0 or 1) that sent the packet */
};

/** Bytes beside the keys of @p max connections. */
size_t ends_bytes(uint32_t max);

/**
 * @param mem   ends_bytes() bytes of zeros, aligned to 64; kept.
 * @param seed  Of the hash; random in production, and any number will do.
 */
void ends_init(struct ends *e, void *mem, uint32_t max, uint64_t seed);

static inline uint64_t ends_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/** ends_look() of IPv6, all but the hash. */
void ends_look6(const struct ends *e, const struct pkt *p, struct ends_look *l);

/* The sender is endpoint 1 if it has the higher address, or port: anybody's guess, so no branch. */
static inline void ends_look4(const struct pkt *p, struct ends_look *l)
{
	uint64_t src = (uint64_t)get_be32(p->src) << 16 | p->sport;
	uint64_t dst = (uint64_t)get_be32(p->dst) << 16 | p->dport;
	uint64_t low = src > dst ? dst : src, high = src > dst ? src : dst;

	l->end = src > dst;
	l->brief.addr = low >> 16 | high >> 16 << 32;
	l->brief.ports = (low & 0xffff) | (uint32_t)high << 16;
}

/**
 * The key of a packet of IPv4 or IPv6, and its hash: alike for both directions. @param l  Set.
 *
 * Runs for every packet, so two multiplications instead of a cipher, four with IPv6. Who managed to
 * choose buckets in spite of the secret would only evict worthless connections from two of them.
 */
static inline void ends_look(const struct ends *e, const struct pkt *p, struct ends_look *l)
{
	const uint64_t *secret = e->secret;

	if (__builtin_expect(p->addr_len == 4, 1))
		ends_look4(p, l);
	else
		ends_look6(e, p, l);
	l->brief.kind = ENDS_IPV4;
	l->hash = (uint32_t)ends_fold(
		ends_fold(l->brief.addr ^ secret[2], l->brief.ports ^ secret[3]) ^ secret[0],
		secret[4] | 1);
}

/** Give a connection the key of a packet. @param b  The connection's; set. */
void ends_put(struct ends *e, struct ends_brief *b, const struct pkt *p, const struct ends_look *l);

/** Nothing matches it any more. */
void ends_forget(struct ends *e, struct ends_brief *b);

/** The key of a connection, and the hash that its packets have. */
struct flow_key ends_key(const struct ends *e, const struct ends_brief *b);
uint32_t ends_hash(const struct ends *e, const struct ends_brief *b);

static inline bool ends_same_addr6(
	const struct ends *e, const struct ends_brief *b, const struct pkt *p, int end)
{
	const struct ends_addr6 *a = pool_at(&e->addr6, b->kind - 1);

	return !memcmp(a->addr[end], p->src, 16) && !memcmp(a->addr[!end], p->dst, 16);
}

/** Is this the packet's connection? */
static inline bool ends_match(const struct ends *e, const struct ends_brief *b, const struct pkt *p,
	const struct ends_look *l)
{
	if (b->addr != l->brief.addr || b->ports != l->brief.ports)
		return false;
	if (p->addr_len == 4 || b->kind == ENDS_IPV4)
		return p->addr_len == 4 && b->kind == ENDS_IPV4;
	return b->kind != ENDS_FREE && ends_same_addr6(e, b, p, l->end);
}
