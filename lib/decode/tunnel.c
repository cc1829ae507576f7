/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels directly on IP: GRE (RFC 2784, 2890; routing of RFC 1701; version 1 of PPTP, RFC 2637),
 * what travels in it (ERSPAN, NVGRE, WCCP), and EtherIP (RFC 3378).
 */
#include "decode/walk.h"

enum gre_flag {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACK = 0x0080, /* version 1 */
	GRE_VERSION = 0x0007,
};

enum gre_proto {
	GRE_ERSPAN_2 = 0x88be, /* also type I: no sequence number, no header */
	GRE_ERSPAN_3 = 0x22eb,
	GRE_WCCP = 0x883e,
	GRE_PPP = 0x880b,
	GRE_EOIP = 0x6400,
};

/* Source route entries: family, offset, length, data; the last has length 0. */
static enum verdict skip_routing(struct walk *w)
{
	const uint8_t *h;

	do {
		TRY(rd_bytes(&w->r, 4, &h));
		TRY(rd_skip(&w->r, h[3]));
	} while (h[3]);
	return V_OK;
}

/* Version 1: the key holds the payload length; without a sequence number there is no payload. */
static enum verdict gre_v1(struct walk *w, uint16_t flags, uint16_t proto)
{
	uint16_t len, call;

	TRY(rd_u16(&w->r, &len));
	TRY(rd_u16(&w->r, &call));
	if (proto == GRE_PPP) {
		if (!(flags & GRE_SEQUENCE))
			return V_NOT_TCP;
		TRY(rd_skip(&w->r, flags & GRE_ACK ? 8 : 4));
	} else if (proto != GRE_EOIP || flags != (GRE_KEY | 1)) {
		return V_NOT_TCP;
	}
	if (len <= walk_wire(w))
		walk_limit(w, len);
	return walk_on(w, proto == GRE_PPP ? LAYER_PPP : LAYER_ETHER);
}

static enum verdict gre_payload(struct walk *w, uint16_t flags, uint16_t proto)
{
	switch (proto) {
	case GRE_ERSPAN_2:
		return walk_on(w, flags & GRE_SEQUENCE ? LAYER_ERSPAN : LAYER_ETHER);
	case GRE_ERSPAN_3:
		return walk_on(w, LAYER_ERSPAN);
	case GRE_WCCP:
		/* Version 2 puts a header of 4 bytes first; its first byte is never 0x4X. */
		if (walk_peek(w) >> 4 != 4)
			TRY(rd_skip(&w->r, 4));
		return walk_on(w, LAYER_IP);
	default:
		return proto <= 1500 ? V_NOT_TCP : link_type(w, proto);
	}
}

enum verdict tunnel_gre(struct walk *w)
{
	uint16_t flags, proto;

	TRY(rd_u16(&w->r, &flags));
	TRY(rd_u16(&w->r, &proto));
	if ((flags & GRE_VERSION) == 1)
		return gre_v1(w, flags, proto);
	if (flags & GRE_VERSION)
		return V_NOT_TCP;
	if (flags & (GRE_CHECKSUM | GRE_ROUTING))
		TRY(rd_skip(&w->r, 4));
	if (flags & GRE_KEY)
		TRY(rd_skip(&w->r, 4));
	if (flags & GRE_SEQUENCE)
		TRY(rd_skip(&w->r, 4));
	if (flags & GRE_ROUTING)
		TRY(skip_routing(w));
	return gre_payload(w, flags, proto);
}

/* ERSPAN: the version nibble is 1 for type II, 2 for type III. */
enum verdict tunnel_erspan(struct walk *w)
{
	const uint8_t *h;
	uint8_t frame_type;

	if (walk_peek(w) >> 4 == 1) {
		TRY(rd_skip(&w->r, 8));
		return walk_on(w, LAYER_ETHER);
	}
	TRY(rd_bytes(&w->r, 12, &h));
	if (h[0] >> 4 != 2)
		return V_NOT_TCP;
	if (h[11] & 1) /* platform-specific subheader */
		TRY(rd_skip(&w->r, 8));
	frame_type = h[10] >> 2 & 0x1f;
	if (frame_type == 2)
		return walk_on(w, LAYER_IP);
	return walk_on(w, frame_type == 0 ? LAYER_ETHER : LAYER_NOT_TCP);
}

enum verdict tunnel_etherip(struct walk *w)
{
	uint16_t version;

	TRY(rd_u16(&w->r, &version));
	return walk_on(w, version >> 12 == 3 ? LAYER_ETHER : LAYER_NOT_TCP);
}
