/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "policy.h"

static struct policy *p;

static int load(const char *text, size_t len)
{
	char path[] = "/tmp/test_policy.XXXXXX";
	int fd = mkstemp(path), rc;

	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	close(fd);
	rc = policy_load(&p, path);
	unlink(path);
	return rc;
}

static bool permits(const char *sni, uint16_t port)
{
	const struct tuple_end client = { { 192, 0, 2, 1 }, 4, 50000 },
			       server = { { 10, 0, 0, 9 }, 4, port };

	return scope_permits(&p->only, &p->except, &client, &server, sni);
}

START_TEST(only_and_except)
{
	static const char text[] = "# what may be seen\n\n"
				   "only server:10.0.0.0/8 # ours\r\n"
				   "only\tsni:a.example\n"
				   "except sni:*.bank.example\n"
				   "  except port:5432";

	ck_assert_int_eq(load(text, sizeof(text) - 1), 0);
	ck_assert_uint_eq(p->only.n, 2);
	ck_assert_uint_eq(p->except.n, 2);
	ck_assert(permits("b.example", 443));
	ck_assert(permits("", 443));
	ck_assert(!permits("www.bank.example", 443));
	ck_assert(!permits("b.example", 5432));
	ck_assert(!permits(NULL, 443)); /* it may be a bank's */
	policy_free(p);
	ck_assert_int_eq(load("only sni:a.example\n", 19), 0);
	ck_assert(permits("A.example", 1) && !permits("b.example", 1) && !permits(NULL, 1));
	policy_free(p);
	ck_assert_int_eq(load("except port:1\n", 14), 0);
	ck_assert(permits(NULL, 2) && !permits("a", 1));
	policy_free(p);
	ck_assert_int_eq(load("", 0), 0);
	ck_assert(permits(NULL, 2));
	policy_free(p);
}
END_TEST

START_TEST(mistakes)
{
	static const char *const bad[] = { "sni:a\n", "only\n", "only sni:a sni:b\n", "except a\n",
		"Only sni:a\n", "only sni:a\nexcept port:0\n", "only # sni:a\n" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(load(bad[i], strlen(bad[i])) == -EINVAL && !p, "%s", bad[i]);
	ck_assert_int_eq(load("only port:1\0\n", 13), -EINVAL);
	ck_assert_int_eq(policy_load(&p, "/nonexistent/policy"), -ENOENT);
	ck_assert_int_eq(policy_load(&p, "/tmp"), -EISDIR);
}
END_TEST

START_TEST(limit)
{
	static char text[(POLICY_ITEMS_MAX + 1) * 14];

	for (int i = 0; i < POLICY_ITEMS_MAX; i++)
		memcpy(text + (size_t)i * 14, "except port:1\n", 14);
	ck_assert_int_eq(load(text, (size_t)POLICY_ITEMS_MAX * 14), 0);
	ck_assert_uint_eq(p->except.n, POLICY_ITEMS_MAX);
	policy_free(p);
	memcpy(text + (size_t)POLICY_ITEMS_MAX * 14, "except port:1\n", 14);
	ck_assert_int_eq(load(text, sizeof(text)), -EINVAL);
}
END_TEST

UNIT_MAIN("policy", only_and_except, mistakes, limit)
