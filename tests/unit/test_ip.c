/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

START_TEST(ipv4_options)
{
	for (uint8_t words = 5; words < 16; words++) {
		struct frame f = frame_new(LINK_RAW);

		frame_ip4(&f, 6);
		f.b[0] = 0x40 | words;
		memset(f.b + f.len, 1, (words - 5) * 4); /* no operation */
		f.len += (words - 5) * 4;
		frame_tcp(&f);
		frame_expect_tcp(&f);
	}
}
END_TEST

static void expect_options(const char *hex, enum verdict v)
{
	struct frame f = frame_new(LINK_RAW);

	frame_ip4(&f, 6);
	f.b[0] = 0x47;
	frame_hex(&f, hex);
	frame_tcp(&f);
	if (v == V_OK)
		frame_expect_tcp(&f);
	else
		frame_expect(&f, v);
}

START_TEST(ipv4_options_must_add_up)
{
	expect_options("0101010101010101", V_OK);
	expect_options("94040000 01010100", V_OK); /* router alert */
	expect_options("0707040000000000", V_OK);
	expect_options("0708040000000000", V_OK);
	expect_options("0001000000000000", V_OK); /* nothing counts after the end of the list */
	expect_options("0709040000000000", V_IP_HEADER);
	expect_options("0701040000000000", V_IP_HEADER);
	expect_options("0700040000000000", V_IP_HEADER);
	expect_options("0101010101010107", V_IP_HEADER);
}
END_TEST

/* Header length and total length at and beyond their limits. */
START_TEST(ipv4_lengths)
{
	struct frame f = frame_new(LINK_IPV4);
	struct pkt p;

	frame_ip4(&f, 6);
	frame_tcp(&f);
	frame_close(&f);
	f.b[0] = 0x44;
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_IP_HEADER);
	f.b[0] = 0x55;
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_IP_HEADER);
	f.b[0] = 0x45;
	put_be16(f.b + 2, 19);
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_IP_HEADER);
	put_be16(f.b + 2, 39);
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_SHORT);
	put_be16(f.b + 2, 40);
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_OK);
	ck_assert_uint_eq(p.payload_wire, 0);
	put_be16(f.b + 2, 0xffff);
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_OK);
	ck_assert_uint_eq(p.payload_len, FRAME_PAYLOAD);
	ck_assert_uint_eq(p.payload_wire, 0xffff - 40);
	frame_fini(&f);
}
END_TEST

/* Segmentation offload leaves the length 0: then the frame has it, cut or not. */
START_TEST(length_zero)
{
	struct frame f = frame_new(LINK_RAW);
	struct pkt p;

	frame_ip4(&f, 6);
	frame_tcp(&f);
	f.fixes = 0;
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_OK);
	frame_check(&p, FRAME_PAYLOAD);
	ck_assert_int_eq(frame_cut(&f, f.len - 9, f.len, NULL, &p), V_OK);
	frame_check(&p, FRAME_PAYLOAD - 9);
	frame_fini(&f);
	f = frame_new(LINK_RAW);
	frame_ip6(&f, 0);
	frame_hex(&f, "0600 c2040000005c"); /* jumbo payload option */
	frame_tcp(&f);
	f.fixes = 0;
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_OK);
	frame_check(&p, FRAME_PAYLOAD);
	frame_fini(&f);
}
END_TEST

static void expect_exts(uint8_t first, const char *exts)
{
	struct frame f = frame_new(LINK_RAW);

	frame_ip6(&f, first);
	frame_hex(&f, exts);
	frame_tcp(&f);
	frame_expect_tcp(&f);
}

START_TEST(ipv6_extension_headers)
{
	expect_exts(6, "");
	expect_exts(0, "0600 0104 00000000");
	expect_exts(60, "0601 0104 00000000 0106000000000000");
	expect_exts(43, "0600 0000 00000000");
	expect_exts(135, "0600 0000 00000000");
	expect_exts(139, "0600 0000 00000000");
	expect_exts(140, "0600 0000 00000000");
	expect_exts(51, "0604 0000 00000001 00000002 00112233 44556677 8899aabb");
	expect_exts(0,
		"3c00 0104 00000000 2b00 0104 00000000 3c00 0000 00000000"
		"0600 0104 00000000");
	expect_exts(44, "0600 0000 0000beef");                    /* atomic fragment */
	expect_exts(44, "3c00 0006 0000beef 0600 0104 00000000"); /* reserved bits set */
}
END_TEST

START_TEST(authentication_header)
{
	struct frame f = frame_new(LINK_RAW);
	struct pkt p;

	frame_ip4(&f, 51);
	frame_hex(&f, "0604 0000 00000001 00000002 00112233 44556677 8899aabb");
	frame_tcp(&f);
	frame_expect_tcp(&f);
	f.b[21] = 0; /* shorter than its own fixed part */
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_IP_HEADER);
	f.b[21] = 255;
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_SHORT);
	f.b[21] = 4;
	f.b[20] = 60; /* an extension header of IPv6 means nothing after IPv4 */
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_NOT_TCP);
	frame_fini(&f);
}
END_TEST

START_TEST(ipv6_refused)
{
	static const uint8_t types[] = { 0, 44, 51 };
	struct frame f;

	f = frame_new(LINK_IPV6);
	frame_ip6(&f, 59); /* no next header */
	frame_tcp(&f);
	frame_expect(&f, V_NOT_TCP);
	for (size_t i = 0; i < sizeof(types); i++) {
		f = frame_new(LINK_IPV6);
		frame_ip6(&f, types[i]);
		for (int n = 0; n < 13; n++) {
			f.b[f.len++] = n < 12 ? types[i] : 6;
			frame_hex(&f,
				types[i] == 51 ? "01 0000 00000000 00000000" : "00 0000 00000000");
		}
		frame_tcp(&f);
		frame_expect(&f, V_NESTING);
	}
}
END_TEST

START_TEST(version_nibble)
{
	struct frame f = frame_new(LINK_RAW);
	struct pkt p;

	frame_hex(&f, "75000014");
	frame_expect(&f, V_NOT_IP);
	f = frame_new(LINK_IPV6);
	frame_ip6(&f, 6);
	frame_tcp(&f);
	f.b[0] = 0x50;
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_IP_HEADER);
	frame_fini(&f);
}
END_TEST

START_TEST(ip_in_ip)
{
	for (int i = 0; i < 4; i++) {
		struct frame f = frame_new(LINK_RAW);
		uint8_t inner = i & 1 ? 41 : 4;

		if (i & 2)
			frame_ip6(&f, inner);
		else
			frame_ip4(&f, inner);
		if (i & 1)
			frame_ip6(&f, 6);
		else
			frame_ip4(&f, 6);
		frame_tcp(&f);
		frame_expect_tcp(&f);
	}
}
END_TEST

START_TEST(fragments_without_a_reassembler)
{
	static const uint16_t words[] = { 0x2000, 0x0001, 0x1fff, 0x3fff };
	struct frame f;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		f = frame_new(LINK_RAW);
		frame_ip4_frag(&f, 6, 1, words[i]);
		frame_tcp(&f);
		frame_expect(&f, V_FRAGMENT);
		f = frame_new(LINK_RAW);
		frame_ip4_frag(&f, 1, 1, words[i]); /* no TCP in it: not kept */
		frame_tcp(&f);
		frame_expect(&f, V_NOT_TCP);
	}
	f = frame_new(LINK_RAW);
	frame_ip6(&f, 44);
	frame_hex(&f, "0600 0001 00000007");
	frame_tcp(&f);
	frame_expect(&f, V_FRAGMENT);
}
END_TEST

UNIT_MAIN("ip", ipv4_options, ipv4_options_must_add_up, ipv4_lengths, length_zero,
	ipv6_extension_headers, authentication_header, ipv6_refused, version_nibble, ip_in_ip,
	fragments_without_a_reassembler)
