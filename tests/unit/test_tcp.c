/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

static struct frame segment(void)
{
	struct frame f = frame_new(LINK_RAW);

	frame_ip4(&f, 6);
	frame_tcp(&f);
	return f;
}

START_TEST(data_offset)
{
	struct frame f = segment();
	struct pkt p;

	for (uint32_t words = 0; words < 16; words++) {
		enum verdict v;

		f.b[f.tcp + 12] = (uint8_t)(words << 4 | 0xf); /* reserved bits do not matter */
		v = frame_run(&f, NULL, &p);
		if (words < 5) {
			ck_assert_int_eq(v, V_TCP_HEADER);
			continue;
		}
		ck_assert_int_eq(v, V_OK);
		ck_assert_ptr_eq(p.payload, f.copy + f.tcp + words * 4);
		ck_assert_uint_eq(p.payload_len, FRAME_PAYLOAD - (words * 4 - 20));
		ck_assert_uint_eq(p.payload_wire, p.payload_len);
	}
	frame_fini(&f);
}
END_TEST

START_TEST(offset_beyond_the_segment)
{
	struct frame f = segment();
	struct pkt p;

	f.len = f.tcp + 24;
	f.b[f.tcp + 12] = 6 << 4;
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_OK);
	ck_assert_uint_eq(p.payload_len, 0);
	ck_assert_uint_eq(p.payload_wire, 0);
	f.b[f.tcp + 12] = 7 << 4;
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_TCP_HEADER);
	frame_fini(&f);
}
END_TEST

/* Options cut by the capture: what the segment carried is still known. */
START_TEST(options_not_captured)
{
	struct frame f = segment();
	struct pkt p;

	f.b[f.tcp + 12] = 8 << 4;
	for (uint32_t n = 20; n <= 34; n++) {
		ck_assert_int_eq(frame_cut(&f, f.tcp + n, f.len, NULL, &p), V_OK);
		ck_assert_uint_eq(p.payload_len, n > 32 ? n - 32 : 0);
		ck_assert_uint_eq(p.payload_wire, FRAME_PAYLOAD - 12);
		ck_assert(p.payload + p.payload_len <= f.copy + f.tcp + n);
	}
	frame_fini(&f);
}
END_TEST

START_TEST(every_flag)
{
	struct frame f = segment();
	struct pkt p;

	for (unsigned flags = 0; flags < 256; flags++) {
		f.b[f.tcp + 13] = (uint8_t)flags;
		ck_assert_int_eq(frame_run(&f, NULL, &p), V_OK);
		ck_assert_uint_eq(p.tcp_flags, flags);
	}
	frame_fini(&f);
}
END_TEST

UNIT_MAIN("tcp", data_offset, offset_beyond_the_segment, options_not_captured, every_flag)
