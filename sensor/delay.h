/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>
#include <rte_mbuf.h>

#define DELAY_MAX 8192 /* packets; a power of two */

/**
 * Packets on hold, all for the same time: for keys that are written to a file as the handshake goes
 * by, and may come a little late. All zeros is empty. Context: one worker.
 */
struct delay {
	uint32_t head; /* packets ever put in, and ever taken out */
	uint32_t tail;
	struct {
		struct rte_mbuf *mbuf;
		uint64_t due_ns;
	} at[DELAY_MAX];
};

/** Packets that still fit. */
static inline uint32_t delay_room(const struct delay *d)
{
	return DELAY_MAX - (d->head - d->tail);
}

/** Put in @p n packets, at most delay_room(), to come out at @p due_ns. */
static inline void delay_push(
	struct delay *d, struct rte_mbuf *const *mbufs, uint16_t n, uint64_t due_ns)
{
	for (uint16_t i = 0; i < n; i++, d->head++) {
		d->at[d->head & (DELAY_MAX - 1)].mbuf = mbufs[i];
		d->at[d->head & (DELAY_MAX - 1)].due_ns = due_ns;
	}
}

/** Take out at most @p max packets that are due. @return how many. */
static inline uint16_t delay_pull(
	struct delay *d, struct rte_mbuf **mbufs, uint16_t max, uint64_t now_ns)
{
	uint16_t n = 0;

	while (n < max && d->tail != d->head && d->at[d->tail & (DELAY_MAX - 1)].due_ns <= now_ns)
		mbufs[n++] = d->at[d->tail++ & (DELAY_MAX - 1)].mbuf;
	return n;
}
