/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "unit.h"

#include "tls/handshake.h"

static struct pool pool_of(uint32_t n)
{
	static _Alignas(64) uint8_t mem[2 * (sizeof(struct handshake_buf) + 8)];
	struct pool p;

	pool_init(&p, mem, n, sizeof(struct handshake_buf));
	return p;
}

static const uint8_t three[] = { 11, 0, 0, 3, 'a', 'b', 'c', 14, 0, 0, 0, 20, 0, 0, 2, 'x', 'y' };

START_TEST(coalesced)
{
	struct pool p = pool_of(2);
	struct handshake h = { 0 };
	struct handshake_msg m;
	struct rd in = rd_init(three, sizeof(three));

	ck_assert_int_eq(handshake_next(&h, &p, &in, &m), V_OK);
	ck_assert_uint_eq(m.type, 11);
	ck_assert_mem_eq(m.body.p, "abc", 3);
	ck_assert_int_eq(handshake_next(&h, &p, &in, &m), V_OK);
	ck_assert_uint_eq(m.len, 0);
	ck_assert_int_eq(handshake_next(&h, &p, &in, &m), V_OK);
	ck_assert_uint_eq(m.raw_len, 6);
	ck_assert_int_eq(handshake_next(&h, &p, &in, &m), V_MORE);
	ck_assert_uint_eq(p.peak, 0); /* nothing was copied */
}
END_TEST

START_TEST(split_at_every_size)
{
	for (size_t step = 1; step <= sizeof(three); step++) {
		struct pool p = pool_of(1);
		struct handshake h = { 0 };
		struct handshake_msg m;
		char seen[32] = "";

		for (size_t at = 0; at < sizeof(three); at += step) {
			size_t n = at + step > sizeof(three) ? sizeof(three) - at : step;
			struct rd in = rd_init(three + at, n);

			while (handshake_next(&h, &p, &in, &m) == V_OK)
				sprintf(seen + strlen(seen), "%u:%.*s ", m.type, (int)m.len,
					(const char *)m.body.p);
			ck_assert_uint_eq(rd_left(&in), 0);
		}
		ck_assert_str_eq(seen, "11:abc 14: 20:xy ");
		handshake_reset(&h, &p);
		ck_assert_uint_eq(p.used, 0);
	}
}
END_TEST

START_TEST(too_long_is_cut)
{
	static uint8_t big[4 + HANDSHAKE_MAX + 100] = { 11, 1, 0, 100 };
	struct pool p = pool_of(1);
	struct handshake h = { 0 };
	struct handshake_msg m;
	struct rd in = rd_init(big, 1000);

	ck_assert_int_eq(handshake_next(&h, &p, &in, &m), V_MORE);
	in = rd_init(big + 1000, sizeof(big) - 1000);
	ck_assert_int_eq(handshake_next(&h, &p, &in, &m), V_OK);
	ck_assert_uint_eq(m.len, HANDSHAKE_MAX + 100);
	ck_assert_uint_eq(rd_left(&m.body), HANDSHAKE_MAX);
	handshake_reset(&h, &p);
}
END_TEST

START_TEST(no_buffer_loses_one_message)
{
	struct pool p = pool_of(0);
	struct handshake h = { 0 };
	struct handshake_msg m;
	struct rd in = rd_init(three, 6);

	ck_assert_int_eq(handshake_next(&h, &p, &in, &m), V_MORE);
	in = rd_init(three + 6, sizeof(three) - 6);
	ck_assert_int_eq(handshake_next(&h, &p, &in, &m), V_BUFFERS);
	ck_assert_int_eq(handshake_next(&h, &p, &in, &m), V_OK);
	ck_assert_uint_eq(m.type, 14);
}
END_TEST

UNIT_MAIN("handshake", coalesced, split_at_every_size, too_long_is_cut, no_buffer_loses_one_message)
