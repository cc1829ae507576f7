/* SPDX-License-Identifier: BSD-3-Clause */
#include "sinks.h"

static char got[65536];
static struct tls_meta meta;

START_TEST(columns)
{
	struct conn a = closed_conn(), b = closed_conn(), c = closed_conn(), d = closed_conn();
	struct conn_view va = view_of(&a, 1), vb = view_v6(&b, 2), vc = view_of(&c, 3),
			 vd = view_of(&d, 4);
	void *sink;

	strcpy(meta.sni, "a\x1b[31m\xc3\xa9\\");
	va.version = 0x0304;
	va.suite = 0x1301;
	va.records[C2S] = 1;
	va.text_bytes[C2S] = 1234567;
	vb.version = 0x0303;
	vb.suite = 0xfafa;
	vb.failed[S2C] = 1;
	vb.reason = V_NO_KEY;
	vc.records[S2C] = vc.failed[C2S] = 1;
	vc.reason = V_TAG;
	vd.is_tls = false;
	tmp_make();
	sink = sink_start(&sink_table, tmp_path("t"));
	sink_table.tls(sink, &va, &meta);
	sink_table.end(sink, &vc, END_FIN);
	sink_table.end(sink, &vb, END_FIN);
	sink_table.end(sink, &va, END_FIN);
	sink_table.end(sink, &vd, END_FIN);
	ck_assert_int_eq(sink_table.close(sink), 0);
	slurp(tmp_path("t"), got, sizeof(got));
	ck_assert_str_eq(got,
		"CONNECTION                                SNI                    VERSION  CIPHER SUITE"
		"                C2S  S2C  RESULT\n"
		"198.51.100.7:50001 -> 192.0.2.1:443       a\\x1b[31m\\xc3\\xa9\\x5c  TLS 1.3  "
		"TLS_AES_128_GCM_SHA256  1234567    0  decrypted\n"
		"[2001:db8::2]:50002 -> [2001:db8::1]:443                         TLS 1.2  0xfafa    "
		"                    0    0  no_key: no secret for this connection\n"
		"198.51.100.7:50003 -> 192.0.2.1:443                                                 "
		"                    0    0  decrypted in part: tag\n"
		"\n3 TLS connections, 2 decrypted: 1234567 bytes c2s, 0 bytes s2c\n"
		"1 not: no secret for this connection\n");
	tmp_remove();
}
END_TEST

START_TEST(longest_names)
{
	struct conn c = closed_conn();
	struct conn_view v = view_of(&c, 1);
	void *sink;

	memset(meta.sni, 1, 255);
	memset(meta.alpn, 1, 255);
	tmp_make();
	sink = sink_start(&sink_table, tmp_path("t"));
	sink_table.tls(sink, &v, &meta);
	sink_table.tls(sink, &v, &meta); /* the last one counts, the first is not lost */
	sink_table.end(sink, &v, END_FIN);
	ck_assert_int_eq(sink_table.close(sink), 0);
	slurp(tmp_path("t"), got, sizeof(got));
	ck_assert_ptr_nonnull(strstr(got, "\\x01...  "));
	ck_assert_ptr_nonnull(strstr(got, "no application data\n"));
	tmp_remove();
}
END_TEST

START_TEST(rows_are_bounded_but_all_are_counted)
{
	static char big[32 << 20];
	void *sink;

	tmp_make();
	sink = sink_start(&sink_table, tmp_path("t"));
	for (uint64_t i = 0; i < 100002; i++) {
		struct conn c = closed_conn();
		struct conn_view v = view_of(&c, i);

		sink_table.end(sink, &v, END_FIN);
	}
	ck_assert_int_eq(sink_table.close(sink), 0);
	slurp(tmp_path("t"), big, sizeof(big));
	ck_assert_ptr_nonnull(strstr(big, "\n... and 2 more\n\n100002 TLS connections, 0 "));
	tmp_remove();
}
END_TEST

START_TEST(nothing_seen)
{
	tmp_make();
	ck_assert_int_eq(sink_table.close(sink_start(&sink_table, tmp_path("t"))), 0);
	slurp(tmp_path("t"), got, sizeof(got));
	ck_assert_str_eq(got, "0 TLS connections, 0 decrypted: 0 bytes c2s, 0 bytes s2c\n");
	full_device(&sink_table);
	no_such_directory(&sink_table);
	tmp_remove();
}
END_TEST

UNIT_MAIN("sink_table", columns, longest_names, rows_are_bounded_but_all_are_counted, nothing_seen)
