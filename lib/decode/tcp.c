/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The segment itself. Options are skipped; who waits for missing bytes asks for the one that tells what
 * the other end has of them.
 */
#include "decode/tcp.h"

#include "decode/walk.h"

enum { OPT_END = 0, OPT_NOP = 1, OPT_SACK = 5 };

enum verdict tcp_decode(struct walk *w)
{
	struct pkt *p = w->p;
	uint32_t wire = walk_wire(w), hlen;
	const uint8_t *h;

	TRY(rd_bytes(&w->r, 20, &h));
	hlen = (h[12] >> 4) * 4u;
	if (hlen < 20 || hlen > wire)
		return V_TCP_HEADER;
	/* Options that the capture cut off take nothing away but the payload. */
	if (rd_skip(&w->r, hlen - 20) != V_OK)
		w->r.p = w->r.end;
	walk_tcp(p, h);
	p->payload = w->r.p;
	p->payload_len = (uint32_t)rd_left(&w->r);
	p->payload_wire = wire - hlen;
	return V_OK;
}

static int blocks(struct rd *r, struct tcp_span spans[TCP_SACK_MAX])
{
	const uint8_t *b;
	int n = 0;

	while (n < TCP_SACK_MAX && rd_bytes(r, 8, &b) == V_OK) {
		spans[n] = (struct tcp_span){ get_be32(b), get_be32(b + 4) };
		n += (int32_t)(spans[n].to - spans[n].from) > 0;
	}
	return n;
}

int tcp_sack(const struct pkt *p, struct tcp_span spans[TCP_SACK_MAX])
{
	struct rd r = rd_init(p->tcp + 20, (size_t)(p->payload - p->tcp) - 20), body;
	uint8_t kind, len;

	while (rd_u8(&r, &kind) == V_OK && kind != OPT_END) {
		if (kind == OPT_NOP)
			continue;
		if (rd_u8(&r, &len) != V_OK || len < 2 || rd_sub(&r, len - 2u, &body) != V_OK)
			return 0;
		if (kind == OPT_SACK)
			return blocks(&body, spans);
	}
	return 0;
}
