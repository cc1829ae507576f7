/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "tls/text.h"

#define FRAMES_MTU 1500              /* default; the largest, too */
#define FRAMES_MAX (14 + FRAMES_MTU) /* longest frame */
#define FRAMES_GAP_MAX (1u << 25)    /* longest hole: it must stay inside the TCP window */

/**
 * One connection retold in clear as Ethernet frames: SYN, SYN-ACK, ACK, data in segments, an ACK of
 * the receiver after each burst, FINs or RST. Sequence numbers count plaintext, each direction from
 * an initial number of its own; checksums are right; MACs are fixed, 02:63:74:00:00:01 (client) and
 * :02 (server).
 *
 * frames_text() and frames_end() set up what is to be sent; then frames_next() is called until it
 * returns 0. All zeros is a connection that has not begun. Indexes are enum tls_dir: [C2S] is the
 * client. addr and port may be changed between frames_init() and the first frame.
 */
struct frames {
	const uint8_t *data; /* what is left of the burst */
	uint32_t left;
	uint32_t unacked; /* bytes sent since the receiver's last ACK */
	uint32_t seq[2];  /* next sequence number of each side */
	uint8_t addr[2][16];
	uint16_t port[2]; /* host order */
	uint16_t mss;
	uint8_t addr_len; /* 4 or 16 */
	uint8_t step;     /* what comes next; 0: not begun */
	uint8_t dir;      /* who sends it */
};

/**
 * @param client  Endpoint of @p key that is the client.
 * @param id      Seed of the initial sequence numbers: another one for each connection, so that a
 *                port pair that is used again does not look like a retransmission.
 * @param mtu     IP bytes a frame, 576..FRAMES_MTU.
 */
void frames_init(
	struct frames *f, const struct flow_key *key, int client, uint64_t id, uint16_t mtu);

static inline bool frames_begun(const struct frames *f)
{
	return f->step != 0;
}

/** Send @p len bytes of plaintext. @param data  Borrowed until frames_next() returns 0. */
void frames_text(struct frames *f, enum tls_dir dir, const uint8_t *data, uint32_t len);

/**
 * Leave a hole of @p missing bytes (at most FRAMES_GAP_MAX) in the sequence numbers of a direction:
 * the reader must not take what follows for a continuation. Nothing before the first frame.
 */
void frames_gap(struct frames *f, enum tls_dir dir, uint64_t missing);

/** End the connection, by the side @p dir: with RST, else with FINs both ways. */
void frames_end(struct frames *f, enum tls_dir dir, bool rst);

/**
 * The next frame, without FCS.
 *
 * @param buf  FRAMES_MAX bytes.
 * @return its length; 0 if there is nothing (more) to send.
 *
 * Context: any; no allocation, no lock.
 */
size_t frames_next(struct frames *f, uint8_t *buf);
