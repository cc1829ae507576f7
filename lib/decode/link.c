/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lies below IP: link-layer headers of captures, and everything that is named by an EtherType,
 * be it in a frame or in a tunnel that uses the same numbers.
 */
#include "decode/walk.h"

/* Tags in a row, VLAN and others; two are usual, four have been seen. */
#define TAGS_MAX 8

/** Bytes of a tag after its EtherType and before the next one; 0: not a tag. */
static uint32_t tag_len(uint16_t type)
{
	switch (type) {
	case 0x8100: /* 802.1Q */
	case 0x88a8: /* 802.1ad */
	case 0x9100: /* QinQ before it was a standard */
	case 0x9200:
		return 2;
	case 0x8926: /* VN-Tag */
	case 0xf1c1: /* 802.1CB */
		return 4;
	default:
		return 0;
	}
}

static enum layer layer_of(uint16_t type)
{
	switch (type) {
	case 0x0800:
		return LAYER_IP4;
	case 0x86dd:
		return LAYER_IP6;
	case 0x8847:
	case 0x8848:
		return LAYER_MPLS;
	case 0x8864:
		return LAYER_PPPOE;
	case 0x880b:
		return LAYER_PPP;
	case 0x6558:
		return LAYER_ETHER;
	case 0x88e7:
		return LAYER_PBB;
	case 0x894f:
		return LAYER_NSH;
	default:
		return type <= 1500 ? LAYER_LLC : LAYER_NOT_IP;
	}
}

bool link_known(uint16_t type)
{
	return type > 1500 && (tag_len(type) || layer_of(type) != LAYER_NOT_IP);
}

enum verdict link_type(struct walk *w, uint16_t type)
{
	uint32_t len;

	for (int tags = 0; type != 0x0800 && (len = tag_len(type)); tags++) {
		if (tags == TAGS_MAX)
			return V_NESTING;
		TRY(rd_skip(&w->r, len));
		TRY(rd_u16(&w->r, &type));
	}
	return walk_on(w, layer_of(type));
}

enum verdict link_ether(struct walk *w)
{
	const uint8_t *h;

	TRY(rd_bytes(&w->r, 14, &h));
	return link_type(w, get_be16(h + 12));
}

/* Provider backbone bridging (802.1ah): a service tag, then the customer's frame. */
enum verdict link_pbb(struct walk *w)
{
	TRY(rd_skip(&w->r, 4));
	return walk_on(w, LAYER_ETHER);
}

enum verdict link_llc(struct walk *w)
{
	const uint8_t *h;

	TRY(rd_bytes(&w->r, 3, &h));
	if (h[0] == 0x06 && h[1] == 0x06 && h[2] == 0x03)
		return walk_on(w, LAYER_IP4);
	if (h[0] != 0xaa || h[1] != 0xaa || h[2] != 0x03)
		return V_NOT_IP;
	TRY(rd_bytes(&w->r, 5, &h));
	/* RFC 1042, or the same for bridges (802.1H). */
	if (get_be24(h) != 0x000000 && get_be24(h) != 0x0000f8)
		return V_NOT_IP;
	return link_type(w, get_be16(h + 3));
}

/* BSD loopback: an address family in the byte order of the machine that captured. */
enum verdict link_null(struct walk *w)
{
	uint32_t family;

	TRY(rd_u32(&w->r, &family));
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		return walk_on(w, LAYER_IP4);
	case 10: /* Linux */
	case 23: /* Windows */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return walk_on(w, LAYER_IP6);
	default:
		return V_NOT_IP;
	}
}

/** ARPHRD_NETLINK: the protocol field of a cooked header is then no EtherType. */
#define ARPHRD_NETLINK 824

enum verdict link_sll(struct walk *w)
{
	const uint8_t *h;

	TRY(rd_bytes(&w->r, 16, &h));
	if (get_be16(h + 2) == ARPHRD_NETLINK)
		return V_NOT_IP;
	return link_type(w, get_be16(h + 14));
}

enum verdict link_sll2(struct walk *w)
{
	const uint8_t *h;

	TRY(rd_bytes(&w->r, 20, &h));
	if (get_be16(h + 8) == ARPHRD_NETLINK)
		return V_NOT_IP;
	return link_type(w, get_be16(h));
}

/* Network service header, RFC 8300: its length in words includes the 8 bytes of base and path. */
enum verdict link_nsh(struct walk *w)
{
	static const uint8_t next[] = { LAYER_NOT_IP, LAYER_IP4, LAYER_IP6, LAYER_ETHER, LAYER_NSH,
		LAYER_MPLS };
	const uint8_t *h;
	uint32_t len;

	TRY(rd_bytes(&w->r, 8, &h));
	len = (h[1] & 0x3f) * 4;
	if (h[0] >> 6 || len < 8 || h[3] >= sizeof(next))
		return V_NOT_IP;
	TRY(rd_skip(&w->r, len - 8));
	return walk_on(w, next[h[3]]);
}
