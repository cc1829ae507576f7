/* SPDX-License-Identifier: BSD-3-Clause */
#include "sinks.h"

#include "tls/meta.h"
#include "write/eve.h"

static char got[1 << 20];
static struct tls_meta meta;

static int count(const char *what)
{
	int n = 0;

	for (const char *p = got; (p = strstr(p, what)); p++)
		n++;
	return n;
}

START_TEST(a_record_an_event)
{
	static const struct eve_counter c[] = { { "packets", 12 } };
	struct conn conn = closed_conn();
	struct conn_view v = view_v6(&conn, 1);
	void *sink;

	tmp_make();
	sink = sink_start(&sink_eve, tmp_path("e"));
	meta.version = 0x0304;
	meta.suite = 0x1301;
	meta.server_hello = true;
	meta.cert_len = 3;
	sink_eve.tls(sink, &v, &meta);
	sink_eve.anomaly(sink, &v, S2C, V_GAP, 5);
	v.records[S2C] = 4;
	v.failed[C2S] = 2;
	sink_eve.end(sink, &v, END_FIN);
	sink_eve.stats(sink, v.ts_ns, c, 1);
	ck_assert_int_eq(sink_eve.close(sink), 0);
	slurp(tmp_path("e"), got, sizeof(got));
	ck_assert_int_eq(count("\n"), 4);
	ck_assert_int_eq(count("\"src_ip\":\"2001:db8::2\",\"src_port\":50001,"), 3);
	ck_assert_int_eq(count("\"fingerprint\":\"29:e2:dc:fb:b1:6f:63:bb:02:54:df:75:85:a1:5b:b6:"
			       "fb:5e:92:7d\""),
		1); /* SHA-1 of three zeros */
	ck_assert_int_eq(count("\"cipher_suite\":\"TLS_AES_128_GCM_SHA256\""), 1);
	ck_assert_int_eq(count("\"event\":\"gap\",\"missing_bytes\":5"), 1);
	ck_assert_int_eq(count("\"records_decrypted\":4,\"records_not_decrypted\":2"), 1);
	ck_assert_int_eq(count("\"stats\":{\"packets\":12}"), 1);
	tmp_remove();
}
END_TEST

START_TEST(a_transaction)
{
	struct conn conn = closed_conn();
	struct conn_view v = view_of(&conn, 1);
	struct txn t = { .status = 200, .seen = 3, .id = 7 };
	void *sink;

	tmp_make();
	sink = sink_start(&sink_eve, tmp_path("e"));
	txn_put(&t, TXN_METHOD, "GET", 3);
	txn_put(&t, TXN_TARGET, "/\"\1", 3);
	sink_eve.txn(sink, &v, &t);
	ck_assert_int_eq(sink_eve.close(sink), 0);
	slurp(tmp_path("e"), got, sizeof(got));
	ck_assert_int_eq(count("\n"), 1);
	ck_assert_int_eq(count("\"event_type\":\"http\""), 1);
	ck_assert_int_eq(count("\"tx_id\":7,\"http\":{\"url\":\"/\\\"\\u0001\","), 1);
	tmp_remove();
}
END_TEST

/* A second run goes behind the first; unknown suites have no name. */
START_TEST(appends)
{
	struct conn conn = closed_conn();
	struct conn_view v = view_of(&conn, 1);

	tmp_make();
	memset(&meta, 0, sizeof(meta));
	meta.server_hello = true;
	for (int run = 0; run < 2; run++) {
		void *sink = sink_start(&sink_eve, tmp_path("e"));

		for (int i = 0; i < 400; i++)
			sink_eve.tls(sink, &v, &meta);
		ck_assert_int_eq(sink_eve.close(sink), 0);
	}
	slurp(tmp_path("e"), got, sizeof(got));
	ck_assert_int_eq(count("\"event_type\":\"tls\""), 800);
	ck_assert_int_eq(count("}}\n"), 800);
	ck_assert_int_eq(count("cipher_suite"), 0);
	tmp_remove();
}
END_TEST

/* The records of a second are there before the file is closed. */
START_TEST(does_not_keep_records_for_long)
{
	struct conn conn = closed_conn();
	struct conn_view v = view_of(&conn, 1);
	void *sink;

	tmp_make();
	sink = sink_start(&sink_eve, tmp_path("e"));
	sink_eve.end(sink, &v, END_FIN);
	v.ts_ns += 900000000;
	sink_eve.end(sink, &v, END_FIN);
	slurp(tmp_path("e"), got, sizeof(got));
	ck_assert_int_eq(count("\n"), 1);
	v.ts_ns += 200000000;
	sink_eve.end(sink, &v, END_FIN);
	slurp(tmp_path("e"), got, sizeof(got));
	ck_assert_int_eq(count("\n"), 3);
	ck_assert_int_eq(sink_eve.close(sink), 0);
	tmp_remove();
}
END_TEST

START_TEST(failures)
{
	full_device(&sink_eve);
	no_such_directory(&sink_eve);
}
END_TEST

UNIT_MAIN("sink_eve", a_record_an_event, a_transaction, appends, does_not_keep_records_for_long,
	failures)
