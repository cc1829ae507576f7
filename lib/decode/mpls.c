/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MPLS label stacks. Nothing in a stack says what follows it: routers know from the label, a tap
 * has to look. IP is taken if its length fits, else a pseudo-wire with Ethernet, with or without a
 * control word (RFC 4385, 4448).
 */
#include "decode/walk.h"

#define LABELS_MAX 16
#define BOTTOM 0x100 /* of stack; in the word of a label */

static bool fits_ip4(const struct walk *w)
{
	const uint8_t *h = w->r.p;
	uint32_t len;

	if (rd_left(&w->r) < 4 || h[0] >> 4 != 4 || (h[0] & 15) < 5)
		return false;
	len = get_be16(h + 2);
	return !len || (len >= 20 && len <= walk_wire(w));
}

static bool fits_ip6(const struct walk *w)
{
	const uint8_t *h = w->r.p;

	return rd_left(&w->r) >= 6 && h[0] >> 4 == 6 && get_be16(h + 4) + 40u <= walk_wire(w);
}

/** The type of an Ethernet header here would be one that is known. */
static bool ether_at(const struct walk *w, uint32_t off)
{
	return rd_left(&w->r) >= off + 14 && link_known(get_be16(w->r.p + off + 12));
}

static enum verdict payload(struct walk *w)
{
	if (fits_ip4(w))
		return walk_on(w, LAYER_IP4);
	if (fits_ip6(w))
		return walk_on(w, LAYER_IP6);
	/* A control word begins with 0, but so do most makers' addresses. */
	if (walk_peek(w) >> 4 == 0 && (ether_at(w, 4) || !ether_at(w, 0))) {
		TRY(rd_skip(&w->r, 4));
		return walk_on(w, LAYER_ETHER);
	}
	/* Neither: what the version nibble says, if it says anything. */
	return walk_on(w, ether_at(w, 0) ? LAYER_ETHER : LAYER_IP);
}

enum verdict mpls_decode(struct walk *w)
{
	uint32_t label;

	for (int i = 0; i < LABELS_MAX; i++) {
		TRY(rd_u32(&w->r, &label));
		if (label & BOTTOM)
			return payload(w);
	}
	return V_NESTING;
}
