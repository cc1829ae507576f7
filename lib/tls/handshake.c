/* SPDX-License-Identifier: BSD-3-Clause */
/* Handshake messages out of records; a buffer is taken only while a message is incomplete. */
#include "tls/handshake.h"

static struct handshake_buf *buffer(const struct handshake *h, const struct pool *bufs)
{
	return h->buf ? pool_at(bufs, h->buf - 1) : NULL;
}

void handshake_reset(struct handshake *h, struct pool *bufs)
{
	if (h->buf)
		pool_put(bufs, buffer(h, bufs));
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

static uint32_t total(const struct handshake_buf *b)
{
	return get_be24(b->data + 1) + 4;
}

/* With the header a buffer; if there is none, the length is remembered to pass the message over. */
static bool read_header(struct handshake *h, struct pool *bufs, struct rd *in)
{
	struct handshake_buf *b;

	while (h->hdr_len < 4) {
		if (rd_u8(in, &h->hdr[h->hdr_len]) != V_OK)
			return false;
		if (++h->hdr_len < 4)
			continue;
		b = pool_get(bufs);
		if (b) {
			h->buf = pool_index(bufs, b) + 1;
			b->have = 4;
			memcpy(b->data, h->hdr, 4);
		} else {
			h->hdr[0] = 0;
		}
	}
	return true;
}

static enum verdict pass_over(struct handshake *h, struct pool *bufs, struct rd *in)
{
	uint32_t left = get_be32(h->hdr), n = left;

	if (n > rd_left(in))
		n = (uint32_t)rd_left(in);
	in->p += n;
	put_be32(h->hdr, left - n);
	if (n < left)
		return V_MORE;
	handshake_reset(h, bufs);
	return V_BUFFERS;
}

static void take(struct handshake_buf *b, struct rd *in)
{
	uint32_t n = total(b) - b->have, keep = 0;

	if (n > rd_left(in))
		n = (uint32_t)rd_left(in);
	if (b->have < sizeof(b->data))
		keep = n < sizeof(b->data) - b->have ? n : (uint32_t)sizeof(b->data) - b->have;
	if (keep)
		memcpy(b->data + b->have, in->p, keep);
	in->p += n;
	b->have += n;
}

enum verdict handshake_next(
	struct handshake *h, struct pool *bufs, struct rd *in, struct handshake_msg *msg)
{
	struct handshake_buf *b = buffer(h, bufs);
	uint32_t len, kept;

	/* The last message's buffer was lent until now. */
	if (b && b->have == total(b))
		handshake_reset(h, bufs);
	if (!rd_left(in))
		return V_MORE;
	if (handshake_idle(h) && whole(in, msg))
		return V_OK;
	if (!read_header(h, bufs, in))
		return V_MORE;
	if (!h->buf)
		return pass_over(h, bufs, in);
	b = buffer(h, bufs);
	take(b, in);
	if (b->have < total(b))
		return V_MORE;
	len = total(b) - 4;
	kept = len < HANDSHAKE_MAX ? len : HANDSHAKE_MAX;
	*msg = (struct handshake_msg){ .type = b->data[0],
		.len = len,
		.body = rd_init(b->data + 4, kept),
		.raw = b->data,
		.raw_len = kept + 4 };
	return V_OK;
}
