/* SPDX-License-Identifier: BSD-3-Clause */
#include "sinks.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char got[65536];

START_TEST(sorted_and_complete)
{
	struct conn a = closed_conn(), b = closed_conn(), c = closed_conn(), d = closed_conn();
	struct conn_view va = view_v6(&a, 9), vb = view_of(&b, 3), vc = view_of(&c, 4),
			 vd = view_of(&d, 5);
	void *sink;

	tmp_make();
	sink = sink_start(&sink_digest, tmp_path("d"));
	vd.is_tls = false;
	say(&sink_digest, sink, &va, S2C, "a", 1);
	say(&sink_digest, sink, &vb, C2S, "ab", 2);
	say(&sink_digest, sink, &va, S2C, "bc", 2);
	say(&sink_digest, sink, &vb, C2S, "c", 1);
	sink_digest.end(sink, &va, END_FIN);
	sink_digest.end(sink, &vb, END_CAPTURE);
	sink_digest.end(sink, &vc, END_RST);
	sink_digest.end(sink, &vd, END_RST);
	/* The index of a finished connection is used again, and starts from nothing. */
	va.key.port[1] = 60000;
	sink_digest.end(sink, &va, END_FIN);
	ck_assert_int_eq(sink_digest.close(sink), 0);
	slurp(tmp_path("d"), got, sizeof(got));
	ck_assert_str_eq(got,
		"198.51.100.7:50003\t192.0.2.1:443\tc2s\t3\t" ABC "\n"
		"198.51.100.7:50003\t192.0.2.1:443\ts2c\t0\t" EMPTY "\n"
		"198.51.100.7:50004\t192.0.2.1:443\tc2s\t0\t" EMPTY "\n"
		"198.51.100.7:50004\t192.0.2.1:443\ts2c\t0\t" EMPTY "\n"
		"[2001:db8::2]:50009\t[2001:db8::1]:443\tc2s\t0\t" EMPTY "\n"
		"[2001:db8::2]:50009\t[2001:db8::1]:443\ts2c\t3\t" ABC "\n"
		"[2001:db8::2]:60000\t[2001:db8::1]:443\tc2s\t0\t" EMPTY "\n"
		"[2001:db8::2]:60000\t[2001:db8::1]:443\ts2c\t0\t" EMPTY "\n");
	tmp_remove();
}
END_TEST

START_TEST(many)
{
	static char big[4000000];
	char *p = big, *last = NULL;
	void *sink;
	int lines = 0;

	tmp_make();
	sink = sink_start(&sink_digest, tmp_path("d"));
	for (uint64_t i = 0; i < 10000; i++) {
		struct conn c = closed_conn();
		struct conn_view v = view_of(&c, i * 7 % 10000);

		sink_digest.end(sink, &v, END_FIN);
	}
	ck_assert_int_eq(sink_digest.close(sink), 0);
	slurp(tmp_path("d"), big, sizeof(big));
	for (char *nl; (nl = strchr(p, '\n')); p = nl + 1, lines++) {
		*nl = '\0';
		ck_assert(!last || strcmp(last, p) < 0);
		last = p;
	}
	ck_assert_int_eq(lines, 20000);
	tmp_remove();
}
END_TEST

START_TEST(nothing_seen)
{
	tmp_make();
	ck_assert_int_eq(sink_digest.close(sink_start(&sink_digest, tmp_path("d"))), 0);
	ck_assert_uint_eq(slurp(tmp_path("d"), got, sizeof(got)), 0);
	tmp_remove();
}
END_TEST

START_TEST(failures)
{
	full_device(&sink_digest);
	no_such_directory(&sink_digest);
}
END_TEST

UNIT_MAIN("sink_digest", sorted_and_complete, many, nothing_seen, failures)
