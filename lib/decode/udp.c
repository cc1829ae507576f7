/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels in UDP: VXLAN (RFC 7348), VXLAN-GPE, GENEVE (RFC 8926), GTP-U (3GPP TS 29.281), L2TPv2
 * (RFC 2661), MPLS (RFC 7510). Only a port number says so, and anybody may use that port: until an
 * IP header has been found inside, walk.guess turns every complaint into "not TCP".
 */
#include "decode/walk.h"

#define GTP_EXTS_MAX 8

static enum layer layer_of(uint16_t sport, uint16_t dport)
{
	switch (dport) {
	case 4789:
	case 8472: /* Linux, before there was an assigned port */
		return LAYER_VXLAN;
	case 4790:
		return LAYER_GPE;
	case 6081:
		return LAYER_GENEVE;
	case 2152:
		return LAYER_GTPU;
	case 6635:
		return LAYER_MPLS;
	case 1701:
		return LAYER_L2TP;
	default:
		return sport == 1701 ? LAYER_L2TP : LAYER_NOT_TCP;
	}
}

enum verdict udp_decode(struct walk *w)
{
	struct rd r = w->r;
	const uint8_t *h;
	enum layer next;
	uint32_t len;

	TRY(rd_bytes(&r, 8, &h));
	next = layer_of(get_be16(h), get_be16(h + 2));
	if (next == LAYER_NOT_TCP)
		return V_NOT_TCP;
	/* 0: a jumbogram, or segmentation offload. */
	len = get_be16(h + 4);
	if (len) {
		if (len < 8 || len > walk_wire(w))
			return V_NOT_TCP;
		walk_limit(w, len);
	}
	w->r.p = r.p;
	w->guess = true;
	return walk_on(w, next);
}

enum verdict udp_vxlan(struct walk *w)
{
	const uint8_t *h;

	TRY(rd_bytes(&w->r, 8, &h));
	return walk_on(w, h[0] & 0x08 ? LAYER_ETHER : LAYER_NOT_TCP);
}

enum verdict udp_gpe(struct walk *w)
{
	static const uint8_t next[] = { LAYER_NOT_TCP, LAYER_IP4, LAYER_IP6, LAYER_ETHER, LAYER_NSH,
		LAYER_MPLS };
	const uint8_t *h;

	TRY(rd_bytes(&w->r, 8, &h));
	if (!(h[0] & 0x08) || h[0] & 0x30)
		return V_NOT_TCP;
	/* Without the P bit it is plain VXLAN. */
	if (!(h[0] & 0x04))
		return walk_on(w, LAYER_ETHER);
	return walk_on(w, h[3] < sizeof(next) ? next[h[3]] : LAYER_NOT_TCP);
}

enum verdict udp_geneve(struct walk *w)
{
	const uint8_t *h;

	TRY(rd_bytes(&w->r, 8, &h));
	if (h[0] >> 6)
		return V_NOT_TCP;
	TRY(rd_skip(&w->r, (h[0] & 0x3f) * 4u));
	return link_type(w, get_be16(h + 2));
}

/* Extension headers: length in words, content, type of the next in the last byte. */
static enum verdict skip_gtp_exts(struct walk *w, uint8_t type)
{
	for (int i = 0; type; i++) {
		const uint8_t *ext;
		uint8_t words;

		TRY(rd_u8(&w->r, &words));
		if (!words || i == GTP_EXTS_MAX)
			return V_NOT_TCP;
		TRY(rd_bytes(&w->r, words * 4u - 1, &ext));
		type = ext[words * 4 - 2];
	}
	return V_OK;
}

enum verdict udp_gtpu(struct walk *w)
{
	const uint8_t *h, *opt;

	TRY(rd_bytes(&w->r, 8, &h));
	/* Version 1, protocol type GTP, message G-PDU. */
	if (h[0] >> 4 != 3 || h[1] != 255 || get_be16(h + 2) > walk_wire(w))
		return V_NOT_TCP;
	walk_limit(w, get_be16(h + 2));
	if (h[0] & 7) {
		TRY(rd_bytes(&w->r, 4, &opt));
		if (h[0] & 4)
			TRY(skip_gtp_exts(w, opt[3]));
	}
	return walk_on(w, LAYER_IP);
}

enum verdict udp_l2tp(struct walk *w)
{
	uint16_t flags, len;

	TRY(rd_u16(&w->r, &flags));
	/* A data message (no T bit) of version 2. */
	if (flags & 0x8000 || (flags & 15) != 2)
		return V_NOT_TCP;
	if (flags & 0x4000)
		TRY(rd_u16(&w->r, &len));
	TRY(rd_skip(&w->r, flags & 0x0800 ? 8 : 4)); /* tunnel, session; Ns, Nr */
	if (flags & 0x0200) {
		TRY(rd_u16(&w->r, &len));
		TRY(rd_skip(&w->r, len));
	}
	return walk_on(w, LAYER_PPP);
}
