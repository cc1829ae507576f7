/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "shim/scope_list.h"

static struct scope_list l;
static char why[200];

START_TEST(lists)
{
	ck_assert_int_eq(scope_list_parse(&l, "port:443,sni:*.a,net:::1", why, sizeof(why)), 0);
	ck_assert_uint_eq(l.scope.n, 3);
	ck_assert_int_eq(l.item[1].kind, SCOPE_SNI);
	ck_assert_int_eq(scope_match(&l.scope, NULL, NULL, "b.a"), SCOPE_YES);
	ck_assert_int_eq(scope_list_parse(&l, NULL, why, sizeof(why)), 0);
	ck_assert_uint_eq(l.scope.n, 0);
	ck_assert_int_eq(scope_list_parse(&l, "", why, sizeof(why)), 0);
	ck_assert_uint_eq(l.scope.n, 0);
}
END_TEST

START_TEST(mistakes)
{
	static const char *const bad[] = { "443", "port:443,", ",port:443", "port:443,,port:80",
		"port:443 ,port:80", "port:443,host:a" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		why[0] = '\0';
		ck_assert_msg(scope_list_parse(&l, bad[i], why, sizeof(why)) < 0, "%s", bad[i]);
		ck_assert_msg(*why, "%s", bad[i]);
	}
	ck_assert_ptr_nonnull(strstr(why, "\"host:a\""));
}
END_TEST

START_TEST(limit)
{
	char text[SCOPE_LIST_MAX * 8] = "port:1";

	for (int i = 1; i < SCOPE_LIST_MAX; i++)
		strcat(text, ",port:1");
	ck_assert_int_eq(scope_list_parse(&l, text, why, sizeof(why)), 0);
	ck_assert_uint_eq(l.scope.n, SCOPE_LIST_MAX);
	strcat(text, ",port:1");
	ck_assert_int_lt(scope_list_parse(&l, text, why, sizeof(why)), 0);
}
END_TEST

UNIT_MAIN("scope_list", lists, mistakes, limit)
