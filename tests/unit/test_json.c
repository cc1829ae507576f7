/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "write/json.h"

static const char *text_of(struct wr *w, char *buf)
{
	ck_assert(!w->full);
	*w->p = '\0';
	return buf;
}

static void one(const char *in, size_t len, const char *expected)
{
	char buf[256];
	struct wr w = wr_init(buf, sizeof(buf) - 1);
	struct json j;

	json_init(&j, &w);
	json_strn(&j, NULL, in, len);
	ck_assert_str_eq(text_of(&w, buf), expected);
}

START_TEST(nests_and_separates)
{
	char buf[256];
	struct wr w = wr_init(buf, sizeof(buf) - 1);
	struct json j;

	json_init(&j, &w);
	json_object(&j, NULL);
	json_u64(&j, "zero", 0);
	json_u64(&j, "max", UINT64_MAX);
	json_array(&j, "list");
	json_object(&j, NULL);
	json_end(&j);
	json_array(&j, NULL);
	json_end(&j);
	json_bool(&j, NULL, true);
	json_str(&j, NULL, "a");
	json_end(&j);
	json_object(&j, "o");
	json_bool(&j, "no", false);
	json_end(&j);
	json_str(&j, "s", "");
	json_end(&j);
	ck_assert_str_eq(text_of(&w, buf),
		"{\"zero\":0,\"max\":18446744073709551615,"
		"\"list\":[{},[],true,\"a\"],\"o\":{\"no\":false},\"s\":\"\"}");
}
END_TEST

START_TEST(escapes)
{
	one("", 0, "\"\"");
	one("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	one("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	one("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\\u007f\"");
	one("\xc2\x80\xc2\x9f\xc2\xa0", 6, "\"\\u0080\\u009f\xc2\xa0\"");
}
END_TEST

START_TEST(utf8_is_kept_or_replaced)
{
#define FFFD "\xef\xbf\xbd"
	one("\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9\"");
	one("\xf4\x8f\xbf\xbf", 4, "\"\xf4\x8f\xbf\xbf\"");
	one("\x80", 1, "\"" FFFD "\"");
	one("\xff"
	    "a",
		2, "\"" FFFD "a\"");
	one("\xc0\xaf", 2, "\"" FFFD FFFD "\"");                   /* overlong */
	one("\xe0\x80\xaf", 3, "\"" FFFD FFFD FFFD "\"");          /* overlong */
	one("\xf0\x8f\xbf\xbf", 4, "\"" FFFD FFFD FFFD FFFD "\""); /* overlong */
	one("\xed\xa0\x80", 3, "\"" FFFD FFFD FFFD "\"");          /* surrogate */
	one("\xf4\x90\x80\x80", 4, "\"" FFFD FFFD FFFD FFFD "\""); /* beyond U+10FFFF */
	one("\xf8\x88\x80\x80", 4, "\"" FFFD FFFD FFFD FFFD "\"");
	one("\xe2\x82"
	    "\"",
		3, "\"" FFFD FFFD "\\\"\"");     /* the quote is not swallowed */
	one("\xe2\x82", 2, "\"" FFFD FFFD "\""); /* cut off */
	one("\xc3", 1, "\"" FFFD "\"");
	one("\xf0\x9f\x92", 3, "\"" FFFD FFFD FFFD "\"");
}
END_TEST

/* Whatever goes in, what comes out is printable ASCII or UTF-8, and never a raw quote. */
START_TEST(any_pair_stays_one_string)
{
	bool good = true;

	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			uint8_t in[2] = { (uint8_t)a, (uint8_t)b }, buf[64];
			struct wr w = wr_init(buf, sizeof(buf));
			struct json j;
			size_t n;

			json_init(&j, &w);
			json_strn(&j, NULL, in, 2);
			n = wr_len(&w, buf);
			good = good && buf[0] == '"' && buf[n - 1] == '"';
			for (size_t i = 1; i < n - 1; i++)
				good = good && buf[i] >= 0x20 && buf[i] != 0x7f &&
					(buf[i] != '"' || buf[i - 1] == '\\');
		}
	}
	ck_assert(good);
}
END_TEST

START_TEST(full_is_said_at_every_length)
{
	char exact[32];

	for (size_t cap = 0; cap <= 20; cap++) {
		char *buf = malloc(cap ? cap : 1);
		struct wr w = wr_init(buf, cap);
		struct json j;

		json_init(&j, &w);
		json_object(&j, NULL);
		json_str(&j, "k", "ab\ncd");
		json_u64(&j, "n", 7);
		json_end(&j);
		/* {"k":"ab\ncd","n":7} */
		ck_assert_int_eq(w.full, cap < 20);
		if (cap == 20) {
			memcpy(exact, buf, 20);
			exact[20] = '\0';
			ck_assert_str_eq(exact, "{\"k\":\"ab\\ncd\",\"n\":7}");
		}
		free(buf);
	}
}
END_TEST

UNIT_MAIN("json", nests_and_separates, escapes, utf8_is_kept_or_replaced, any_pair_stays_one_string,
	full_is_said_at_every_length)
