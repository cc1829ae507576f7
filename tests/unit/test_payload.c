/* SPDX-License-Identifier: BSD-3-Clause */
#include "keybus/payload.h"

#include "unit.h"

#define ID "0101010101010101010101010101010101010101010101010101010101010101"
#define OTHER "0202020202020202020202020202020202020202020202020202020202020202"

static int first(const char *text)
{
	size_t n = strlen(text);
	char *exact = malloc(n + 1);
	uint8_t random[32];
	bool is;

	memcpy(exact, text, n);
	is = payload_random(exact, n, random);
	free(exact);
	return is ? random[31] : -1;
}

START_TEST(names)
{
	ck_assert_int_eq(first("CLIENT_TRAFFIC_SECRET_0 " ID " " ID ""), 1);
	ck_assert_int_eq(first("# sni=x\r\n\nCLIENT_TRAFFIC_SECRET_0 " ID " " ID "\r\n"), 1);
	ck_assert_int_eq(first("NONSENSE\nCLIENT_TRAFFIC_SECRET_0 " OTHER " " ID
			       "\nCLIENT_TRAFFIC_SECRET_0 " ID " " ID "\n"),
		2);
	ck_assert_int_eq(first("SERVER_TRAFFIC_SECRET_7 " OTHER " " ID), 2);
	ck_assert_int_eq(first(""), -1);
	ck_assert_int_eq(first("\n\n#\n"), -1);
	ck_assert_int_eq(first("CLIENT_RANDOM 0101 01"), -1);
	ck_assert_int_eq(first("RSA Session-ID:01 Master-Key:02"), -1);
}
END_TEST

START_TEST(sealed)
{
	ck_assert(payload_is_sealed("sealed:v1:", 10));
	ck_assert(payload_is_sealed("sealed:v2", 9));
	ck_assert(!payload_is_sealed("sealed", 6));
	ck_assert(!payload_is_sealed("", 0));
	ck_assert(!payload_is_sealed("CLIENT_RANDOM", 13));
}
END_TEST

UNIT_MAIN("payload", names, sealed)
