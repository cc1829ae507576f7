/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <arpa/inet.h>

#include "write/community.h"

static void one(
	int family, const char *a, uint16_t ap, const char *b, uint16_t bp, const char *expected)
{
	struct flow_key k = { .addr_len = family == AF_INET ? 4 : 16 }, swapped;
	char out[COMMUNITY_LEN];

	ck_assert_int_eq(inet_pton(family, a, k.addr[0]), 1);
	ck_assert_int_eq(inet_pton(family, b, k.addr[1]), 1);
	k.port[0] = ap;
	k.port[1] = bp;
	community_id(out, &k);
	ck_assert_str_eq(out, expected);
	swapped = k;
	memcpy(swapped.addr[0], k.addr[1], 16);
	memcpy(swapped.addr[1], k.addr[0], 16);
	swapped.port[0] = bp;
	swapped.port[1] = ap;
	community_id(out, &swapped);
	ck_assert_str_eq(out, expected);
}

/* The baseline of the Community ID specification. */
START_TEST(published)
{
	one(AF_INET, "128.232.110.120", 34855, "66.35.250.204", 80,
		"1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
}
END_TEST

/* Computed from the definition with another SHA-1 and another base64. */
START_TEST(ipv6_and_equal_addresses)
{
	one(AF_INET6, "2001:db8::1", 50000, "2001:db8::2", 443, "1:YXqXufkGr4i6TbJJYF83fvyDLZ8=");
	one(AF_INET, "127.0.0.1", 443, "127.0.0.1", 50000, "1:ZmWV3ytbJfTYZFUSY/RCg0FNKrg=");
}
END_TEST

UNIT_MAIN("community", published, ipv6_and_equal_addresses)
