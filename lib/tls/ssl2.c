/* SPDX-License-Identifier: BSD-3-Clause */
/* Old clients open with SSL 2.0 framing and go on in SSL 3.0 or TLS: the same facts in another order. */
#include "tls/ssl2.h"

struct v2 {
	uint16_t version;
	struct rd suites; /* 3 bytes each */
	struct rd session_id;
	struct rd challenge;
};

static enum verdict parse(struct rd *in, struct v2 *h)
{
	uint16_t len, suites, session, challenge;
	struct rd r;

	TRY(rd_u16(in, &len));
	TRY(rd_sub(in, len & 0x7fff, &r));
	TRY(rd_skip(&r, 1));
	TRY(rd_u16(&r, &h->version));
	TRY(rd_u16(&r, &suites));
	TRY(rd_u16(&r, &session));
	TRY(rd_u16(&r, &challenge));
	TRY(rd_sub(&r, suites, &h->suites));
	TRY(rd_sub(&r, session, &h->session_id));
	TRY(rd_sub(&r, challenge, &h->challenge));
	return suites / 3 > 1024 || session > 32 || challenge > 32 ? V_TLS_HANDSHAKE : V_OK;
}

static void write_suites(struct wr *w, struct rd suites)
{
	uint8_t *len = w->p;

	wr_u16(w, 0);
	for (; rd_left(&suites) >= 3; suites.p += 3)
		if (!suites.p[0])
			wr_bytes(w, suites.p + 1, 2);
	put_be16(len, (uint16_t)(w->p - len - 2));
}

enum verdict ssl2_hello(struct rd *in, uint8_t *message, struct handshake_msg *msg)
{
	static const uint8_t zero[32];
	struct wr w = wr_init(message, SSL2_HELLO_MAX);
	struct v2 h;
	uint32_t len;

	TRY(parse(in, &h));
	wr_u32(&w, 0);
	wr_u16(&w, h.version);
	wr_bytes(&w, zero, 32 - rd_left(&h.challenge));
	wr_bytes(&w, h.challenge.p, rd_left(&h.challenge));
	wr_u8(&w, (uint8_t)rd_left(&h.session_id));
	wr_bytes(&w, h.session_id.p, rd_left(&h.session_id));
	write_suites(&w, h.suites);
	wr_u16(&w, 0x0100); /* one compression method: none */
	len = (uint32_t)wr_len(&w, message) - 4;
	put_be32(message, (uint32_t)HS_CLIENT_HELLO << 24 | len);
	*msg = (struct handshake_msg){ .type = HS_CLIENT_HELLO,
		.len = len,
		.body = rd_init(message + 4, len),
		.raw = message,
		.raw_len = len + 4 };
	return V_OK;
}
