/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <arpa/inet.h>

#include "keys/scope.h"

static struct scope_item item[8];

static struct scope read_list(const char *list)
{
	struct scope s = { 0, item };

	for (; list && *list; list += strspn(list, ",")) {
		size_t n = strcspn(list, ",");

		ck_assert_msg(scope_read(&item[s.n++], list, n) == 0, "%s", list);
		list += n;
	}
	return s;
}

static struct tuple_end end_at(const char *addr, uint16_t port)
{
	struct tuple_end e = { .port = port, .addr_len = strchr(addr, ':') ? 16 : 4 };

	inet_pton(e.addr_len == 4 ? AF_INET : AF_INET6, addr, e.addr);
	return e;
}

/* The server is 198.51.100.7. */
static enum scope_answer ask(const char *list, const char *client, uint16_t port, const char *sni)
{
	struct scope s = read_list(list);
	struct tuple_end at = end_at(client ? client : "", 1), to = end_at("198.51.100.7", port);

	return scope_match(&s, client ? &at : NULL, client ? &to : NULL, sni);
}

START_TEST(matches)
{
	static const struct {
		const char *list, *client;
		uint16_t port;
		const char *sni;
		enum scope_answer answer;
	} cases[] = {
		{ NULL, "10.0.0.1", 443, "a", SCOPE_NO },
		{ "port:443", "10.0.0.1", 443, "", SCOPE_YES },
		{ "port:443", "10.0.0.1", 8443, "", SCOPE_NO },
		{ "port:443,port:8443", "10.0.0.1", 8443, "", SCOPE_YES },
		{ "port:443", NULL, 0, "a", SCOPE_UNKNOWN },
		{ "port:443,sni:a", NULL, 0, "a", SCOPE_YES },
		{ "sni:www.example.org", NULL, 0, "WWW.Example.ORG", SCOPE_YES },
		{ "sni:www.example.org", NULL, 0, "www.example.or", SCOPE_NO },
		{ "sni:www.example.org", NULL, 0, "", SCOPE_NO },
		{ "sni:*.example.org", NULL, 0, "a.b.example.org", SCOPE_YES },
		{ "sni:*.example.org", NULL, 0, "example.org", SCOPE_NO },
		{ "sni:*.example.org", NULL, 0, ".example.org", SCOPE_NO },
		{ "sni:*.example.org", NULL, 0, "badexample.org", SCOPE_NO },
		{ "net:10.0.0.0/8", "10.255.1.2", 1, "", SCOPE_YES },
		{ "net:10.0.0.0/8", "11.0.0.0", 1, "", SCOPE_NO },
		{ "net:10.128.0.0/9", "10.127.255.255", 1, "", SCOPE_NO },
		{ "net:10.128.0.0/9", "10.128.0.0", 1, "", SCOPE_YES },
		{ "net:0.0.0.0/0", "203.0.113.9", 1, "", SCOPE_YES },
		{ "net:0.0.0.0/0", "2001:db8::1", 1, "", SCOPE_NO },
		{ "net:192.0.2.1", "192.0.2.1", 1, "", SCOPE_YES },
		{ "net:192.0.2.1", "192.0.2.0", 1, "", SCOPE_NO },
		{ "net:2001:db8::/32", "2001:db8:ffff::1", 1, "", SCOPE_YES },
		{ "net:2001:db8::/33", "2001:db8:ffff::1", 1, "", SCOPE_NO },
		{ "net:2001:db8::1", "2001:db8::1", 1, "", SCOPE_YES },
		{ "net:::/0", "2001:db8::1", 1, "", SCOPE_YES },
		{ "net:::ffff:127.0.0.0/104", "127.255.0.1", 1, "", SCOPE_YES },
		{ "net:::ffff:127.0.0.0/104", "128.0.0.1", 1, "", SCOPE_NO },
		{ "net:::ffff:192.0.2.1", "192.0.2.1", 1, "", SCOPE_YES },
		{ "server:198.51.100.0/24", "192.0.2.1", 1, "", SCOPE_YES },
		{ "server:192.0.2.1", "192.0.2.1", 1, "", SCOPE_NO },
		{ "server:198.51.100.0/24", NULL, 0, "", SCOPE_UNKNOWN },
		{ "sni:a", "192.0.2.1", 1, NULL, SCOPE_UNKNOWN },
		{ "sni:a,port:1", "192.0.2.1", 1, NULL, SCOPE_YES },
		{ "sni:a,port:2", "192.0.2.1", 1, NULL, SCOPE_UNKNOWN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_msg(ask(cases[i].list, cases[i].client, cases[i].port, cases[i].sni) ==
				cases[i].answer,
			"%zu: %s", i, cases[i].list);
}
END_TEST

START_TEST(mistakes)
{
	static const char *const bad[] = { "", "443", "port:", "port:0", "port:65536", "port:44x",
		"port:4294967739", "port:-1", "sni:", "sni:*.", "sni:*", "sni:a*b", "sni:*.a.*",
		"net:", "net:10.0.0.0/33", "net:10.0.0/8", "net:2001:db8::/129", "net:10.0.0.0/",
		"net:10.0.0.0/x", "host:a", "port:443 ", "PORT:443",
		"server:", "servers:10.0.0.1" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(scope_read(item, bad[i], strlen(bad[i])) < 0, "%s", bad[i]);
	ck_assert_int_lt(scope_read(item, "sni:a\0b", 7), 0);
	ck_assert_int_eq(scope_read(item, "port:4433", 8), 0);
	ck_assert_uint_eq(item->port, 443);
}
END_TEST

START_TEST(longest_name)
{
	char text[SCOPE_ITEM_MAX + 2] = "sni:*.";

	memset(text + 6, 'a', sizeof(text) - 6);
	ck_assert_int_eq(scope_read(item, text, 5 + SCOPE_NAME_MAX), 0);
	ck_assert_int_lt(scope_read(item, text, 6 + SCOPE_NAME_MAX), 0);
	ck_assert_int_lt(scope_read(item, text, sizeof(text)), 0);
	ck_assert_int_eq(scope_read(item, "sni:b", 5), 0);
	ck_assert_int_eq(scope_match(&(struct scope){ 1, item }, NULL, NULL, "b"), SCOPE_YES);
}
END_TEST

UNIT_MAIN("scope", matches, mistakes, longest_name)
