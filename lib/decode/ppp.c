/* SPDX-License-Identifier: BSD-3-Clause */
/* PPP in its wrappings: bare, HDLC-like framing, Cisco HDLC, PPPoE (RFC 1661, 1662, 2516). */
#include "decode/walk.h"

enum verdict ppp_decode(struct walk *w)
{
	uint8_t b;
	uint16_t proto;

	if (rd_left(&w->r) >= 2 && get_be16(w->r.p) == 0xff03)
		TRY(rd_skip(&w->r, 2));
	TRY(rd_u8(&w->r, &b));
	proto = b;
	/* Protocol numbers end in an odd byte: an odd first byte is a compressed number. */
	if (!(b & 1)) {
		TRY(rd_u8(&w->r, &b));
		proto = (uint16_t)(proto << 8 | b);
	}
	switch (proto) {
	case 0x0021:
		return walk_on(w, LAYER_IP4);
	case 0x0057:
		return walk_on(w, LAYER_IP6);
	case 0x0281:
	case 0x0283:
		return walk_on(w, LAYER_MPLS);
	default:
		return V_NOT_IP;
	}
}

enum verdict ppp_hdlc(struct walk *w)
{
	const uint8_t *h;

	/* Cisco HDLC: unicast or multicast address, control 0, EtherType. */
	if (walk_peek(w) != 0x0f && walk_peek(w) != 0x8f)
		return ppp_decode(w);
	TRY(rd_bytes(&w->r, 4, &h));
	return link_type(w, get_be16(h + 2));
}

enum verdict ppp_pppoe(struct walk *w)
{
	const uint8_t *h;
	uint32_t len;

	TRY(rd_bytes(&w->r, 6, &h));
	if (h[0] != 0x11 || h[1] != 0)
		return V_NOT_IP;
	len = get_be16(h + 4);
	if (len <= walk_wire(w))
		walk_limit(w, len);
	return walk_on(w, LAYER_PPP);
}
