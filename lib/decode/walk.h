/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "decode/frag.h"
#include "decode/pkt.h"

/** What the bytes at the front of a walk are; every one has its step in frame.c. */
enum layer {
	LAYER_NOT_TCP, /* 0: what tables of protocols say of those they do not name */
	LAYER_NOT_IP,
	LAYER_LINKTYPE, /* a link type that is not read */
	/* link.c */
	LAYER_ETHER,
	LAYER_PBB,
	LAYER_LLC,
	LAYER_NULL,
	LAYER_SLL,
	LAYER_SLL2,
	LAYER_NSH,
	LAYER_MPLS,
	/* ppp.c */
	LAYER_PPP,
	LAYER_HDLC,
	LAYER_PPPOE,
	/* ip.c */
	LAYER_IP, /* by the version nibble */
	LAYER_IP4,
	LAYER_IP6,
	LAYER_AH,
	LAYER_EXT,
	LAYER_FRAGMENT,
	/* tunnel.c */
	LAYER_GRE,
	LAYER_ERSPAN,
	LAYER_ETHERIP,
	/* udp.c */
	LAYER_UDP,
	LAYER_VXLAN,
	LAYER_GPE,
	LAYER_GENEVE,
	LAYER_GTPU,
	LAYER_L2TP,
	/* tcp.c */
	LAYER_TCP,
	LAYER_COUNT
};

/**
 * A frame being walked, header by header; lives on the stack of frame_decode().
 *
 * Every step takes one header off `r` and returns V_MORE with the kind of the next one in `next`,
 * V_OK when the TCP segment is in `p`, or the reason why there is none.
 */
struct walk {
	struct rd r;  /* what is left, up to the end that the innermost length gives */
	uint32_t cut; /* bytes that follow r.end on the wire but were not captured */
	uint8_t next; /* enum layer */
	uint8_t ips;  /* IP headers so far */
	uint8_t exts; /* IPv6 extension headers after the last of them */
	bool guess;   /* only a UDP port says that this is a tunnel; no IP header yet does */
	bool whole;   /* a reassembled datagram is being read */
	struct pkt *p;
	struct frag *frags;
};

static inline enum verdict walk_on(struct walk *w, enum layer next)
{
	w->next = (uint8_t)next;
	return V_MORE;
}

/** Bytes from here to the end, captured or not. */
static inline uint32_t walk_wire(const struct walk *w)
{
	return (uint32_t)rd_left(&w->r) + w->cut;
}

/** The next @p len bytes are all there is: leave out what follows, or know what is missing. */
static inline void walk_limit(struct walk *w, uint32_t len)
{
	uint32_t left = (uint32_t)rd_left(&w->r);

	w->cut = len > left ? len - left : 0;
	if (len < left)
		w->r.end = w->r.p + len;
}

/** First byte of what is left; 0 if nothing is. */
static inline uint8_t walk_peek(const struct walk *w)
{
	return rd_left(&w->r) ? *w->r.p : 0;
}

/** What a TCP header of 20 bytes says, but for where its options and the segment end. */
static inline void walk_tcp(struct pkt *p, const uint8_t *h)
{
	p->tcp = h;
	p->sport = get_be16(h);
	p->dport = get_be16(h + 2);
	p->seq = get_be32(h + 4);
	p->ack = get_be32(h + 8);
	p->tcp_flags = h[13];
	p->window = get_be16(h + 14);
}

/* link.c */
enum verdict link_type(struct walk *w, uint16_t type); /* go on with an EtherType; skips tags */
enum verdict link_ether(struct walk *w);
enum verdict link_pbb(struct walk *w);
enum verdict link_llc(struct walk *w);
enum verdict link_null(struct walk *w);
enum verdict link_sll(struct walk *w);
enum verdict link_sll2(struct walk *w);
enum verdict link_nsh(struct walk *w);
bool link_known(uint16_t type); /* an EtherType, no length, that is gone on with */

/* mpls.c, ppp.c */
enum verdict mpls_decode(struct walk *w);
enum verdict ppp_decode(struct walk *w);
enum verdict ppp_hdlc(struct walk *w);
enum verdict ppp_pppoe(struct walk *w);

/* ip.c */
enum verdict ip_any(struct walk *w);
enum verdict ip_v4(struct walk *w);
enum verdict ip_v6(struct walk *w);
enum verdict ip_ah(struct walk *w);
enum verdict ip_ext(struct walk *w);
enum verdict ip_fragment(struct walk *w);

/* tunnel.c, udp.c, tcp.c */
enum verdict tunnel_gre(struct walk *w);
enum verdict tunnel_erspan(struct walk *w);
enum verdict tunnel_etherip(struct walk *w);
enum verdict udp_decode(struct walk *w);
enum verdict udp_vxlan(struct walk *w);
enum verdict udp_gpe(struct walk *w);
enum verdict udp_geneve(struct walk *w);
enum verdict udp_gtpu(struct walk *w);
enum verdict udp_l2tp(struct walk *w);
enum verdict tcp_decode(struct walk *w);
