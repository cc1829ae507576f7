/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "base/bytes.h"

START_TEST(reads_and_stops)
{
	const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	struct rd r = rd_init(data, sizeof(data));
	uint8_t a;
	uint16_t b;
	uint32_t c, d;

	ck_assert_int_eq(rd_u8(&r, &a), V_OK);
	ck_assert_int_eq(rd_u16(&r, &b), V_OK);
	ck_assert_int_eq(rd_u24(&r, &c), V_OK);
	ck_assert_int_eq(rd_u32(&r, &d), V_OK);
	ck_assert_uint_eq(a, 1);
	ck_assert_uint_eq(b, 0x0203);
	ck_assert_uint_eq(c, 0x040506);
	ck_assert_uint_eq(d, 0x0708090a);
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert_int_eq(rd_u8(&r, &a), V_SHORT);
}
END_TEST

START_TEST(vectors_are_all_or_nothing)
{
	const uint8_t data[] = { 0, 3, 'a', 'b', 'c', 0, 9, 'd' };
	struct rd r = rd_init(data, sizeof(data)), sub;

	ck_assert_int_eq(rd_vec16(&r, &sub), V_OK);
	ck_assert_uint_eq(rd_left(&sub), 3);
	ck_assert_int_eq(rd_vec16(&r, &sub), V_SHORT);
	ck_assert_uint_eq(rd_left(&r), 3); /* unchanged */
	ck_assert_int_eq(rd_vec8(&r, &sub), V_OK);
	ck_assert_uint_eq(rd_left(&sub), 0);
	ck_assert_int_eq(rd_vec24(&r, &sub), V_SHORT);
	ck_assert_uint_eq(rd_left(&r), 2);
}
END_TEST

START_TEST(empty_and_null)
{
	struct rd r = rd_init(NULL, 0);
	const uint8_t *p;

	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert_int_eq(rd_bytes(&r, 0, &p), V_OK);
	ck_assert_int_eq(rd_bytes(&r, SIZE_MAX, &p), V_SHORT);
}
END_TEST

START_TEST(writer_stops_once_full)
{
	uint8_t buf[5];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_u16(&w, 0x0102);
	wr_u32(&w, 0x03040506);
	ck_assert(w.full);
	ck_assert_uint_eq(wr_len(&w, buf), 2);
	wr_u8(&w, 9);
	wr_str(&w, "xy");
	ck_assert_uint_eq(wr_len(&w, buf), 5);
	ck_assert_mem_eq(buf, "\x01\x02\x09xy", 5);
}
END_TEST

UNIT_MAIN("bytes", reads_and_stops, vectors_are_all_or_nothing, empty_and_null,
	writer_stops_once_full)
