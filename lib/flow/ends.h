/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
 * The keys of all connections, by index of the connection and apart from it: dense, so that looking for
 * one touches little memory. 16 bytes are all of an IPv4 key. For IPv6 they hold a digest, and the
 * addresses lie in a pool of their own.
 *
 * Context: one owner; no lock.
 */
struct ends {
	struct ends_brief *brief;
	struct pool addr6;
	uint64_t secret[5]; /* of the hash */
};

/** A packet's key: what is looked for. */
struct ends_look {
	struct ends_brief brief; /* kind ENDS_IPV4 for IPv6 as well */
	uint32_t hash;
	int end; /* the endpoint (0 or 1) that sent the packet */
};

/** Bytes for the keys of @p max connections. */
size_t ends_bytes(uint32_t max);

/**
 * @param mem   ends_bytes() bytes of zeros, aligned to 64; kept.
 * @param seed  Of the hash; random in production, and any number will do.
 */
void ends_init(struct ends *e, void *mem, uint32_t max, uint64_t seed);

/** The key of a packet of IPv4 or IPv6, and its hash: alike for both directions. @param l  Set. */
void ends_look(const struct ends *e, const struct pkt *p, struct ends_look *l);

/** Give connection @p index the key of a packet. */
void ends_put(struct ends *e, uint32_t index, const struct pkt *p, const struct ends_look *l);

/** Nothing matches @p index any more. */
void ends_forget(struct ends *e, uint32_t index);

/** The key of connection @p index, and the hash that its packets have. */
struct flow_key ends_key(const struct ends *e, uint32_t index);
uint32_t ends_hash(const struct ends *e, uint32_t index);

static inline bool ends_same_addr6(
	const struct ends *e, const struct ends_brief *b, const struct pkt *p, int end)
{
	const struct ends_addr6 *a = pool_at(&e->addr6, b->kind - 1);

	return !memcmp(a->addr[end], p->src, 16) && !memcmp(a->addr[!end], p->dst, 16);
}

/** Is this the packet's connection? */
static inline bool ends_match(
	const struct ends *e, uint32_t index, const struct pkt *p, const struct ends_look *l)
{
	const struct ends_brief *b = &e->brief[index];

	if (b->addr != l->brief.addr || b->ports != l->brief.ports)
		return false;
	if (p->addr_len == 4 || b->kind == ENDS_IPV4)
		return p->addr_len == 4 && b->kind == ENDS_IPV4;
	return b->kind != ENDS_FREE && ends_same_addr6(e, b, p, l->end);
}
