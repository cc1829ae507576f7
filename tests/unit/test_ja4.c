/* SPDX-License-Identifier: BSD-3-Clause */
#include "hellos.h"

#include "tls/ja4.h"

/* The example in the description of JA4: a Chrome, GREASE and shuffle added. */
static const char chrome_suites[] =
	"3a3a 1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035";
static const char chrome_exts[] =
	"dada 0000 001b 0003 02 0002 0000 000b 0009 00 0006 736572766572 0033 0000 "
	"0010 000e 000c 02 6832 08 687474702f312e31 4469 0000 0017 0000 002d 0000 "
	"000d 0012 0010 0403 0804 0401 0503 0805 0501 0806 0601 0005 0000 0023 0000 0012 0000 "
	"002b 0007 06 aaaa 0304 0303 ff01 0001 00 000b 0002 01 00 000a 0000 0a0a 0001 00 0015 0000";

static const char *ja4(const struct hello_parts *parts)
{
	static uint8_t body[2 * 65536];
	static char out[JA4_SIZE];
	struct client_hello h;
	size_t n = hello_put(body, sizeof(body), parts);

	ck_assert_int_eq(hello_client(rd_init(body, n), &h), V_OK);
	memset(out, 'x', sizeof(out));
	ja4_client(&h, out);
	return out;
}

START_TEST(published)
{
	const struct hello_parts chrome = {
		.version = 0x0303, .suites = chrome_suites, .exts = chrome_exts
	};

	ck_assert_str_eq(ja4(&chrome), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}
END_TEST

START_TEST(versions)
{
	static const struct {
		uint16_t legacy;
		const char *exts;
		const char *begin;
	} cases[] = {
		{ 0x0300, NULL, "ts3i0100" },
		{ 0x0301, NULL, "t10i0100" },
		{ 0x0302, NULL, "t11i0100" },
		{ 0x0303, NULL, "t12i0100" },
		{ 0x0002, NULL, "ts2i0100" },
		{ 0x0305, NULL, "t00i0100" },
		{ 0x0303, "002b 0005 04 0302 0304", "t13i0101" },
		{ 0x0303, "002b 0005 04 0301 0302", "t11i0101" },
		{ 0x0303, "002b 0003 02 fafa", "t12i0101" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct hello_parts p = {
			.version = cases[i].legacy, .suites = "000a", .exts = cases[i].exts
		};

		ck_assert_mem_eq(ja4(&p), cases[i].begin, 8);
	}
}
END_TEST

START_TEST(application_protocols)
{
	static const struct {
		const char *exts;
		const char *two;
	} cases[] = {
		{ "0010 0003 0001 00", "00" },      /* empty */
		{ "0010 0004 0002 01 68", "hh" },   /* first and last in one */
		{ "0010 0005 0003 02 6832", "h2" }, /* the common ones */
		{ "0010 000b 0009 08 687474702f312e31", "h1" }, { "0010 0004 0002 01 ab", "ab" },
		{ "0010 0006 0004 03 3021ab", "3b" }, /* one end is not alphanumeric: hex of both */
		{ "0010 0006 0004 03 ab2130", "a0" }, /* either end */
		{ "0010 0005 0003 02 2f61", "21" },
		{ "0010 0005 0003 09 6832", "00" }, /* longer than its list */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct hello_parts p = {
			.version = 0x0303, .suites = "000a", .exts = cases[i].exts
		};

		ck_assert_mem_eq(ja4(&p) + 8, cases[i].two, 2);
	}
}
END_TEST

START_TEST(empty_lists)
{
	const struct hello_parts bare = { .version = 0x0301, .suites = "" };
	const struct hello_parts listed = {
		.version = 0x0301,
		.suites = "0a0a",
		.exts = "0000 0000 0010 0005 0003 02 6832",
	};

	ck_assert_str_eq(ja4(&bare), "t10i000000_000000000000_000000000000");
	ck_assert_str_eq(ja4(&listed), "t10d0002h2_000000000000_000000000000");
}
END_TEST

/* "NNNN" n times */
static char *many(uint32_t n, const char *entry)
{
	char *text = malloc(n * strlen(entry) + 1);
	char *p = text;

	*p = '\0';
	while (n--)
		p = stpcpy(p, entry);
	return text;
}

START_TEST(counts_stop_at_99)
{
	for (uint32_t n = 98; n <= 101; n++) {
		char *suites = many(n, "c02f"), *exts = many(n, "0017 0000"), want[16];
		const struct hello_parts p = { .version = 0x0303, .suites = suites, .exts = exts };

		snprintf(want, sizeof(want), "t12i%u%u00", n < 99 ? n : 99, n < 99 ? n : 99);
		ck_assert_mem_eq(ja4(&p), want, 10);
		free(suites);
		free(exts);
	}
}
END_TEST

START_TEST(lists_are_bounded)
{
	char *fits = many(512, "c02f"), *over = many(513, "c02f"), *most = many(32000, "c02f");
	char *exts = many(512, "0017 0000"), *exts_over = many(513, "0017 0000");
	struct hello_parts p = { .version = 0x0303, .suites = fits, .exts = exts };

	ck_assert_uint_eq(strlen(ja4(&p)), 36);
	p.suites = over;
	ck_assert_str_eq(ja4(&p), "");
	p.suites = most;
	ck_assert_str_eq(ja4(&p), "");
	p.suites = fits;
	p.exts = exts_over;
	ck_assert_str_eq(ja4(&p), "");
	free(fits);
	free(over);
	free(most);
	free(exts);
	free(exts_over);
}
END_TEST

UNIT_MAIN("ja4", published, versions, application_protocols, empty_lists, counts_stop_at_99,
	lists_are_bounded)
