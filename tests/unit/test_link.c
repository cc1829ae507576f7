/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#define MACS "021122334455 02aabbccddee "
#define ETHER LINK_ETHERNET

static void not_ip(uint16_t link, const char *hex)
{
	struct frame f = frame_new(link);

	frame_hex(&f, hex);
	frame_ip4(&f, 6);
	frame_tcp(&f);
	frame_expect(&f, V_NOT_IP);
}

START_TEST(tags)
{
	frame_expect_ip4_behind(ETHER, MACS "8100 0064 0800");
	frame_expect_ip4_behind(ETHER, MACS "88a8 0064 8100 0065 0800");
	frame_expect_ip4_behind(ETHER, MACS "9100 0064 9200 0065 8100 0066 0800");
	frame_expect_ip4_behind(ETHER, MACS "8926 8001 0002 8100 0066 0800"); /* VN-Tag */
	frame_expect_ip4_behind(ETHER, MACS "f1c1 0000 0002 0800");           /* 802.1CB */
	not_ip(ETHER, MACS "8100 0064 0806");
}
END_TEST

START_TEST(tags_up_to_eight)
{
	struct frame f;

	for (int n = 8; n <= 9; n++) {
		f = frame_new(ETHER);
		frame_eth(&f, 0x8100);
		for (int i = 0; i < n; i++)
			frame_hex(&f, i < n - 1 ? "0001 8100" : "0001 0800");
		frame_ip4(&f, 6);
		frame_tcp(&f);
		if (n == 8)
			frame_expect_tcp(&f);
		else
			frame_expect(&f, V_NESTING);
	}
}
END_TEST

START_TEST(provider_backbone)
{
	frame_expect_ip4_behind(ETHER, MACS "88a8 0001 88e7 00000017" MACS "8100 0002 0800");
}
END_TEST

START_TEST(llc)
{
	frame_expect_ip4_behind(ETHER, MACS "0074 aaaa03 000000 0800");
	frame_expect_ip4_behind(ETHER, MACS "8100 0001 0074 aaaa03 0000f8 0800");
	frame_expect_ip4_behind(ETHER, MACS "0074 060603");
	not_ip(ETHER, MACS "0074 aaaa03 00000c 0800"); /* Cisco's numbers are not EtherTypes */
	not_ip(ETHER, MACS "0074 424203");             /* spanning tree */
	not_ip(ETHER, MACS "0074 aaaa13 000000 0800");
	not_ip(ETHER, MACS "05dd aaaa03 000000 0800"); /* neither a length nor a type */
}
END_TEST

START_TEST(loopback_families)
{
	static const char *const six[] = { "0a000000", "17000000", "18000000", "1c000000",
		"1e000000", "0000001e" };

	for (size_t i = 0; i < sizeof(six) / sizeof(*six); i++) {
		struct frame f = frame_new(i % 2 ? LINK_LOOP : LINK_NULL);

		frame_hex(&f, six[i]);
		frame_ip6(&f, 6);
		frame_tcp(&f);
		frame_expect_tcp(&f);
	}
	frame_expect_ip4_behind(LINK_NULL, "02000000");
	frame_expect_ip4_behind(LINK_NULL, "00000002");
	not_ip(LINK_NULL, "07000000");
	not_ip(LINK_NULL, "00000000");
}
END_TEST

START_TEST(cooked)
{
	const char *vlan = "0000 0001 0006 021122334455 0000 8100 0007 0800";

	frame_expect_ip4_behind(LINK_SLL, vlan);
	frame_expect_ip4_behind(
		LINK_SLL2, "8100 0000 00000002 0001 00 06 0211223344550000 0007 0800");
	frame_expect_ip4_behind(LINK_SLL, "0000 0001 0006 021122334455 0000 0004 060603");
	/* Netlink, whose family 0 .. 22 must not be taken for an EtherType or a length. */
	not_ip(LINK_SLL, "0004 0338 0000 0000000000000000 0800");
	not_ip(LINK_SLL2, "0800 0000 00000002 0338 00 06 0211223344550000");
}
END_TEST

START_TEST(service_header)
{
	frame_expect_ip4_behind(ETHER,
		MACS "894f 0006 02 01 000020ff" /* MD type 1 */
		     "00000000 00000000 00000000 00000000");
	frame_expect_ip4_behind(ETHER, MACS "894f 0002 02 03 000020ff" MACS "0800");
	frame_expect_ip4_behind(ETHER, MACS "894f 0002 02 04 000020ff 0002 02 01 000020fe");
	not_ip(ETHER, MACS "894f 0001 02 01 000020ff"); /* shorter than itself */
	not_ip(ETHER, MACS "894f 4002 02 01 000020ff"); /* version */
	not_ip(ETHER, MACS "894f 0002 02 06 000020ff");
	not_ip(ETHER, MACS "894f 0002 02 00 000020ff");
}
END_TEST

UNIT_MAIN("link", tags, tags_up_to_eight, provider_backbone, llc, loopback_families, cooked,
	service_header)
