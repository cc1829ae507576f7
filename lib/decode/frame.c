/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a frame to its innermost TCP segment, whatever is wrapped around it. The walk is a loop over
 * "what comes next", not a recursion: stack and work are bounded by one constant, and the common
 * case (Ethernet, IPv4, TCP) is three steps without a copy.
 */
#include "decode/frame.h"

#include "decode/walk.h"

/* Headers of all kinds; a frame with eight tunnels of the usual makes comes to about 40. */
#define HEADERS_MAX 64

static enum verdict not_tcp(struct walk *w)
{
	return V_NOT_TCP;
}

static enum verdict not_ip(struct walk *w)
{
	return V_NOT_IP;
}

static enum verdict not_read(struct walk *w)
{
	return V_LINKTYPE;
}

static enum verdict (*const step[LAYER_COUNT])(struct walk *w) = {
	[LAYER_NOT_TCP] = not_tcp,
	[LAYER_NOT_IP] = not_ip,
	[LAYER_LINKTYPE] = not_read,
	[LAYER_ETHER] = link_ether,
	[LAYER_PBB] = link_pbb,
	[LAYER_LLC] = link_llc,
	[LAYER_NULL] = link_null,
	[LAYER_SLL] = link_sll,
	[LAYER_SLL2] = link_sll2,
	[LAYER_NSH] = link_nsh,
	[LAYER_MPLS] = mpls_decode,
	[LAYER_PPP] = ppp_decode,
	[LAYER_HDLC] = ppp_hdlc,
	[LAYER_PPPOE] = ppp_pppoe,
	[LAYER_IP] = ip_any,
	[LAYER_IP4] = ip_v4,
	[LAYER_IP6] = ip_v6,
	[LAYER_AH] = ip_ah,
	[LAYER_EXT] = ip_ext,
	[LAYER_FRAGMENT] = ip_fragment,
	[LAYER_GRE] = tunnel_gre,
	[LAYER_ERSPAN] = tunnel_erspan,
	[LAYER_ETHERIP] = tunnel_etherip,
	[LAYER_UDP] = udp_decode,
	[LAYER_VXLAN] = udp_vxlan,
	[LAYER_GPE] = udp_gpe,
	[LAYER_GENEVE] = udp_geneve,
	[LAYER_GTPU] = udp_gtpu,
	[LAYER_L2TP] = udp_l2tp,
	[LAYER_TCP] = tcp_decode,
};

static enum layer first_layer(uint16_t link)
{
	switch (link) {
	case LINK_ETHERNET:
		return LAYER_ETHER;
	case LINK_NULL:
	case LINK_LOOP:
		return LAYER_NULL;
	case LINK_PPP:
		return LAYER_PPP;
	case LINK_PPP_HDLC:
		return LAYER_HDLC;
	case LINK_RAW_OLD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW:
		return LAYER_IP;
	case LINK_IPV4:
		return LAYER_IP4;
	case LINK_IPV6:
		return LAYER_IP6;
	case LINK_SLL:
		return LAYER_SLL;
	case LINK_SLL2:
		return LAYER_SLL2;
	default:
		return LAYER_LINKTYPE;
	}
}

enum verdict frame_decode(struct pkt *p, struct frag *frags)
{
	struct walk w = {
		.r = rd_init(p->data, p->len),
		.cut = p->wire_len > p->len ? p->wire_len - p->len : 0,
		.next = (uint8_t)first_layer(p->link),
		.p = p,
		.frags = frags,
	};
	enum verdict v = V_MORE;

	for (int i = 0; v == V_MORE; i++)
		v = i < HEADERS_MAX ? step[w.next](&w) : V_NESTING;
	p->reassembled = w.whole;
	/* Bytes that merely went to a tunnel's port, or a tunnel of something else: IP, not TCP. */
	if (v == V_NOT_IP ? w.ips : w.guess && v != V_OK && v != V_NESTING)
		return V_NOT_TCP;
	return v;
}
