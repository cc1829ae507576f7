/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "tls/sniff.h"

static const uint8_t client[] = { 22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, 9 };
static const uint8_t server[] = { 22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3, 9 };

START_TEST(hellos_and_their_prefixes)
{
	for (size_t n = 0; n < SNIFF_MAX; n++) {
		ck_assert_int_eq(sniff_at(client, n), SNIFF_MORE);
		ck_assert_int_eq(sniff_at(server, n), SNIFF_MORE);
	}
	ck_assert_int_eq(sniff_at(client, sizeof(client)), SNIFF_CLIENT);
	ck_assert_int_eq(sniff_at(server, sizeof(server)), SNIFF_SERVER);
}
END_TEST

START_TEST(hello_in_tiny_records)
{
	const uint8_t one[] = { 22, 3, 1, 0, 1, 1 }, five[] = { 22, 3, 1, 0, 5, 1, 0, 0, 196, 3 };

	ck_assert_int_eq(sniff_at(one, sizeof(one)), SNIFF_CLIENT);
	ck_assert_int_eq(sniff_at(five, sizeof(five)), SNIFF_CLIENT);
}
END_TEST

START_TEST(one_wrong_byte)
{
	static const int wrong[][2] = { { 0, 9 }, { 1, 2 }, { 2, 5 }, { 3, 99 }, { 6, 9 },
		{ 9, 4 } };
	uint8_t b[sizeof(client)];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		memcpy(b, client, sizeof(b));
		b[wrong[i][0]] = (uint8_t)wrong[i][1];
		ck_assert_int_ne(sniff_at(b, sizeof(b)), SNIFF_CLIENT);
	}
	memcpy(b, client, sizeof(b));
	b[5] = 11;
	ck_assert_int_eq(sniff_at(b, sizeof(b)), SNIFF_RECORD);
	ck_assert_int_eq(sniff_at((const uint8_t *)"GET / HTTP/1.1", 14), SNIFF_NO);
	ck_assert_int_eq(sniff_at((const uint8_t *)"\x17\x03\x03\x00\x20zzz", 8), SNIFF_RECORD);
	ck_assert_int_eq(sniff_at((const uint8_t *)"\x17\x03\x03\xff\x20zzz", 8), SNIFF_NO);
}
END_TEST

START_TEST(ssl2_framing)
{
	uint8_t b[64] = { 0x80, 9 + 6 + 16, 1, 3, 1, 0, 6, 0, 0, 0, 16 };

	ck_assert_int_eq(sniff_at(b, 33), SNIFF_CLIENT_V2);
	ck_assert_int_eq(sniff_at(b, 32), SNIFF_NO); /* not whole */
	b[6] = 7;
	ck_assert_int_eq(sniff_at(b, 33), SNIFF_NO);
}
END_TEST

START_TEST(behind_clear_text)
{
	uint8_t b[64] = "PROXY TCP4 \x16 1.2.3.4\r\n";
	size_t n = strlen((char *)b), at;

	memcpy(b + n, client, sizeof(client));
	ck_assert_int_eq(sniff_find(b, n + sizeof(client), &at), SNIFF_CLIENT);
	ck_assert_uint_eq(at, n);
	ck_assert_int_eq(sniff_find(b, n + 7, &at), SNIFF_MORE);
	ck_assert_uint_eq(at, n);
	ck_assert_int_eq(sniff_find(b, n, &at), SNIFF_NO);
	ck_assert_int_eq(sniff_find(b, 0, &at), SNIFF_NO);
}
END_TEST

UNIT_MAIN("sniff", hellos_and_their_prefixes, hello_in_tiny_records, one_wrong_byte, ssl2_framing,
	behind_clear_text)
