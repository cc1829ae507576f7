/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "write/pcapng.h"

static uint32_t le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* @return length of the block at p, after checking that both its lengths agree. */
static uint32_t block(const uint8_t *p, size_t left, uint32_t type)
{
	uint32_t len;

	ck_assert_uint_ge(left, 12);
	ck_assert_uint_eq(le32(p), type);
	len = le32(p + 4);
	ck_assert_uint_eq(len % 4, 0);
	ck_assert_uint_le(len, left);
	ck_assert_uint_eq(le32(p + len - 4), len);
	return len;
}

START_TEST(begins_a_file)
{
	uint8_t buf[256], expected[256];
	size_t n = unhex(expected,
		"0a0d0d0a 2c000000 4d3c2b1a 0100 0000 ffffffff ffffffff"
		"0400 0500 636c656172 000000 0000 0000 2c000000"
		"01000000 20000000 0100 0000 00000000 0900 0100 09 000000 0000 0000 20000000");
	struct wr w = wr_init(buf, sizeof(buf));

	pcapng_begin(&w, "clear");
	ck_assert(!w.full);
	ck_assert_uint_eq(wr_len(&w, buf), n);
	ck_assert_mem_eq(buf, expected, n);
}
END_TEST

START_TEST(packets_of_every_padding)
{
	static const uint8_t data[] = "abcdefgh";

	for (uint32_t len = 0; len <= 8; len++) {
		uint8_t buf[64];
		struct wr w = wr_init(buf, sizeof(buf));

		memset(buf, 0xa5, sizeof(buf));
		pcapng_packet(&w, 0x0123456789abcdefu, data, len);
		ck_assert_uint_eq(wr_len(&w, buf), PCAPNG_PACKET_BYTES(len));
		ck_assert_uint_eq(block(buf, wr_len(&w, buf), 6), PCAPNG_PACKET_BYTES(len));
		ck_assert_uint_eq(le32(buf + 8), 0);
		ck_assert_uint_eq(le32(buf + 12), 0x01234567);
		ck_assert_uint_eq(le32(buf + 16), 0x89abcdef);
		ck_assert_uint_eq(le32(buf + 20), len);
		ck_assert_uint_eq(le32(buf + 24), len);
		ck_assert_mem_eq(buf + 28, data, len);
		for (size_t i = 28 + len; i < PCAPNG_PACKET_BYTES(len) - 4; i++)
			ck_assert_uint_eq(buf[i], 0);
	}
}
END_TEST

START_TEST(secrets)
{
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	pcapng_secrets(&w, "CLIENT", 6);
	ck_assert_uint_eq(block(buf, wr_len(&w, buf), 10), 28);
	ck_assert_mem_eq(buf + 8, "KSLT", 4); /* 0x544c534b */
	ck_assert_uint_eq(le32(buf + 12), 6);
	ck_assert_mem_eq(buf + 16, "CLIENT\0", 8);
}
END_TEST

START_TEST(full_at_every_length_but_enough)
{
	for (size_t cap = 0; cap <= PCAPNG_PACKET_BYTES(5); cap++) {
		uint8_t *buf = malloc(cap ? cap : 1);
		struct wr w = wr_init(buf, cap);

		pcapng_packet(&w, 1, (const uint8_t *)"12345", 5);
		ck_assert_int_eq(w.full, cap < PCAPNG_PACKET_BYTES(5));
		free(buf);
	}
}
END_TEST

UNIT_MAIN(
	"pcapng", begins_a_file, packets_of_every_padding, secrets, full_at_every_length_but_enough)
