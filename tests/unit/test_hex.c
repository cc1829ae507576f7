/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "base/hex.h"

START_TEST(both_cases)
{
	uint8_t out[4];
	char text[9];

	ck_assert_int_eq(hex_decode(out, "00fFaB7e", 8), V_OK);
	ck_assert_mem_eq(out, "\x00\xff\xab\x7e", 4);
	hex_encode(text, out, 4);
	ck_assert_str_eq(text, "00ffab7e");
}
END_TEST

START_TEST(refuses)
{
	uint8_t out[4];

	ck_assert_int_eq(hex_decode(out, "123", 3), V_KEY_HEX);
	for (int c = 0; c < 256; c++) {
		char s[2] = { 'a', (char)c };
		bool digit =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

		ck_assert_int_eq(hex_decode(out, s, 2), digit ? V_OK : V_KEY_HEX);
	}
	ck_assert_int_eq(hex_decode(out, "", 0), V_OK);
}
END_TEST

UNIT_MAIN("hex", both_cases, refuses)
