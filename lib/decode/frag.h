/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct frag;

struct frag_cfg {
	uint32_t max_datagrams; /* at once, 1 or more; each reserves 65 KB of address space */
	uint32_t timeout_ms;    /* packet time, from the first fragment seen; 30000 is usual */
	uint64_t seed;          /* of the hash; random in production */
};

/** One IP fragment. All pointers are borrowed. */
struct frag_piece {
	const uint8_t *src; /* addr_len bytes */
	const uint8_t *dst;
	const uint8_t *data;
	uint32_t len;
	uint32_t off; /* bytes, a multiple of 8 */
	uint32_t id;
	uint8_t addr_len; /* 4 or 16 */
	uint8_t proto;    /* of the header that follows; part of the identity in IPv4 only */
	bool more;
	uint64_t ts_ns;
};

/** Bytes of memory for a reassembler of this configuration. */
size_t frag_bytes(const struct frag_cfg *cfg);

/**
 * @param mem  frag_bytes() bytes of any content, aligned to 64; kept until the reassembler is no
 *             longer used. Buffers of datagrams that never existed are not touched.
 */
struct frag *frag_init(void *mem, const struct frag_cfg *cfg);

/**
 * Add one fragment to its datagram.
 *
 * Fragments come in any order; a copy of bytes already there is harmless. Any other overlap, or
 * an end that does not fit, drops the whole datagram (RFC 5722, applied to IPv4 as well). When the
 * table is full the oldest datagram is given up.
 *
 * @param whole  On V_OK the datagram's payload; borrowed until frag_release().
 * @param proto  On V_OK the protocol that its first fragment names.
 * @return V_OK (it is whole), V_FRAGMENT (kept), V_FRAGMENT_BAD.
 *
 * Context: worker; no allocation, no lock; copies the fragment, work bounded by 64 KB.
 */
enum verdict frag_push(
	struct frag *f, const struct frag_piece *piece, struct rd *whole, uint8_t *proto);

/** Take back all datagrams that frag_push() returned: they have been read. */
void frag_release(struct frag *f);

/** Datagrams given up so far: timed out, or evicted for newer ones (V_FRAGMENT_LOST). */
uint64_t frag_lost(const struct frag *f);

/** Datagrams that wait for fragments now; at the end of a capture these are lost too. */
uint32_t frag_held(const struct frag *f);
