/* SPDX-License-Identifier: BSD-3-Clause */
#include "seal.h"

#include "tls/number.h"

static const struct {
	uint16_t suite, version;
} kinds[] = { { 0x1301, TLS13 }, { 0x1302, TLS13 }, { 0x1302, 0x7f17 }, { 0x1301, 0x7f1c },
	{ 0xc02f, TLS12 }, { 0xc030, TLS12 } };

#define KINDS (sizeof(kinds) / sizeof(*kinds))

static uint8_t text[16384], rec[RECORD_MAX + 5];

static void fill(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = (uint8_t)(rand() >> 7);
}

static struct record_keys keys_of(size_t kind)
{
	struct record_keys k = { .suite = suite_find(kinds[kind].suite),
		.version = kinds[kind].version };

	fill(k.key, sizeof(k.key));
	fill(k.iv, sizeof(k.iv));
	return k;
}

START_TEST(finds_every_number)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 31, 255, 1400, 16384 };

	for (size_t kind = 0; kind < KINDS; kind++) {
		for (int round = 0; round < 60; round++) {
			size_t len = round < 9 ? lengths[round] : (size_t)rand() % 2000, n;
			uint64_t want, got = 0;
			struct record_keys k;
			struct sealer s;

			srand((unsigned)round);
			k = keys_of(kind);
			sealer_init(&s, &k);
			fill(text, len);
			fill(&want, sizeof(want));
			want >>= round % 3 * 24; /* small numbers and such as wrap bytes */
			fill(s.iv, sizeof(s.iv));
			n = seal(&s, want, 23, text, len, rec);
			/* an empty record of TLS 1.2 has too few blocks to check, but 8 bytes of nonce */
			ck_assert_int_eq(
				number_solve(&k, rec, rec + 5, n, &got), n < 24 ? V_TAG : V_OK);
			if (n >= 24)
				ck_assert_uint_eq(got, want);
			sealer_fini(&s);
		}
	}
}
END_TEST

START_TEST(no_number_for_what_is_not_of_these_keys)
{
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct record_keys k = keys_of(kind);

		for (int round = 0; round < 500; round++) {
			uint64_t seq;

			fill(rec, 205);
			rec[0] = 23;
			put_be16(rec + 3, 200);
			ck_assert_int_eq(number_solve(&k, rec, rec + 5, 200, &seq), V_TAG);
		}
	}
}
END_TEST

START_TEST(short_and_foreign)
{
	struct record_keys k = keys_of(0);
	uint64_t seq;

	for (size_t n = 0; n < 24; n++)
		ck_assert_int_eq(number_solve(&k, rec, rec + 5, n, &seq), V_TAG);
	k.suite = suite_find(0x1303);
	ck_assert_int_eq(number_solve(&k, rec, rec + 5, 100, &seq), V_SUITE);
}
END_TEST

UNIT_MAIN("number", finds_every_number, no_number_for_what_is_not_of_these_keys, short_and_foreign)
