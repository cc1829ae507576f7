/* SPDX-License-Identifier: BSD-3-Clause */
/* The segment itself. Options are skipped: nothing here depends on them. */
#include "decode/walk.h"

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
	p->sport = get_be16(h);
	p->dport = get_be16(h + 2);
	p->seq = get_be32(h + 4);
	p->ack = get_be32(h + 8);
	p->tcp_flags = h[13];
	p->window = get_be16(h + 14);
	p->payload = w->r.p;
	p->payload_len = (uint32_t)rd_left(&w->r);
	p->payload_wire = wire - hlen;
	return V_OK;
}
