/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#define ETHER "021122334455 02aabbccddee "

START_TEST(every_link_type)
{
	frame_expect_ip4_behind(LINK_ETHERNET, ETHER "0800");
	frame_expect_ip4_behind(LINK_NULL, "00000002");
	frame_expect_ip4_behind(LINK_LOOP, "02000000");
	frame_expect_ip4_behind(LINK_PPP, "ff030021");
	frame_expect_ip4_behind(LINK_PPP_HDLC, "0f000800");
	frame_expect_ip4_behind(LINK_RAW, "");
	frame_expect_ip4_behind(LINK_RAW_OLD, "");
	frame_expect_ip4_behind(LINK_RAW_OPENBSD, "");
	frame_expect_ip4_behind(LINK_IPV4, "");
	frame_expect_ip4_behind(LINK_SLL, "0000 0001 0006 021122334455 0000 0800");
	frame_expect_ip4_behind(LINK_SLL2, "0800 0000 00000002 0001 00 06 0211223344550000");
}
END_TEST

START_TEST(ipv6_only_link)
{
	struct frame f = frame_new(LINK_IPV6);

	frame_ip6(&f, 6);
	frame_tcp(&f);
	frame_expect_tcp(&f);
	f = frame_new(LINK_IPV6);
	frame_ip4(&f, 6);
	frame_tcp(&f);
	frame_expect(&f, V_IP_HEADER);
}
END_TEST

START_TEST(unknown_link_type)
{
	struct frame f = frame_new(147);
	struct pkt p;

	frame_hex(&f, "00");
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_LINKTYPE);
	ck_assert_int_eq(frame_cut(&f, 0, 0, NULL, &p), V_LINKTYPE);
	frame_fini(&f);
}
END_TEST

/* A captured length of 0 may come with no bytes at all. */
START_TEST(nothing_captured)
{
	struct pkt p = { .link = LINK_ETHERNET, .wire_len = 60 };

	ck_assert_int_eq(frame_decode(&p, NULL), V_SHORT);
}
END_TEST

static struct frame nested(int tunnels)
{
	struct frame f = frame_new(LINK_ETHERNET);

	frame_eth(&f, 0x0800);
	for (int i = 0; i < tunnels; i++) {
		frame_ip4(&f, 17);
		frame_udp(&f, 4789);
		frame_hex(&f, "08000000 00000100");
		frame_eth(&f, 0x0800);
	}
	frame_ip4(&f, 6);
	frame_tcp(&f);
	return f;
}

START_TEST(tunnels_up_to_eight)
{
	struct frame f;

	for (int n = 0; n <= 8; n++) {
		f = nested(n);
		frame_expect_tcp(&f);
	}
	f = nested(9);
	frame_expect(&f, V_NESTING);
}
END_TEST

/* Without IP between them it is the count of all headers that ends it. */
START_TEST(headers_bounded)
{
	struct frame f = frame_new(LINK_ETHERNET);

	frame_eth(&f, 0x88e7);
	for (int i = 0; i < 63; i++) {
		frame_hex(&f, "00000001");
		frame_eth(&f, 0x88e7);
	}
	frame_expect(&f, V_NESTING);
}
END_TEST

START_TEST(other_protocols)
{
	static const uint8_t protos[] = { 0, 1, 2, 44, 50, 58, 59, 60, 132, 255 };
	struct frame f;

	for (size_t i = 0; i < sizeof(protos); i++) {
		f = frame_new(LINK_ETHERNET);
		frame_eth(&f, 0x0800);
		frame_ip4(&f, protos[i]);
		frame_tcp(&f);
		frame_expect(&f, V_NOT_TCP);
	}
	f = frame_new(LINK_ETHERNET);
	frame_eth(&f, 0x0806);
	frame_hex(&f, "0001080006040001");
	frame_expect(&f, V_NOT_IP);
}
END_TEST

/* Both say the same of a packet that begins 14 bytes into a frame. */
static void expect_same(const struct frame *f, uint32_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	struct pkt p[2];
	enum verdict v[2];

	memcpy(copy, f->b, n);
	for (int i = 0; i < 2; i++) {
		uint32_t skip = i ? 14 : 0;

		memset(&p[i], 0xa5, sizeof(p[i]));
		p[i].data = copy + skip;
		p[i].len = n - skip;
		p[i].wire_len = f->len - skip;
		p[i].link = i ? LINK_IPV4 : LINK_ETHERNET;
		v[i] = frame_decode(&p[i], NULL);
	}
	ck_assert_int_eq(v[0], v[1]);
	p[1].data = p[0].data;
	p[1].len = p[0].len;
	p[1].wire_len = p[0].wire_len;
	p[1].link = p[0].link;
	if (v[0] == V_OK)
		ck_assert_mem_eq(&p[0], &p[1], sizeof(p[0]));
	free(copy);
}

/* A plain frame is not walked; that must not show, whatever is wrong with it. */
START_TEST(plain_frames_are_as_if_walked)
{
	struct frame f = frame_new(LINK_ETHERNET);

	frame_eth(&f, 0x0800);
	frame_ip4(&f, 6);
	frame_tcp(&f);
	frame_close(&f);
	for (uint32_t n = 14; n <= f.len; n++)
		expect_same(&f, n);
	for (uint32_t at = 14; at < 54; at++) {
		const uint8_t was = f.b[at];

		for (int v = 0; v < 256; v++) {
			f.b[at] = (uint8_t)v;
			for (uint32_t pad = 0; pad < 8; pad += 7) {
				f.len += pad;
				expect_same(&f, f.len);
				f.len -= pad;
			}
		}
		f.b[at] = was;
	}
}
END_TEST

UNIT_MAIN("frame", every_link_type, ipv6_only_link, unknown_link_type, nothing_captured,
	tunnels_up_to_eight, headers_bounded, other_protocols, plain_frames_are_as_if_walked)
