/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "decode/pkt.h"

/** Bytes of a stream, by their sequence numbers: from the first to the one after the last. */
struct tcp_span {
	uint32_t from;
	uint32_t to;
};

#define TCP_SACK_MAX 4 /* blocks that fit the options of a segment */

/**
 * What the sender of a decoded segment has received out of order (RFC 2018). Asked only where it may
 * matter: nothing else reads the options.
 *
 * @param p      frame_decode() said V_OK, and its bytes are still there.
 * @param spans  Set to the blocks; none is empty. Any of them may be false, as an ACK may be.
 * @return how many; 0 if there is no such option, or what is before it is malformed or was cut off.
 *
 * Context: worker.
 */
int tcp_sack(const struct pkt *p, struct tcp_span spans[TCP_SACK_MAX]);
