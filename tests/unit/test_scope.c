/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "shim/scope.h"

static struct scope s;
static char why[200];

static struct peer peer_at(const char *client, uint16_t port)
{
	struct peer p = { .known = true, .server.port = port };

	p.client.addr_len = strchr(client, ':') ? 16 : 4;
	inet_pton(p.client.addr_len == 4 ? AF_INET : AF_INET6, client, p.client.addr);
	return p;
}

static enum scope_answer ask(const char *list, const char *client, uint16_t port, const char *sni)
{
	struct peer p = client ? peer_at(client, port) : (struct peer){ 0 };

	ck_assert_msg(scope_parse(&s, list, why, sizeof(why)) == 0, "%s", why);
	return scope_match(&s, &p, sni);
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
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_msg(ask(cases[i].list, cases[i].client, cases[i].port, cases[i].sni) ==
				cases[i].answer,
			"%zu: %s", i, cases[i].list);
}
END_TEST

START_TEST(mistakes)
{
	static const char *const bad[] = { "443", "port:", "port:0", "port:65536", "port:44x",
		"port:-1", "sni:", "sni:*.", "sni:*", "sni:a*b", "sni:*.a.*",
		"net:", "net:10.0.0.0/33", "net:10.0.0/8", "net:2001:db8::/129", "net:10.0.0.0/",
		"net:10.0.0.0/x", "host:a", "port:443,", ",port:443", "port:443,,port:80",
		"port:443 ,port:80", "PORT:443" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		why[0] = '\0';
		ck_assert_msg(scope_parse(&s, bad[i], why, sizeof(why)) < 0, "%s", bad[i]);
		ck_assert_msg(*why, "%s", bad[i]);
	}
}
END_TEST

START_TEST(limits)
{
	char text[SCOPE_RULES_MAX * 8 + 300] = "sni:";

	memset(text + 4, 'a', SCOPE_NAME_MAX);
	text[4 + SCOPE_NAME_MAX] = '\0';
	ck_assert_int_eq(scope_parse(&s, text, why, sizeof(why)), 0);
	strcat(text, "a");
	ck_assert_int_lt(scope_parse(&s, text, why, sizeof(why)), 0);
	memset(text, 0, sizeof(text));
	for (int i = 0; i < SCOPE_RULES_MAX; i++)
		strcat(text, i ? ",port:1" : "port:1");
	ck_assert_int_eq(scope_parse(&s, text, why, sizeof(why)), 0);
	ck_assert_uint_eq(s.n, SCOPE_RULES_MAX);
	strcat(text, ",port:1");
	ck_assert_int_lt(scope_parse(&s, text, why, sizeof(why)), 0);
}
END_TEST

UNIT_MAIN("scope", matches, mistakes, limits)
