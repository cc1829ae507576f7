/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "tls/chain.h"

static struct tls_env env;
static struct session s;
static uint8_t mem[8 * RECORD_MAX], wire[1000];

static void begin(uint16_t suite, uint16_t version, bool etm)
{
	memset(&env, 0, sizeof(env));
	memset(&s, 0, sizeof(s));
	pool_init(&env.buffers, mem, 4, RECORD_MAX);
	s.suite_id = suite;
	s.version = version;
	s.etm = etm;
	s.dir[0].epoch = EPOCH_DATA;
	s.dir[0].lease = s.dir[0].buf = POOL_NONE;
	for (size_t i = 0; i < sizeof(wire); i++)
		wire[i] = (uint8_t)(i * 7 + i / 256);
}

START_TEST(which_are_chained)
{
	static const struct {
		uint16_t suite, version;
		bool chained;
	} kinds[] = { { 0x002f, SSL3, true }, { 0x002f, TLS10, true }, { 0x002f, TLS11, false },
		{ 0x002f, TLS12, false }, { 0x0005, TLS10, false }, { 0x009c, TLS12, false },
		{ 0x0002, TLS10, false } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		begin(kinds[i].suite, kinds[i].version, false);
		ck_assert_int_eq(chain_is_iv(&s, &s.dir[0]), kinds[i].chained);
		s.dir[0].epoch = EPOCH_CLEAR;
		ck_assert(!chain_is_iv(&s, &s.dir[0]));
	}
}
END_TEST

/* Whatever the pieces: what lies where the last block has to be is the IV, if that much was seen. */
START_TEST(the_last_block_in_any_pieces)
{
	for (int etm = 0; etm < 2; etm++) {
		const size_t reach = 16 + (etm ? 20 : 0);

		for (size_t n = 1; n < 200; n++) {
			for (size_t piece = 1; piece < 90; piece += 1 + piece / 3) {
				struct session_dir *dir = &s.dir[0];

				begin(0x002f, TLS10, etm);
				for (size_t at = 0, k; at < n; at += k) {
					k = n - at < piece ? n - at : piece;
					chain_pass(&env, &s, dir, wire + at, k);
				}
				chain_settle(&env, &s, dir);
				ck_assert_int_eq(dir->unchained, n < reach);
				if (n >= reach)
					ck_assert_mem_eq(s.material[0].iv, wire + n - reach, 16);
				ck_assert_uint_eq(env.buffers.used, 0);
			}
		}
	}
}
END_TEST

START_TEST(a_hole_breaks_it)
{
	struct session_dir *dir = &s.dir[0];

	begin(0x000a, SSL3, false);
	chain_pass(&env, &s, dir, wire, 100);
	chain_miss(&env, &s, dir, 1);
	chain_pass(&env, &s, dir, wire, 7);
	chain_settle(&env, &s, dir);
	ck_assert(dir->unchained);
	chain_keep(&env, &s, dir, wire, 24);
	ck_assert(!dir->unchained);
	ck_assert_mem_eq(s.material[0].iv, wire + 16, 8);
}
END_TEST

/* No buffer: the IV is not known, and that is said. */
START_TEST(no_buffer)
{
	struct session_dir *dir = &s.dir[0];

	begin(0x002f, TLS10, false);
	while (pool_get(&env.buffers))
		;
	chain_pass(&env, &s, dir, wire, 100);
	chain_settle(&env, &s, dir);
	ck_assert(dir->unchained);
}
END_TEST

UNIT_MAIN("chain", which_are_chained, the_last_block_in_any_pieces, a_hole_breaks_it, no_buffer)
