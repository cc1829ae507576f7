/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#include "decode/tcp.h"

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

/* A segment with these options, in memory of exactly its captured size. */
static int sack_of(const char *options, uint32_t cut, struct tcp_span spans[TCP_SACK_MAX])
{
	struct frame f = segment();
	struct pkt p;
	int n;

	f.len = f.tcp + 20;
	frame_hex(&f, options);
	while ((f.len - f.tcp) % 4)
		f.b[f.len++] = 0;
	f.b[f.tcp + 12] = (uint8_t)((f.len - f.tcp) / 4 << 4);
	ck_assert_int_eq(frame_cut(&f, f.len - cut, f.len, NULL, &p), V_OK);
	n = tcp_sack(&p, spans);
	frame_fini(&f);
	return n;
}

START_TEST(selective_acknowledgements)
{
	struct tcp_span s[TCP_SACK_MAX];

	ck_assert_int_eq(sack_of("", 0, s), 0);
	ck_assert_int_eq(sack_of("01 01 080a 1111111122222222", 0, s), 0);
	ck_assert_int_eq(sack_of("01 01 050a 00001000 00001400", 0, s), 1);
	ck_assert_uint_eq(s[0].from, 0x1000);
	ck_assert_uint_eq(s[0].to, 0x1400);
	/* around the end of the numbers; behind time stamps; empty and reversed blocks */
	ck_assert_int_eq(sack_of("080a 1111111122222222 01 01 051a fffffff0 00000010"
				 "00000020 00000020 00000040 00000030",
				 0, s),
		1);
	ck_assert_uint_eq(s[0].to, 0x10);
	ck_assert_int_eq(sack_of("0522 00000001 00000002 00000003 00000004 00000005 00000006"
				 "00000007 00000008",
				 0, s),
		4);
	/* what is malformed, hidden behind the end, or cut off */
	ck_assert_int_eq(sack_of("0501", 0, s), 0);
	ck_assert_int_eq(sack_of("0500", 0, s), 0);
	ck_assert_int_eq(sack_of("05ff 00001000 00001400", 0, s), 0);
	ck_assert_int_eq(sack_of("00 050a 00001000 00001400", 0, s), 0);
	ck_assert_int_eq(sack_of("0509 00001000 000014", 0, s), 0);
	for (uint32_t cut = 1; cut <= 12; cut++)
		ck_assert_int_eq(sack_of("01 01 050a 00001000 00001400", cut, s), 0);
}
END_TEST

UNIT_MAIN("tcp", data_offset, offset_beyond_the_segment, options_not_captured, every_flag,
	selective_acknowledgements)
