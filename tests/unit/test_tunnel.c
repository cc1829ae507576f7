/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#define MACS "021122334455 02aabbccddee "

/* IPv6 outside, so that only the inner addresses can pass for those of the segment. */
static struct frame tunnel(uint8_t proto, const char *hex)
{
	struct frame f = frame_new(LINK_RAW);

	frame_ip6(&f, proto);
	frame_hex(&f, hex);
	frame_ip4(&f, 6);
	frame_tcp(&f);
	return f;
}

static void expect_tcp(uint8_t proto, const char *hex)
{
	struct frame f = tunnel(proto, hex);

	frame_expect_tcp(&f);
}

static void expect(uint8_t proto, const char *hex, enum verdict v)
{
	struct frame f = tunnel(proto, hex);

	frame_expect(&f, v);
}

START_TEST(gre)
{
	expect_tcp(47, "0000 0800");
	expect_tcp(47, "2000 0800 00000001");
	expect_tcp(47, "1000 0800 00000001");
	expect_tcp(47, "8000 0800 00000000");
	expect_tcp(47, "b000 0800 abcd0000 00000001 00000002");
	expect_tcp(47, "2000 6558 00123400" MACS "8100 0001 0800"); /* NVGRE */
	expect_tcp(47, "0000 8847 00010140");
	expect_tcp(47, "0000 880b 0021");
	expect(47, "0000 0806", V_NOT_TCP);
	expect(47, "0000 0000", V_NOT_TCP); /* keep-alive */
	expect(47, "0002 0800", V_NOT_TCP); /* version */
}
END_TEST

START_TEST(gre_routing)
{
	expect_tcp(47, "4000 0800 00000000 0800 0004 c0000201 0000 0000");
	expect_tcp(47, "f000 0800 abcd0000 00000001 00000002 0000 0000");
	/* No last entry: the walk ends with the bytes. */
	expect(47, "4000 0800 00000000 0800 00ff c0000201", V_SHORT);
}
END_TEST

START_TEST(gre_version_1)
{
	expect_tcp(47, "3001 880b 0060 0001 00000001 ff03 0021");
	expect_tcp(47, "3081 880b ffff 0001 00000001 00000002 21");
	expect_tcp(47, "2001 6400 007a 0100" MACS "0800");     /* EoIP */
	expect(47, "2081 880b 0000 0001 00000002", V_NOT_TCP); /* an acknowledgement */
	expect(47, "3001 880b 0060 0001 00000001 c021", V_NOT_TCP);
	expect(47, "3001 0800 0060 0001 00000001", V_NOT_TCP);
}
END_TEST

START_TEST(erspan)
{
	expect_tcp(47, "0000 88be" MACS "0800"); /* type I */
	expect_tcp(47, "1000 88be 00000001 1064 2001 00000002" MACS "0800");
	expect_tcp(47, "1000 22eb 00000001 2064 2001 00000002 0000 0000" MACS "0800");
	expect_tcp(
		47, "1000 22eb 00000001 2064 2001 00000002 0000 0001 0102030405060708" MACS "0800");
	expect_tcp(47, "1000 22eb 00000001 2064 2001 00000002 0000 0800"); /* IP, no Ethernet */
	expect(47, "1000 22eb 00000001 2064 2001 00000002 0000 0400", V_NOT_TCP);
	expect(47, "1000 22eb 00000001 3064 2001 00000002 0000 0000" MACS "0800", V_NOT_TCP);
}
END_TEST

/* A mirror may cut what it mirrors: the inner length then exceeds the outer one. */
START_TEST(erspan_truncated)
{
	struct frame f = tunnel(47, "1000 88be 00000001 1064 2001 00000002" MACS "0800");
	struct pkt p;

	frame_close(&f);
	put_be16(f.b + 4, (uint16_t)(get_be16(f.b + 4) - 16));
	f.len -= 16;
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_OK);
	frame_check(&p, FRAME_PAYLOAD - 16);
	frame_fini(&f);
}
END_TEST

START_TEST(wccp)
{
	expect_tcp(47, "0000 883e");
	expect_tcp(47, "0000 883e 80003200");
	expect(47, "0000 883e 80003200 00000000", V_NOT_TCP);
}
END_TEST

START_TEST(etherip)
{
	expect_tcp(97, "3000" MACS "0800");
	expect(97, "4000" MACS "0800", V_NOT_TCP);
	expect_tcp(137, "00010140");
}
END_TEST

UNIT_MAIN("tunnel", gre, gre_routing, gre_version_1, erspan, erspan_truncated, wccp, etherip)
