/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv4 and IPv6 with what stands between them and the transport: options, extension headers,
 * fragments. The length in the IP header rules: what follows it in the frame is padding, what it
 * promises beyond the captured bytes is known to be missing.
 */
#include "decode/walk.h"

/* The outermost IP header and eight tunnels. */
#define IPS_MAX 9
#define EXTS_MAX 12

static const uint8_t proto_layer[256] = {
	[4] = LAYER_IP4,
	[6] = LAYER_TCP,
	[17] = LAYER_UDP,
	[41] = LAYER_IP6,
	[47] = LAYER_GRE,
	[51] = LAYER_AH,
	[97] = LAYER_ETHERIP,
	[137] = LAYER_MPLS,
	/* IPv6 only */
	[0] = LAYER_EXT,   /* hop-by-hop */
	[43] = LAYER_EXT,  /* routing */
	[60] = LAYER_EXT,  /* destination options */
	[135] = LAYER_EXT, /* mobility */
	[139] = LAYER_EXT, /* HIP */
	[140] = LAYER_EXT, /* shim6 */
	[44] = LAYER_FRAGMENT,
};

static enum layer next_layer(const struct walk *w, uint8_t proto)
{
	enum layer next = proto_layer[proto];

	if ((next == LAYER_EXT || next == LAYER_FRAGMENT) && w->p->addr_len == 4)
		return LAYER_NOT_TCP;
	return next;
}

/** Everything from here on is the @p len bytes of an IP packet. */
static enum verdict enter(struct walk *w, uint32_t len)
{
	if (w->ips == IPS_MAX)
		return V_NESTING;
	/* A tunnel that is only presumed must at least hold what it says. */
	if (w->guess && len > walk_wire(w))
		return V_NOT_TCP;
	walk_limit(w, len);
	w->guess = false;
	w->ips++;
	w->exts = 0;
	return V_OK;
}

/** Keep one fragment, or go on with the datagram that it completes. */
static enum verdict fragment(struct walk *w, struct frag_piece *piece)
{
	uint8_t proto;

	/* Without all of its bytes there will never be a whole datagram. */
	if (w->cut)
		return V_SHORT;
	if (!w->frags)
		return V_FRAGMENT;
	if (!w->whole)
		frag_release(w->frags);
	piece->src = w->p->src;
	piece->dst = w->p->dst;
	piece->addr_len = w->p->addr_len;
	piece->data = w->r.p;
	piece->len = (uint32_t)rd_left(&w->r);
	piece->ts_ns = w->p->ts_ns;
	TRY(frag_push(w->frags, piece, &w->r, &proto));
	w->whole = true;
	return walk_on(w, next_layer(w, proto));
}

enum verdict ip_any(struct walk *w)
{
	switch (walk_peek(w) >> 4) {
	case 4:
		return ip_v4(w);
	case 6:
		return ip_v6(w);
	default:
		return V_NOT_IP;
	}
}

/* Hosts drop a packet whose options do not add up: who takes it sees another stream. */
static enum verdict ip4_options(const uint8_t *opt, uint32_t len)
{
	struct rd r = rd_init(opt, len);
	uint8_t type, size;

	while (rd_u8(&r, &type) == V_OK && type != 0) {
		if (type == 1)
			continue;
		if (rd_u8(&r, &size) != V_OK || size < 2 || rd_skip(&r, size - 2u) != V_OK)
			return V_IP_HEADER;
	}
	return V_OK;
}

enum verdict ip_v4(struct walk *w)
{
	struct rd r = w->r;
	const uint8_t *h;
	uint32_t hlen, len;
	uint16_t frag;
	enum layer next;

	TRY(rd_bytes(&r, 20, &h));
	hlen = (h[0] & 15) * 4u;
	len = get_be16(h + 2);
	/* 0: segmentation offload, captured before the hardware filled it in. */
	if (!len)
		len = walk_wire(w);
	if (h[0] >> 4 != 4 || hlen < 20 || len < hlen)
		return V_IP_HEADER;
	TRY(enter(w, len));
	TRY(rd_skip(&w->r, hlen));
	if (__builtin_expect(hlen > 20, 0))
		TRY(ip4_options(h + 20, hlen - 20));
	w->p->src = h + 12;
	w->p->dst = h + 16;
	w->p->addr_len = 4;
	next = next_layer(w, h[9]);
	frag = get_be16(h + 6) & 0x3fff;
	if (__builtin_expect(frag && next != LAYER_NOT_TCP, 0)) {
		struct frag_piece piece = {
			.id = get_be16(h + 4),
			.proto = h[9],
			.off = (frag & 0x1fffu) * 8,
			.more = frag & 0x2000,
		};

		return fragment(w, &piece);
	}
	return walk_on(w, next);
}

enum verdict ip_v6(struct walk *w)
{
	struct rd r = w->r;
	const uint8_t *h;
	uint32_t len;

	TRY(rd_bytes(&r, 40, &h));
	if (h[0] >> 4 != 6)
		return V_IP_HEADER;
	/* 0: a jumbogram, or segmentation offload; the frame has the length then. */
	len = get_be16(h + 4);
	TRY(enter(w, len ? len + 40 : walk_wire(w)));
	w->r.p = r.p;
	w->p->src = h + 8;
	w->p->dst = h + 24;
	w->p->addr_len = 16;
	return walk_on(w, next_layer(w, h[6]));
}

/* Authentication header, RFC 4302: transport mode leaves the payload readable. */
enum verdict ip_ah(struct walk *w)
{
	const uint8_t *h;

	if (w->exts++ == EXTS_MAX)
		return V_NESTING;
	TRY(rd_bytes(&w->r, 12, &h));
	if (h[1] < 1)
		return V_IP_HEADER;
	TRY(rd_skip(&w->r, h[1] * 4u - 4));
	return walk_on(w, next_layer(w, h[0]));
}

enum verdict ip_ext(struct walk *w)
{
	const uint8_t *h;

	if (w->exts++ == EXTS_MAX)
		return V_NESTING;
	TRY(rd_bytes(&w->r, 8, &h));
	TRY(rd_skip(&w->r, h[1] * 8u));
	return walk_on(w, next_layer(w, h[0]));
}

enum verdict ip_fragment(struct walk *w)
{
	struct frag_piece piece;
	const uint8_t *h;
	uint16_t off;

	if (w->exts++ == EXTS_MAX)
		return V_NESTING;
	TRY(rd_bytes(&w->r, 8, &h));
	off = get_be16(h + 2);
	/* "Atomic" (RFC 6946): the header of a fragment around a whole datagram. */
	if (!(off & 0xfff9))
		return walk_on(w, next_layer(w, h[0]));
	piece = (struct frag_piece){
		.id = get_be32(h + 4),
		.proto = h[0],
		.off = off & 0xfff8u,
		.more = off & 1,
	};
	return fragment(w, &piece);
}
