/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/verdict.h"
#include "decode/tcp.h"

/** Bytes of a TCP stream: `data` lies at stream offset `off` of its direction. */
struct seg {
	const uint8_t *data;
	uint32_t len;
	uint32_t seq;   /* TCP sequence number of data[0] */
	uint64_t off;   /* stream offset of data[0]; set when the segment is delivered */
	uint64_t ts_ns; /* time of the packet that brought it */
	void *owner;    /* what keeps `data` alive; opaque here */
};

/**
 * How segments that cannot be delivered yet are kept. The source decides: a live port keeps a
 * reference to its buffer, a file copies.
 */
struct reasm_keeper {
	/** Make seg->data and seg->owner last until drop(). @return false: no room. */
	bool (*keep)(void *arg, struct seg *seg);
	/** Let go of what keep() kept. */
	void (*drop)(void *arg, void *owner);
	void *arg;
	uint32_t max_segs;  /* held segments a direction */
	uint32_t max_bytes; /* held bytes a direction */
	struct pool nodes;  /* one a held segment; its size is the budget in total */
};

/** Bytes of one node of reasm_keeper.nodes. */
size_t reasm_node_size(void);

/**
 * One direction of a TCP connection, put in order.
 *
 * Bytes in order go straight through. A segment ahead of a hole is kept until the hole is filled or
 * is declared lost. Delivered bytes are never delivered again. Of copies that are held the first
 * wins; a segment that is next goes out whole, over what is held.
 */
struct reasm {
	uint64_t off;  /* stream offset of `next` */
	uint32_t next; /* sequence number expected next */
	uint32_t held; /* head of the list of held segments, by sequence; a node index */
	uint32_t tail; /* last of that list */
	uint32_t held_bytes;
	uint16_t held_segs;
	bool started; /* `next` is valid */
	uint8_t acked; /* the caller's: the other end has the bytes of the hole: 1 + segments since */
	/* the caller's: since when it waits, or since when `acked`; 0: it does not */
	uint32_t stuck_ms;
};

void reasm_init(struct reasm *r);

/** Begin the stream at sequence number @p seq; a stream that has begun stays as it is. */
void reasm_start(struct reasm *r, uint32_t seq);

/**
 * Offer one segment.
 *
 * @param seg  Borrowed. On V_OK trimmed to the bytes that are new and next in order: the caller
 *             delivers them, then calls reasm_pull() until it returns V_MORE.
 * @return V_OK; V_HELD (kept by k->keep); V_DUPLICATE (nothing new in it); V_OUTSIDE (too far from
 *         the expected number to be of this stream); V_REASM_BUDGET (not kept: budget spent).
 *
 * Context: worker; no allocation, no lock.
 */
enum verdict reasm_push(struct reasm *r, struct reasm_keeper *k, struct seg *seg);

/**
 * Take the next held segment that is now in order; the caller owns it and gives seg->owner to
 * k->drop() when done.
 * @return V_OK, or V_MORE when a hole (or nothing) follows.
 */
enum verdict reasm_pull(struct reasm *r, struct reasm_keeper *k, struct seg *seg);

/**
 * Give back the rest of a delivered segment that its reader cannot take yet. The bytes are next in
 * line for reasm_pull().
 *
 * @param seg   The segment, already advanced to the bytes not taken.
 * @param kept  true if seg came from reasm_pull(): the owner goes back with it; else k->keep is asked.
 * @return V_OK; V_REASM_BUDGET: no room, the bytes count as delivered and stay with the caller.
 */
enum verdict reasm_defer(struct reasm *r, struct reasm_keeper *k, struct seg *seg, bool kept);

/**
 * Is there a hole before the first held segment?
 * @param end  Set to the sequence number at which it ends.
 */
bool reasm_hole(const struct reasm *r, const struct reasm_keeper *k, uint32_t *end);

/**
 * Has the receiver of this stream got every byte of the hole, which then was lost on the way to us?
 *
 * @param end   Where the hole ends, by reasm_hole().
 * @param ack   Its cumulative acknowledgement.
 * @param sack  @p n spans that it has beyond that, by tcp_sack(), in any order.
 */
bool reasm_acked(
	const struct reasm *r, uint32_t end, uint32_t ack, const struct tcp_span *sack, int n);

/**
 * Declare the hole before the first held segment lost.
 * @return bytes skipped; 0 if there is no hole.
 */
uint32_t reasm_skip(struct reasm *r, struct reasm_keeper *k);

/** Drop every held segment. */
void reasm_fini(struct reasm *r, struct reasm_keeper *k);
