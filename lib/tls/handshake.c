/* SPDX-License-Identifier: BSD-3-Clause */
/* Handshake messages out of records; a buffer is taken only while a message is incomplete. */
#include "tls/handshake.h"

void handshake_reset(struct handshake *h, struct pool *bufs)
{
	if (h->buf)
		pool_put(bufs, h->buf);
	*h = (struct handshake){ 0 };
}

/* A message that lies whole in the record. */
static bool whole(struct rd *in, struct handshake_msg *msg)
{
	struct rd r = *in;

	if (rd_u8(&r, &msg->type) != V_OK || rd_vec24(&r, &msg->body) != V_OK)
		return false;
	msg->len = (uint32_t)rd_left(&msg->body);
	msg->raw = in->p;
	msg->raw_len = msg->len + 4;
	*in = r;
	return true;
}

static void take(struct handshake *h, struct rd *in, uint32_t total)
{
	uint32_t n = total - h->have, keep = 0;

	if (n > rd_left(in))
		n = (uint32_t)rd_left(in);
	if (h->buf && h->have < HANDSHAKE_MAX + 4)
		keep = n < HANDSHAKE_MAX + 4 - h->have ? n : HANDSHAKE_MAX + 4 - h->have;
	if (keep)
		memcpy(h->buf + h->have, in->p, keep);
	in->p += n;
	h->have += n;
}

enum verdict handshake_next(
	struct handshake *h, struct pool *bufs, struct rd *in, struct handshake_msg *msg)
{
	uint32_t len, kept;

	/* The last message's buffer was lent until now. */
	if (h->hdr_len == 4 && h->have == get_be24(h->hdr + 1) + 4)
		handshake_reset(h, bufs);
	if (!rd_left(in))
		return V_MORE;
	if (handshake_idle(h) && whole(in, msg))
		return V_OK;
	while (h->hdr_len < 4) {
		if (rd_u8(in, &h->hdr[h->hdr_len]) != V_OK)
			return V_MORE;
		if (++h->hdr_len < 4)
			continue;
		h->buf = pool_get(bufs);
		h->have = 4;
		if (h->buf)
			memcpy(h->buf, h->hdr, 4);
	}
	len = get_be24(h->hdr + 1);
	take(h, in, len + 4);
	if (h->have < len + 4)
		return V_MORE;
	if (!h->buf) {
		handshake_reset(h, bufs);
		return V_BUFFERS;
	}
	kept = len < HANDSHAKE_MAX ? len : HANDSHAKE_MAX;
	*msg = (struct handshake_msg){ .type = h->hdr[0],
		.len = len,
		.body = rd_init(h->buf + 4, kept),
		.raw = h->buf,
		.raw_len = kept + 4 };
	return V_OK;
}
