/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a frame to its innermost TCP segment, whatever is wrapped around it. The walk is a loop over
 * "what comes next", not a recursion: stack and work are bounded by one constant. The common case
 * (Ethernet, IPv4, TCP) is read at one look.
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

/*
 * TCP in IPv4 in Ethernet, whole, without IP options or tags: most frames are no more, and need no walk.
 * @return false: it is to be walked, and nothing was said of it.
 */
static bool is_plain(struct pkt *p)
{
	const uint8_t *ip = p->data + 14, *tcp = ip + 20;
	uint32_t len, hlen;

	if (p->link != LINK_ETHERNET || p->len < 54 || p->wire_len != p->len)
		return false;
	if (get_be16(p->data + 12) != 0x0800 || ip[0] != 0x45 || ip[9] != 6 ||
		get_be16(ip + 6) & 0x3fff)
		return false;
	len = get_be16(ip + 2);
	hlen = (tcp[12] >> 4) * 4u;
	if (len > p->len - 14 || hlen < 20 || len < 20 + hlen)
		return false;
	p->src = ip + 12;
	p->dst = ip + 16;
	p->addr_len = 4;
	p->reassembled = false;
	walk_tcp(p, tcp);
	p->payload = tcp + hlen;
	p->payload_len = p->payload_wire = len - 20 - hlen;
	return true;
}

static __attribute__((noinline)) enum verdict walk(struct pkt *p, struct frag *frags)
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

enum verdict frame_decode(struct pkt *p, struct frag *frags)
{
	return is_plain(p) ? V_OK : walk(p, frags);
}
