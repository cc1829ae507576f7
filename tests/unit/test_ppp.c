/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#define MACS "021122334455 02aabbccddee "

static void not_ip(uint16_t link, const char *hex)
{
	struct frame f = frame_new(link);

	frame_hex(&f, hex);
	frame_ip4(&f, 6);
	frame_tcp(&f);
	frame_expect(&f, V_NOT_IP);
}

START_TEST(protocol_field)
{
	struct frame f = frame_new(LINK_PPP);

	frame_expect_ip4_behind(LINK_PPP, "0021");
	frame_expect_ip4_behind(LINK_PPP, "21");
	frame_expect_ip4_behind(LINK_PPP, "ff03 21");
	frame_expect_ip4_behind(LINK_PPP, "0281 00010140");
	frame_expect_ip4_behind(LINK_PPP, "0283 00010140");
	frame_hex(&f, "ff03 0057");
	frame_ip6(&f, 6);
	frame_tcp(&f);
	frame_expect_tcp(&f);
	not_ip(LINK_PPP, "c021");
	not_ip(LINK_PPP, "ff03 00fd");
}
END_TEST

START_TEST(hdlc)
{
	frame_expect_ip4_behind(LINK_PPP_HDLC, "ff03 0021");
	frame_expect_ip4_behind(LINK_PPP_HDLC, "0f00 0800");
	frame_expect_ip4_behind(LINK_PPP_HDLC, "8f00 8847 00010140");
	not_ip(LINK_PPP_HDLC, "8f00 8035");
}
END_TEST

static struct frame pppoe(const char *head)
{
	struct frame f = frame_new(LINK_ETHERNET);

	frame_eth(&f, 0x8864);
	frame_hex(&f, head);
	frame_fix(&f, f.len, f.len + 2);
	frame_hex(&f, "0000 0021");
	frame_ip4(&f, 6);
	frame_tcp(&f);
	return f;
}

START_TEST(pppoe_session)
{
	struct frame f = pppoe("1100 0001");

	frame_expect_tcp(&f);
	f = pppoe("1109 0001"); /* discovery */
	frame_expect(&f, V_NOT_IP);
	f = pppoe("2100 0001");
	frame_expect(&f, V_NOT_IP);
}
END_TEST

/* The length of PPPoE cuts off what follows; one beyond the frame says nothing. */
START_TEST(pppoe_length)
{
	struct frame f = pppoe("1100 0001");
	struct pkt p;

	frame_close(&f);
	put_be16(f.b + 18, (uint16_t)(f.len - 20 - 8));
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_OK);
	frame_check(&p, FRAME_PAYLOAD - 8);
	put_be16(f.b + 18, 0xffff);
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_OK);
	frame_check(&p, FRAME_PAYLOAD);
	put_be16(f.b + 18, 1);
	ck_assert_int_eq(frame_run(&f, NULL, &p), V_SHORT);
	frame_fini(&f);
}
END_TEST

UNIT_MAIN("ppp", protocol_field, hdlc, pppoe_session, pppoe_length)
