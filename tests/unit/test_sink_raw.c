/* SPDX-License-Identifier: BSD-3-Clause */
#include "sinks.h"

static char got[65536];

/* Far more directions than open files, written to in turns: each must end up whole. */
START_TEST(more_files_than_descriptors)
{
	static struct conn c[MAX_CONNS];
	static struct conn_view v[MAX_CONNS];
	void *sink;

	tmp_make();
	sink = sink_start(&sink_raw, tmp_path("raw"));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MAX_CONNS; i++) {
			char text[16];

			c[i] = closed_conn();
			v[i] = i % 2 ? view_of(&c[i], (uint64_t)i) : view_v6(&c[i], (uint64_t)i);
			snprintf(text, sizeof(text), "%d/%d ", i, round);
			say(&sink_raw, sink, &v[i], C2S, text, strlen(text));
			if (i < 10)
				say(&sink_raw, sink, &v[i], S2C, "x", 1);
			say(&sink_raw, sink, &v[i], S2C, "", 0);
		}
	}
	for (int i = 0; i < MAX_CONNS; i += 2)
		sink_raw.end(sink, &v[i], END_FIN);
	ck_assert_int_eq(sink_raw.close(sink), 0);
	for (int i = 0; i < MAX_CONNS; i++) {
		const char *addr = i % 2 ? "198.51.100.7_%d-192.0.2.1_443-%d" :
					   "2001:db8::2_%d-2001:db8::1_443-%d";
		char name[128], path[160], expected[64];

		snprintf(name, sizeof(name), addr, 50000 + i, i);
		snprintf(path, sizeof(path), "raw/%s.c2s", name);
		snprintf(expected, sizeof(expected), "%d/0 %d/1 %d/2 ", i, i, i);
		slurp(tmp_path(path), got, sizeof(got));
		ck_assert_str_eq(got, expected);
		snprintf(path, sizeof(path), "raw/%s.s2c", name);
		if (i < 10) {
			slurp(tmp_path(path), got, sizeof(got));
			ck_assert_str_eq(got, "xxx");
		} else {
			ck_assert_int_ne(access(tmp_path(path), F_OK), 0);
		}
	}
	tmp_remove();
}
END_TEST

/* A file of an earlier run is replaced; a link to somewhere else is not followed. */
START_TEST(replaces_but_does_not_follow)
{
	struct conn c = closed_conn();
	struct conn_view v = view_of(&c, 1);
	const char *link;
	struct stat st;
	void *sink;

	tmp_make();
	for (int run = 0; run < 2; run++) {
		sink = sink_start(&sink_raw, tmp_path("raw"));
		say(&sink_raw, sink, &v, C2S, run ? "new" : "older", run ? 3 : 5);
		ck_assert_int_eq(sink_raw.close(sink), 0);
	}
	slurp(tmp_path("raw/198.51.100.7_50001-192.0.2.1_443-1.c2s"), got, sizeof(got));
	ck_assert_str_eq(got, "new");
	ck_assert_int_eq(stat(tmp_path("raw"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	link = tmp_path("raw/198.51.100.7_50001-192.0.2.1_443-1.s2c");
	ck_assert_int_eq(symlink("target", link), 0);
	sink = sink_start(&sink_raw, tmp_path("raw"));
	say(&sink_raw, sink, &v, S2C, "text", 4);
	say(&sink_raw, sink, &v, S2C, "text", 4);
	ck_assert_int_eq(sink_raw.close(sink), -ELOOP);
	ck_assert_int_ne(access(tmp_path("raw/target"), F_OK), 0);
	tmp_remove();
}
END_TEST

START_TEST(refuses_what_is_no_directory)
{
	void *sink = NULL;

	no_such_directory(&sink_raw);
	ck_assert_int_lt(sink_raw.open("/dev/null", 1, &sink), 0);
	ck_assert_ptr_null(sink);
}
END_TEST

UNIT_MAIN("sink_raw", more_files_than_descriptors, replaces_but_does_not_follow,
	refuses_what_is_no_directory)
