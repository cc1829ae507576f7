/* SPDX-License-Identifier: BSD-3-Clause */
#include "hellos.h"

#include "tls/ja3.h"

static void check_client(const struct hello_parts *parts, const char *text, const char *hash)
{
	uint8_t body[1024];
	char got[512], hex[JA3_HASH_SIZE];
	struct client_hello h;
	struct wr w = wr_init(got, sizeof(got) - 1);
	size_t n = hello_put(body, sizeof(body), parts);

	ck_assert_int_eq(hello_client(rd_init(body, n), &h), V_OK);
	ja3_client(&h, &w);
	*w.p = '\0';
	ck_assert(!w.full);
	ck_assert_str_eq(got, text);
	ja3_hash(got, strlen(got), hex);
	ck_assert_str_eq(hex, hash);
}

/* The two examples in the description of JA3. */
START_TEST(published)
{
	static const struct hello_parts full = {
		.version = 0x0301,
		.suites = "002f 0035 0005 000a c009 c00a c013 c014 0032 0038 0013 0004",
		.exts = "0000 0000 000a 0008 0006 0017 0018 0019 000b 0002 01 00",
	};
	static const struct hello_parts bare = {
		.version = 0x0301,
		.suites = "0004 0005 000a 0009 0064 0062 0003 0006 0013 0012 0063",
	};

	check_client(&full, "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0",
		"ada70206e40642a3e4461f35503241d5");
	check_client(
		&bare, "769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6");
}
END_TEST

START_TEST(grease_left_out)
{
	static const struct hello_parts parts = {
		.version = 0x0301,
		.suites = "0a0a 002f 0035 0005 000a c009 c00a c013 c014 0032 0038 0013 0004 fafa",
		.exts = "1a1a 0000 0000 0000 000a 000a 0008 5a5a 0017 0018 0019 000b 0002 01 00"
			"eaea 0001 00",
	};

	check_client(&parts, "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0",
		"ada70206e40642a3e4461f35503241d5");
}
END_TEST

START_TEST(server)
{
	static const char tail[] = "00 002f 00 0019 ff01 0001 00 0000 0000 000b 0000 0023 0000"
				   "0005 0000 0010 0000";
	uint8_t body[128] = { 3, 1 };
	size_t n = 34 + unhex(body + 34, tail);
	char got[64], hex[JA3_HASH_SIZE];
	struct wr w = wr_init(got, sizeof(got) - 1);
	struct server_hello h;

	ck_assert_int_eq(hello_server(rd_init(body, n), &h), V_OK);
	ja3_server(&h, &w);
	*w.p = '\0';
	ck_assert_str_eq(got, "769,47,65281-0-11-35-5-16");
	ja3_hash(got, strlen(got), hex);
	ck_assert_str_eq(hex, "836ce314215654b5b1f85f97c73e506f");
}
END_TEST

START_TEST(says_when_it_does_not_fit)
{
	static const struct hello_parts parts = { .version = 0x0303, .suites = "ffff ffff" };
	static const char text[] = "771,65535-65535,,,";
	uint8_t body[128];
	char got[32];
	struct client_hello h;
	size_t n = hello_put(body, sizeof(body), &parts);

	ck_assert_int_eq(hello_client(rd_init(body, n), &h), V_OK);
	for (size_t cap = 0; cap <= sizeof(got); cap++) {
		struct wr w = wr_init(got, cap);

		ja3_client(&h, &w);
		ck_assert_int_eq(w.full, cap < strlen(text));
	}
	ck_assert_mem_eq(got, text, strlen(text));
}
END_TEST

UNIT_MAIN("ja3", published, grease_left_out, server, says_when_it_does_not_fit)
