/* SPDX-License-Identifier: BSD-3-Clause */
#include "keybus/b64url.h"

#include <errno.h>

#include "unit.h"

/* RFC 4648, section 10, without the padding; and the two characters that differ from base64. */
START_TEST(vectors)
{
	static const char *const pairs[][2] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "-_-_" } };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		size_t n = strlen(pairs[i][0]);
		uint8_t data[8];
		char text[16];

		b64url_encode(text, (const uint8_t *)pairs[i][0], n);
		ck_assert_str_eq(text, pairs[i][1]);
		ck_assert_uint_eq(strlen(text), B64URL_LEN(n));
		ck_assert_int_eq(b64url_decode(data, text, strlen(text)), (int)n);
		ck_assert_mem_eq(data, pairs[i][0], n);
	}
}
END_TEST

START_TEST(only_one_way)
{
	static const char *const bad[] = { "Z", "Zg=", "Zg==", "Zh", "Zm9", "Zm9vY", "Z g", "Zg\n",
		"+/+/", "Zm9vYmF", "Zm9v!", "Zm\xc3\xa9" };
	uint8_t data[8];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(b64url_decode(data, bad[i], strlen(bad[i])) == -EINVAL, "%s", bad[i]);
}
END_TEST

START_TEST(every_length)
{
	for (size_t n = 0; n < 200; n++) {
		uint8_t *data = malloc(n + 1), *back = malloc(n + 1);
		char *text = malloc(B64URL_LEN(n) + 1);

		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)(i * 37 + n);
		b64url_encode(text, data, n);
		ck_assert_int_eq(b64url_decode(back, text, strlen(text)), (int)n);
		ck_assert_mem_eq(back, data, n);
		free(text);
		free(back);
		free(data);
	}
}
END_TEST

UNIT_MAIN("b64url", vectors, only_one_way, every_length)
