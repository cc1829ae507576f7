/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "tls/inflate.h"

#define RECORDS 12

static struct inflater inflater;
static uint8_t plain[RECORDS][2 * INFLATE_MAX];
static uint32_t plain_len[RECORDS];
static uint8_t packed[RECORDS][3 * INFLATE_MAX];
static uint32_t packed_len[RECORDS];

/* One stream over all records, flushed after each, as RFC 3749 has it. */
static void pack(int flush)
{
	z_stream z = { 0 };

	ck_assert_int_eq(deflateInit(&z, 9), Z_OK);
	for (int k = 0; k < RECORDS; k++) {
		z.next_in = plain[k];
		z.avail_in = plain_len[k];
		z.next_out = packed[k];
		z.avail_out = sizeof(packed[k]);
		deflate(&z, flush);
		ck_assert_uint_eq(z.avail_in, 0);
		packed_len[k] = (uint32_t)(sizeof(packed[k]) - z.avail_out);
	}
	deflateEnd(&z);
}

static void fill(void)
{
	uint32_t x = 1;

	for (int k = 0; k < RECORDS; k++) {
		plain_len[k] = k == 3 ? 1 : k == 5 ? INFLATE_MAX : 100u * (uint32_t)k + 7;
		for (uint32_t i = 0; i < plain_len[k]; i++) {
			x = x * 1103515245 + 12345;
			plain[k][i] = (uint8_t)(k & 1 ? x >> 24 : 'a' + i % 7);
		}
	}
}

/* A record in memory of exactly its size. */
static enum verdict one(const uint8_t *in, uint32_t len, uint8_t *out, uint32_t *out_len)
{
	uint8_t *exact = malloc(len ? len : 1), *room = malloc(INFLATE_MAX);
	enum verdict v;

	memcpy(exact, in, len);
	v = inflate_record(&inflater, exact, len, room, out_len);
	if (v == V_OK)
		memcpy(out, room, *out_len);
	free(exact);
	free(room);
	return v;
}

START_TEST(records_of_one_stream)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH };
	static uint8_t out[INFLATE_MAX];
	uint32_t n;

	fill();
	for (int f = 0; f < 3; f++) {
		pack(flushes[f]);
		ck_assert_int_eq(inflate_start(&inflater), V_OK);
		for (int k = 0; k < RECORDS; k++) {
			ck_assert_int_eq(one(packed[k], packed_len[k], out, &n), V_OK);
			ck_assert_uint_eq(n, plain_len[k]);
			ck_assert_mem_eq(out, plain[k], n);
		}
	}
}
END_TEST

START_TEST(an_inflater_starts_again)
{
	static uint8_t out[INFLATE_MAX];
	uint32_t n;

	fill();
	pack(Z_SYNC_FLUSH);
	for (int i = 0; i < 50; i++) { /* its memory is not used up by starting */
		ck_assert_int_eq(inflate_start(&inflater), V_OK);
		ck_assert_int_eq(one(packed[0], packed_len[0], out, &n), V_OK);
		ck_assert_mem_eq(out, plain[0], n);
	}
}
END_TEST

START_TEST(cut_at_every_byte)
{
	static uint8_t out[INFLATE_MAX];
	uint32_t n;

	fill();
	plain_len[0] = 600;
	memset(plain[0], 'x', 600);
	pack(Z_SYNC_FLUSH);
	for (uint32_t cut = 0; cut <= packed_len[0]; cut++) {
		ck_assert_int_eq(inflate_start(&inflater), V_OK);
		if (one(packed[0], cut, out, &n) != V_OK)
			continue;
		ck_assert_uint_le(n, plain_len[0]);
		ck_assert_mem_eq(out, plain[0], n);
	}
	ck_assert_uint_eq(n, 600);
}
END_TEST

START_TEST(every_byte_wrong)
{
	static uint8_t out[INFLATE_MAX];
	uint32_t n;

	fill();
	pack(Z_SYNC_FLUSH);
	for (uint32_t i = 0; i < packed_len[2] * 8; i++) {
		ck_assert_int_eq(inflate_start(&inflater), V_OK);
		one(packed[0], packed_len[0], out, &n);
		one(packed[1], packed_len[1], out, &n);
		packed[2][i / 8] ^= (uint8_t)(1 << i % 8);
		one(packed[2], packed_len[2], out, &n); /* whatever it says, it stays in bounds */
		packed[2][i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_uint_le(n, INFLATE_MAX);
		one(packed[3], packed_len[3], out, &n);
	}
	ck_assert_int_eq(inflate_start(&inflater), V_OK);
	ck_assert_int_eq(one((const uint8_t *)"no zlib at all", 14, out, &n), V_COMPRESSION);
}
END_TEST

/* A few bytes may stand for many: what is longer than a record can be is refused, not cut. */
START_TEST(longer_than_a_record)
{
	static const uint32_t lens[] = { INFLATE_MAX, INFLATE_MAX + 1, INFLATE_MAX + 257,
		2 * INFLATE_MAX };
	static uint8_t out[INFLATE_MAX];
	uint32_t n;

	for (int i = 0; i < 4; i++) {
		memset(plain, 0, sizeof(plain));
		memset(plain_len, 0, sizeof(plain_len));
		plain_len[0] = lens[i];
		pack(Z_SYNC_FLUSH);
		ck_assert_int_eq(inflate_start(&inflater), V_OK);
		ck_assert_int_eq(one(packed[0], packed_len[0], out, &n),
			lens[i] > INFLATE_MAX ? V_COMPRESSION : V_OK);
	}
}
END_TEST

UNIT_MAIN("inflate", records_of_one_stream, an_inflater_starts_again, cut_at_every_byte,
	every_byte_wrong, longer_than_a_record)
