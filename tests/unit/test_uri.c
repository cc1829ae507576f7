/* SPDX-License-Identifier: BSD-3-Clause */
#include "keybus/uri.h"

#include <errno.h>

#include "unit.h"

static struct uri u[4];
static char why[256];

static int list(const char *text)
{
	memset(u, 0xa5, sizeof(u));
	strcpy(why, "");
	return uri_list(u, 4, text, why, sizeof(why));
}

START_TEST(forms)
{
	static const struct {
		const char *text, *user, *host, *port, *said;
		bool tls, cluster;
		int db;
	} good[] = {
		{ "redis://h", "", "h", "6379", "redis://h:6379", false, false, 0 },
		{ "redis://h:1/15", "", "h", "1", "redis://h:1", false, false, 15 },
		{ "redis://me@10.0.0.1:65535", "me", "10.0.0.1", "65535", "redis://10.0.0.1:65535",
			false, false, 0 },
		{ "rediss://a.b.c:07", "", "a.b.c", "07", "rediss://a.b.c:07", true, false, 0 },
		{ "redis://[::1]", "", "::1", "6379", "redis://[::1]:6379", false, false, 0 },
		{ "rediss://x@[fe80::1]:9/255", "x", "fe80::1", "9", "rediss://[fe80::1]:9", true,
			false, 255 },
		{ "redis+cluster://h:7/0", "", "h", "7", "redis+cluster://h:7", false, true, 0 },
		{ "rediss+cluster://h", "", "h", "6379", "rediss+cluster://h:6379", true, true, 0 },
	};
	char said[300];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ck_assert_msg(list(good[i].text) == 1, "%s: %s", good[i].text, why);
		ck_assert(uri_is(good[i].text));
		ck_assert_str_eq(u->user, good[i].user);
		ck_assert_str_eq(u->host, good[i].host);
		ck_assert_str_eq(u->port, good[i].port);
		ck_assert_int_eq(u->tls, good[i].tls);
		ck_assert_int_eq(u->cluster, good[i].cluster);
		ck_assert_int_eq(u->db, good[i].db);
		ck_assert_str_eq(uri_text(u, said, sizeof(said)), good[i].said);
	}
	ck_assert_int_eq(list("unix:/a/b"), 1);
	ck_assert_str_eq(u->path, "/a/b");
	ck_assert_str_eq(uri_text(u, said, sizeof(said)), "unix:/a/b");
	ck_assert_int_eq(list("unix:///a"), 1);
	ck_assert_str_eq(u->path, "/a");
	ck_assert(!uri_is("file:/a") && !uri_is("") && !uri_is("rsa:x"));
}
END_TEST

START_TEST(lists)
{
	ck_assert_int_eq(list("redis://a,unix:/b,rediss://c@d:5"), 3);
	ck_assert_str_eq(u[1].path, "/b");
	ck_assert_str_eq(u[2].user, "c");
	ck_assert_int_eq(list("rediss+cluster://me@a:1,b:2,[::3]"), 3);
	ck_assert_str_eq(u[1].user, "me");
	ck_assert(u[1].tls && u[1].cluster && u[2].cluster);
	ck_assert_str_eq(u[1].port, "2");
	ck_assert_str_eq(u[2].host, "::3");
	ck_assert_str_eq(u[2].port, "6379");
	ck_assert_int_eq(list("redis://1,2,3,4"), 4);
	ck_assert_int_eq(list("redis://1,2,3,4,5"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "more than 4"));
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "", ",", "h", "h:1", "redis:", "redis:/h", "redis://",
		"redis://@h", "redis://h:", "redis://h:0", "redis://h:65536", "redis://h:-1",
		"redis://h: 1", "redis://h:1x", "redis://h/", "redis://h/256", "redis://h/x",
		"redis+cluster://h/1", "redis://[::1", "redis://[::1]1", "redis://[]",
		"redis://::1", "unix:", "unix://", "redis://h,", ",redis://h", "unix:/a,b",
		"redis://h,http://x", "http://h", "REDIS://h", "redis://h,a/1", "redis://a b",
		"redis://h\n", "redis://h#" };
	char text[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_msg(list(bad[i]) == -EINVAL, "%s", bad[i]);
		ck_assert_str_ne(why, "");
	}
	for (size_t n = 1; n < 300; n++) { /* every length that a field can have */
		memset(text, 'a', sizeof(text));
		memcpy(text, "redis://", 8);
		text[8 + n] = '\0';
		ck_assert_int_eq(list(text), n < 254 ? 1 : -EINVAL);
		strcpy(text + 8 + n, "@h");
		ck_assert_int_eq(list(text), n < 64 ? 1 : -EINVAL);
		memcpy(text, "unix:/aa", 8);
		text[5 + n] = '\0';
		ck_assert_int_eq(list(text), n < 108 ? 1 : -EINVAL);
	}
}
END_TEST

START_TEST(password_is_not_repeated)
{
	static const char *const bad[] = { "redis://u:hunter2@h", "redis://:hunter2@h:1",
		"redis://u:hunter2", "redis://u:hunter2@", "redis://a,b:hunter2@c",
		"hunter2://u:hunter2@h", "redis://u@h:hunter2" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_int_eq(list(bad[i]), -EINVAL);
		ck_assert_ptr_null(strstr(why, "hunter2"));
	}
}
END_TEST

UNIT_MAIN("uri", forms, lists, refused, password_is_not_repeated)
