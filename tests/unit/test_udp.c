/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#define MACS "021122334455 02aabbccddee "

static struct frame tunnel(uint16_t port, const char *hex)
{
	struct frame f = frame_new(LINK_RAW);

	frame_ip6(&f, 17);
	frame_udp(&f, port);
	frame_hex(&f, hex);
	if (port == 2152)
		frame_fix(&f, 50, 56);
	frame_ip4(&f, 6);
	frame_tcp(&f);
	return f;
}

static void expect_tcp(uint16_t port, const char *hex)
{
	struct frame f = tunnel(port, hex);

	frame_expect_tcp(&f);
}

static void expect(uint16_t port, const char *hex)
{
	struct frame f = tunnel(port, hex);

	frame_expect(&f, V_NOT_TCP);
}

START_TEST(vxlan)
{
	expect_tcp(4789, "08000000 00123400" MACS "0800");
	expect_tcp(8472, "08000000 00123400" MACS "8100 0001 0800");
	expect_tcp(4789, "88001234 00123401" MACS "0800"); /* group policy, reserved bits */
	expect(4789, "00000000 00123400" MACS "0800");     /* no valid network identifier */
	expect(4789, "08000000 00123400" MACS "0806");
	expect(53, "08000000 00123400" MACS "0800");
}
END_TEST

START_TEST(vxlan_gpe)
{
	expect_tcp(4790, "0c000001 00123400");
	expect_tcp(4790, "0c000003 00123400" MACS "0800");
	expect_tcp(4790, "0c000004 00123400 0002 02 01 000020ff");
	expect_tcp(4790, "0c000005 00123400 00010140");
	expect_tcp(4790, "08000003 00123400" MACS "0800");
	expect(4790, "0c000000 00123400");
	expect(4790, "0c000006 00123400");
	expect(4790, "3c000001 00123400"); /* version */
	expect(4790, "04000001 00123400");
}
END_TEST

START_TEST(geneve)
{
	expect_tcp(6081, "0000 6558 00123400" MACS "0800");
	expect_tcp(6081, "0000 0800 00123400");
	expect_tcp(6081, "0240 0800 00123400 0102 8001 deadbeef"); /* options, critical */
	expect(6081, "4000 0800 00123400");                        /* version */
	expect(6081, "0000 0806 00123400");
	expect(6081, "3f00 0800 00123400"); /* options beyond the end */
}
END_TEST

START_TEST(gtpu)
{
	expect_tcp(2152, "30 ff 0000 00000001");
	expect_tcp(2152, "32 ff 0000 00000001 00010000");
	expect_tcp(2152, "34 ff 0000 00000001 00000085 01100900"); /* PDU session container */
	expect_tcp(2152, "36 ff 0000 00000001 000000c0 01001185 0200000000000000");
	expect(2152, "30 01 0000 00000001");                   /* echo */
	expect(2152, "20 ff 0000 00000001");                   /* GTP' */
	expect(2152, "50 ff 0000 00000001");                   /* version 2 */
	expect(2152, "34 ff 0000 00000001 00000085 00000000"); /* a header of length 0 */
}
END_TEST

START_TEST(gtpu_extension_headers_bounded)
{
	for (int n = 8; n <= 9; n++) {
		struct frame f = frame_new(LINK_RAW);

		frame_ip6(&f, 17);
		frame_udp(&f, 2152);
		frame_hex(&f, "34 ff");
		frame_fix(&f, f.len, f.len + 6);
		frame_hex(&f, "0000 00000001 00000085");
		for (int i = 0; i < n; i++)
			frame_hex(&f, i < n - 1 ? "01000085" : "01000000");
		frame_ip4(&f, 6);
		frame_tcp(&f);
		if (n == 8)
			frame_expect_tcp(&f);
		else
			frame_expect(&f, V_NOT_TCP);
	}
}
END_TEST

START_TEST(l2tp)
{
	expect_tcp(1701, "0002 0001 0002 ff03 0021");
	expect_tcp(1701, "4002 0070 0001 0002 0021");
	expect_tcp(1701, "4a02 0070 0001 0002 0003 0004 0002 abcd 21");
	expect(1701, "c802 000c 0001 0000 0000 0001"); /* control */
	expect(1701, "0003 0000 00000001");            /* version 3 */
	expect(1701, "0002 0001 0002 ff03 c021");
}
END_TEST

START_TEST(mpls)
{
	expect_tcp(6635, "00010140");
	expect_tcp(6635, "00010140 00000000" MACS "0800");
}
END_TEST

START_TEST(length)
{
	struct frame f = tunnel(4789, "08000000 00123400" MACS "0800");
	struct pkt p;

	frame_close(&f);
	put_be16(f.b + 44, 7);
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_NOT_TCP);
	put_be16(f.b + 44, (uint16_t)(f.len - 39)); /* more than IP says */
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_NOT_TCP);
	put_be16(f.b + 44, (uint16_t)(f.len - 41)); /* less than the inner packet needs */
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_NOT_TCP);
	put_be16(f.b + 44, 0); /* offload */
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_OK);
	frame_check(&p, FRAME_PAYLOAD);
	frame_fini(&f);
}
END_TEST

/* Anything at all may be sent to these ports, and is then neither an error nor a segment. */
START_TEST(strangers)
{
	static const uint16_t ports[] = { 4789, 8472, 4790, 6081, 2152, 1701, 6635 };
	static const char *const texts[] = { "", "00", "ff", "474554202f20485454502f312e31",
		"00000000000000000000000000000000000000000000000000",
		"ffffffffffffffffffffffffffffffffffffffffffffffffff",
		"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a" };

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		for (size_t j = 0; j < sizeof(texts) / sizeof(*texts); j++) {
			struct frame f = frame_new(LINK_RAW);

			frame_ip4(&f, 17);
			frame_udp(&f, ports[i]);
			frame_hex(&f, texts[j]);
			frame_expect(&f, V_NOT_TCP);
		}
	}
}
END_TEST

UNIT_MAIN("udp", vxlan, vxlan_gpe, geneve, gtpu, gtpu_extension_headers_bounded, l2tp, mpls, length,
	strangers)
