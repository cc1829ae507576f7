/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#define MACS "021122334455 02aabbccddee "

START_TEST(label_stacks)
{
	struct frame f = frame_new(LINK_ETHERNET);

	frame_expect_ip4_behind(LINK_ETHERNET, MACS "8847 00010140");
	frame_expect_ip4_behind(LINK_ETHERNET, MACS "8848 00010040 00020040 00000140");
	frame_eth(&f, 0x8847);
	frame_hex(&f, "00010040 00002140");
	frame_ip6(&f, 6);
	frame_tcp(&f);
	frame_expect_tcp(&f);
}
END_TEST

START_TEST(pseudo_wires)
{
	frame_expect_ip4_behind(LINK_ETHERNET, MACS "8847 00010140 00000000" MACS "0800");
	frame_expect_ip4_behind(LINK_ETHERNET, MACS "8847 00010140 0000002a" MACS "8100 0001 0800");
	frame_expect_ip4_behind(LINK_ETHERNET, MACS "8847 00010140" MACS "0800");
	/* No control word, and an address that looks like a version. */
	frame_expect_ip4_behind(LINK_ETHERNET, MACS "8847 00010140 4501ffff0102 02aabbccddee 0800");
	frame_expect_ip4_behind(LINK_ETHERNET, MACS "8847 00010140 60000000ffff 02aabbccddee 0800");
}
END_TEST

START_TEST(not_ip)
{
	struct frame f = frame_new(LINK_ETHERNET);

	frame_eth(&f, 0x8847);
	frame_hex(&f, "00010140 10000021 4500001c"); /* associated channel */
	frame_expect(&f, V_NOT_IP);
	f = frame_new(LINK_ETHERNET);
	frame_eth(&f, 0x8847);
	frame_hex(&f, "00010140 00000000" MACS "0806 0001");
	frame_expect(&f, V_NOT_IP);
}
END_TEST

START_TEST(labels_bounded)
{
	for (int n = 16; n <= 17; n++) {
		struct frame f = frame_new(LINK_ETHERNET);

		frame_eth(&f, 0x8847);
		for (int i = 0; i < n; i++)
			frame_hex(&f, i < n - 1 ? "00010040" : "00010140");
		frame_ip4(&f, 6);
		frame_tcp(&f);
		if (n == 16)
			frame_expect_tcp(&f);
		else
			frame_expect(&f, V_NESTING);
	}
}
END_TEST

UNIT_MAIN("mpls", label_stacks, pseudo_wires, not_ip, labels_bounded)
