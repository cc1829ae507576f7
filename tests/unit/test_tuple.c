/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "keys/tuple.h"

static const struct tuple_end v4 = { { 192, 0, 2, 1 }, 4, 55200 },
			      server = { { 10, 0, 0, 9 }, 4, 443 };

static struct tuple_scope said(const char *comment)
{
	struct tuple_scope t = { 0 };

	tuple_comment(&t, comment, strlen(comment));
	return t;
}

START_TEST(comment_names_the_connection)
{
	static const char *const good[] = { "# tuple=192.0.2.1,55200,10.0.0.9,443",
		"#tuple=192.0.2.1,55200,10.0.0.9,443\r",
		"#  tuple=192.0.2.1,55200,10.0.0.9,443 x" };
	struct key_name want = tuple_name(&v4, &server), other = tuple_name(&server, &v4);

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct tuple_scope t = said(good[i]);

		ck_assert(t.bound);
		ck_assert_mem_eq(&t.name, &want, sizeof(want));
	}
	ck_assert_mem_ne(&want, &other, sizeof(want));
	ck_assert(said("# tuple=2001:db8::1,1,2001:db8::2,65535").bound);
}
END_TEST

START_TEST(refuses)
{
	static const char *const bad[] = { "# tuple=", "# tuple=192.0.2.1,55200,10.0.0.9",
		"# sni=x", "# tuple=192.0.2.1,0,10.0.0.9,443",
		"# tuple=192.0.2.1,65536,10.0.0.9,443", "# tuple=192.0.2.300,1,10.0.0.9,443",
		"# tuple=192.0.2.1,-1,10.0.0.9,443",
		"# tuple=192.0.2.1,99999999999999999999,10.0.0.9,443", "#", "tuple" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert(!said(bad[i]).bound);
}
END_TEST

START_TEST(binds_the_lines_of_one_random)
{
	struct tuple_scope t = said("# tuple=192.0.2.1,55200,10.0.0.9,443");
	struct keylog_line a = { .id_kind = KEY_BY_RANDOM, .id_len = 32, .id = { 1 } }, b = a,
			   c = a;

	c.id[0] = 2;
	ck_assert(tuple_bind(&t, &a));
	ck_assert_int_eq(a.id_kind, KEY_BY_TUPLE);
	ck_assert_mem_eq(a.id, t.name.id, 32);
	ck_assert(tuple_bind(&t, &b));
	ck_assert(!tuple_bind(&t, &c)); /* another connection's */
	b = (struct keylog_line){ .id_kind = KEY_BY_RANDOM, .id_len = 32, .id = { 1 } };
	ck_assert(!tuple_bind(&t, &b));
	tuple_comment(&t, "# sni=example", 13); /* says nothing of a tuple */
	ck_assert(!t.bound);
}
END_TEST

UNIT_MAIN("tuple", comment_names_the_connection, refuses, binds_the_lines_of_one_random)
