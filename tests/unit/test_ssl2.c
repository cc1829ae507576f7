/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "tls/hello.h"
#include "tls/ssl2.h"

static uint8_t message[SSL2_HELLO_MAX];

/* The hello of SSL 2.0 framing; lengths as told, bytes numbered from 1 on. */
static uint16_t make(uint8_t *out, uint16_t suites, uint16_t session, uint16_t challenge)
{
	struct wr w = wr_init(out, 8192);
	uint16_t len = (uint16_t)(9 + suites + session + challenge);

	wr_u16(&w, 0x8000 | len);
	wr_u8(&w, HS_CLIENT_HELLO);
	wr_u16(&w, 0x0301);
	wr_u16(&w, suites);
	wr_u16(&w, session);
	wr_u16(&w, challenge);
	for (uint16_t i = 0; i < suites; i++)
		wr_u8(&w, i % 3 ? (uint8_t)(i / 3 + 1) : 0);
	for (uint16_t i = 0; i < session + challenge; i++)
		wr_u8(&w, (uint8_t)(i + 1));
	ck_assert(!w.full);
	return (uint16_t)(len + 2);
}

/* From memory of exactly its size. @return what ssl2_hello() says; *left: bytes it did not use. */
static enum verdict run(const uint8_t *in, size_t n, struct handshake_msg *msg, size_t *left)
{
	uint8_t *exact = malloc(n ? n : 1);
	struct rd r = rd_init(memcpy(exact, in, n), n);
	enum verdict v = ssl2_hello(&r, message, msg);

	*left = rd_left(&r);
	free(exact);
	return v;
}

START_TEST(becomes_a_client_hello)
{
	static const uint8_t zero[32];
	uint8_t in[8192];
	struct handshake_msg msg;
	struct client_hello h;
	size_t left;

	for (uint16_t challenge = 0; challenge <= 32; challenge += 8) {
		uint16_t n = make(in, 9, 0, challenge);

		in[n] = 0x16; /* the record that follows is not ours */
		ck_assert_int_eq(run(in, n + 1u, &msg, &left), V_OK);
		ck_assert_uint_eq(left, 1);
		ck_assert_uint_eq(msg.raw_len, msg.len + 4);
		ck_assert_uint_eq(get_be32(msg.raw), 1u << 24 | msg.len);
		ck_assert_int_eq(hello_client(msg.body, &h), V_OK);
		ck_assert_uint_eq(h.legacy_version, 0x0301);
		ck_assert_mem_eq(h.random, zero, 32u - challenge);
		ck_assert_mem_eq(h.random + 32 - challenge, in + n - challenge, challenge);
		ck_assert_uint_eq(rd_left(&h.suites), 6);
		ck_assert_mem_eq(h.suites.p, "\1\1\2\2\3\3", 6);
		ck_assert_uint_eq(rd_left(&h.session_id), 0);
	}
}
END_TEST

START_TEST(suites_of_ssl2_are_left_out)
{
	uint8_t in[8192];
	struct handshake_msg msg;
	struct client_hello h;
	uint16_t n = make(in, 13, 16, 16); /* the thirteenth byte is no suite */
	size_t left;

	in[11] = 0x07;
	in[17] = 0x01;
	ck_assert_int_eq(run(in, n, &msg, &left), V_OK);
	ck_assert_int_eq(hello_client(msg.body, &h), V_OK);
	ck_assert_uint_eq(rd_left(&h.suites), 4);
	ck_assert_mem_eq(h.suites.p, "\2\2\4\4", 4);
	ck_assert_uint_eq(rd_left(&h.session_id), 16);
	ck_assert_uint_eq(h.session_id.p[0], 1);
	ck_assert_uint_eq(h.random[16], 17);
}
END_TEST

START_TEST(lengths_at_their_limits)
{
	static const struct {
		uint16_t suites, session, challenge;
		enum verdict want;
	} at[] = {
		{ 0, 0, 0, V_OK },
		{ 3 * 1024, 32, 32, V_OK },
		{ 3 * 1024 + 2, 32, 32, V_OK },
		{ 3 * 1025, 32, 32, V_TLS_HANDSHAKE },
		{ 3, 33, 32, V_TLS_HANDSHAKE },
		{ 3, 32, 33, V_TLS_HANDSHAKE },
	};
	uint8_t in[8192];
	struct handshake_msg msg;
	size_t left;

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		uint16_t n = make(in, at[i].suites, at[i].session, at[i].challenge);

		ck_assert_int_eq(run(in, n, &msg, &left), at[i].want);
	}
}
END_TEST

START_TEST(cut_and_flipped)
{
	uint8_t in[8192];
	struct handshake_msg msg;
	uint16_t n = make(in, 9, 8, 16);
	size_t left;

	for (uint16_t cut = 0; cut < n; cut++)
		ck_assert_int_eq(run(in, cut, &msg, &left), V_SHORT);
	for (uint32_t i = 0; i < n * 8u; i++) {
		in[i / 8] ^= (uint8_t)(1 << i % 8);
		if (run(in, n, &msg, &left) == V_OK)
			ck_assert_uint_le(msg.raw_len, SSL2_HELLO_MAX);
		in[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}
END_TEST

UNIT_MAIN("ssl2", becomes_a_client_hello, suites_of_ssl2_are_left_out, lengths_at_their_limits,
	cut_and_flipped)
