/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <time.h>

#include "decode/pkt.h"
#include "tls/text.h"
#include "write/eve.h"

static char line[EVE_MAX + 1];
static struct tls_meta meta;
static struct eve_cert cert;

static struct conn conn = {
	.state = CONN_CLOSED,
	.tcp_flags = { TCP_SYN | TCP_ACK | TCP_FIN, TCP_SYN | TCP_ACK | TCP_PSH },
	.last_ns = 1704164650000000000u,
	.packets = { 11, 22 },
	.bytes = { 1100, 2200 },
};

static struct flow_key key = { .addr = { { 66, 35, 250, 204 }, { 128, 232, 110, 120 } },
	.port = { 80, 34855 },
	.addr_len = 4 };

static struct eve eve(void)
{
	return (struct eve){ .conn = &conn,
		.id = 77,
		.first_ns = 1704164645123456789u,
		.key = &key,
		.client = 1,
		.ts_ns = 1704164645123456789u,
		.is_tls = true,
		.text_bytes = { 5, 6 },
		.records = 2,
		.failed = 1,
		.reason = V_TAG };
}

static void finish(struct wr *w)
{
	ck_assert(!w->full);
	*w->p = '\0';
}

#define HEAD(type)                                                                                 \
	"{\"timestamp\":\"2024-01-02T03:04:05.123456+0000\",\"flow_id\":77,\"event_type\":\"" type \
	"\",\"src_ip\":\"128.232.110.120\",\"src_port\":34855,\"dest_ip\":\"66.35.250.204\","      \
	"\"dest_port\":80,\"proto\":\"TCP\",\"community_id\":\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\""
#define CLEARTAP                                                                                   \
	"\"cleartap\":{\"decrypted\":true,\"plaintext_bytes_toserver\":5,"                         \
	"\"plaintext_bytes_toclient\":6,\"records_decrypted\":2,\"records_not_decrypted\":1,"      \
	"\"reason\":\"tag\"}"

START_TEST(flow_record)
{
	struct wr w = wr_init(line, EVE_MAX);
	struct eve e = eve();

	eve_flow(&w, &e, END_FIN);
	finish(&w);
	ck_assert_str_eq(line,
		HEAD("flow") ",\"app_proto\":\"tls\",\"flow\":{\"pkts_toserver\":22,"
			     "\"pkts_toclient\":11,\"bytes_toserver\":2200,\"bytes_toclient\":1100,"
			     "\"start\":\"2024-01-02T03:04:05.123456+0000\","
			     "\"end\":\"2024-01-02T03:04:10.000000+0000\",\"age\":5,\"state\":\"closed\","
			     "\"reason\":\"timeout\",\"alerted\":false},\"tcp\":{\"tcp_flags\":\"1b\","
			     "\"tcp_flags_ts\":\"1a\",\"tcp_flags_tc\":\"13\",\"syn\":true,\"fin\":true,"
			     "\"psh\":true,\"ack\":true,\"state\":\"closed\"}," CLEARTAP "}\n");
}
END_TEST

START_TEST(flow_reasons)
{
	static const char *const reasons[] = {
		[END_FIN] = "\"reason\":\"timeout\"",
		[END_RST] = "\"reason\":\"timeout\"",
		[END_TIMEOUT] = "\"reason\":\"timeout\"",
		[END_EVICTED] = "\"reason\":\"forced\"",
		[END_REUSED] = "\"reason\":\"forced\"",
		[END_CAPTURE] = "\"reason\":\"shutdown\"",
	};
	struct eve e = eve();

	e.is_tls = false;
	for (int i = END_FIN; i <= END_CAPTURE; i++) {
		struct wr w = wr_init(line, EVE_MAX);

		eve_flow(&w, &e, (enum conn_end)i);
		finish(&w);
		ck_assert_ptr_nonnull(strstr(line, reasons[i]));
		ck_assert_ptr_null(strstr(line, "cleartap"));
	}
}
END_TEST

START_TEST(anomaly_record)
{
	struct wr w = wr_init(line, EVE_MAX);
	struct eve e = eve();

	eve_anomaly(&w, &e, S2C, V_GAP, 1460);
	eve_anomaly(&w, &e, C2S, V_TLS_HEADER, 0);
	finish(&w);
	ck_assert_str_eq(line,
		HEAD("anomaly") ",\"direction\":\"to_client\",\"anomaly\":{"
				"\"type\":\"stream\",\"event\":\"gap\",\"missing_bytes\":1460}}\n" HEAD(
					"anomaly") ",\"direction\":\"to_server\",\"anomaly\":{"
						   "\"type\":\"stream\",\"event\":\"tls_header\"}}\n");
}
END_TEST

START_TEST(tls_record)
{
	struct wr w = wr_init(line, EVE_MAX);
	struct eve e = eve();

	memset(&meta, 0, sizeof(meta));
	memset(&cert, 0, sizeof(cert));
	meta.version = 0x0304;
	meta.resumed = true;
	strcpy(meta.sni, "a\"\n\xff");
	strcpy(meta.alpn, "h2");
	strcpy(meta.ja3, "771,4865,0,29,0");
	strcpy(meta.ja3_hash, "00112233445566778899aabbccddeeff");
	strcpy(meta.ja3s_hash, "ff112233445566778899aabbccddeeff");
	strcpy(meta.ja4, "t13d");
	strcpy(cert.subject, "CN=x");
	strcpy(cert.not_after, "2034-01-02T03:04:05");
	eve_tls(&w, &e, &meta, &cert, "TLS_AES_128_GCM_SHA256");
	finish(&w);
	ck_assert_str_eq(line,
		HEAD("tls") ",\"tls\":{\"subject\":\"CN=x\","
			    "\"sni\":\"a\\\"\\n\xef\xbf\xbd\",\"version\":\"TLS 1.3\",\"session_resumed\":true,"
			    "\"ja3\":{\"hash\":\"00112233445566778899aabbccddeeff\","
			    "\"string\":\"771,4865,0,29,0\"},"
			    "\"ja3s\":{\"hash\":\"ff112233445566778899aabbccddeeff\"},\"ja4\":\"t13d\","
			    "\"alpn\":\"h2\",\"cipher_suite\":\"TLS_AES_128_GCM_SHA256\","
			    "\"notafter\":\"2034-01-02T03:04:05\"," CLEARTAP "}}\n");
}
END_TEST

#define FILL(field) memset(field, 1, sizeof(field) - 1)

/* Every string as long as it can be, of characters that escape to six each. */
START_TEST(largest_record_fits)
{
	struct wr w = wr_init(line, EVE_MAX);
	struct eve e = eve();

	memset(&meta, 0, sizeof(meta));
	memset(&cert, 0, sizeof(cert));
	FILL(meta.sni), FILL(meta.alpn);
	FILL(meta.ja3_hash), FILL(meta.ja3s_hash), FILL(meta.ja4), FILL(meta.ja3s);
	memset(meta.ja3, '-', sizeof(meta.ja3) - 1);
	FILL(cert.subject), FILL(cert.issuer), FILL(cert.serial), FILL(cert.sha1);
	FILL(cert.sha256), FILL(cert.not_before), FILL(cert.not_after);
	eve_tls(&w, &e, &meta, &cert, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
	finish(&w);
}
END_TEST

static struct txn txn(const char *host)
{
	struct txn t = { .id = 3,
		.status = 404,
		.seen = 3,
		.minor = { 1, 0 },
		.first_ns = { 1704164645000001000u, 1704164645000002000u },
		.last_ns = 1704164645000003000u,
		.body_len = { 7, 9 } };

	txn_put(&t, TXN_METHOD, "POST", 4);
	txn_put(&t, TXN_TARGET, "/a?\xff\n", 5);
	txn_put(&t, TXN_TYPE, "text/html; charset=x", 20);
	txn_put(&t, TXN_HOST, host, strlen(host));
	return t;
}

static void http_is(const struct txn *t, const char *want)
{
	struct wr w = wr_init(line, EVE_MAX);
	struct eve e = eve();

	eve_http(&w, &e, t);
	finish(&w);
	ck_assert_msg(strstr(line, want) != NULL, "no %s in %s", want, line);
}

START_TEST(http_record)
{
	struct txn t = txn("shop.example:8443");

	http_is(&t,
		HEAD("http") ",\"tx_id\":3,\"http\":{\"hostname\":\"shop.example\","
			     "\"http_port\":8443,\"url\":\"/a?\xef\xbf\xbd\\n\","
			     "\"http_content_type\":\"text/html\",\"http_method\":\"POST\","
			     "\"protocol\":\"HTTP/1.1\",\"status\":404,\"length\":9,\"cleartap\":{"
			     "\"request\":\"2024-01-02T03:04:05.000001+0000\","
			     "\"request_length\":7,"
			     "\"response\":\"2024-01-02T03:04:05.000002+0000\","
			     "\"response_end\":\"2024-01-02T03:04:05.000003+0000\"}}}\n");
	t = txn("[2001:db8::1]");
	http_is(&t, "{\"hostname\":\"[2001:db8::1]\",\"url\"");
	t = txn("[::1]:0");
	http_is(&t, "{\"hostname\":\"[::1]\",\"http_port\":0,");
	t = txn("h:65536");
	http_is(&t, "{\"hostname\":\"h:65536\",\"url\"");
	t = txn(":1");
	http_is(&t, "{\"hostname\":\":1\",\"url\"");
	t = txn("");
	http_is(&t, "{\"hostname\":\"\",\"url\"");
	t.cut = 1 << S2C;
	t.truncated = 1 << TXN_TARGET;
	http_is(&t, "\"incomplete\":[\"response\"],\"truncated\":[\"url\"]}}}\n");
	t = (struct txn){ .seen = 1 << S2C, .status = 200 };
	http_is(&t,
		"\"http\":{\"protocol\":\"HTTP/1.0\",\"status\":200,\"length\":0,"
		"\"cleartap\":{\"response\":");
	http_is(&t, ",\"incomplete\":[\"request\"]}}}\n");
}
END_TEST

/* All values as long as can be, of bytes that take most room. */
START_TEST(largest_http_record_fits)
{
	struct wr w = wr_init(line, EVE_MAX);
	struct eve e = eve();
	struct txn t = {
		.seen = 3, .cut = 3, .id = UINT32_MAX, .body_len = { UINT64_MAX, UINT64_MAX }
	};
	char text[TXN_TEXT_MAX];

	memset(text, 1, sizeof(text));
	for (int v = 0; v < TXN_VALUES; v++)
		txn_put(&t, (enum txn_value)v, text, sizeof(text));
	eve_http(&w, &e, &t);
	finish(&w);
	ck_assert_uint_gt(strlen(line), 6 * TXN_TEXT_MAX);
}
END_TEST

START_TEST(stats_record)
{
	static const struct eve_counter c[] = { { "packets", 3 }, { "bytes", UINT64_MAX } };
	struct wr w = wr_init(line, EVE_MAX);

	eve_stats(&w, 0, c, 2);
	eve_stats(&w, 0, c, 0);
	finish(&w);
	ck_assert_str_eq(line,
		"{\"timestamp\":\"1970-01-01T00:00:00.000000+0000\","
		"\"event_type\":\"stats\",\"stats\":{\"packets\":3,"
		"\"bytes\":18446744073709551615}}\n"
		"{\"timestamp\":\"1970-01-01T00:00:00.000000+0000\","
		"\"event_type\":\"stats\",\"stats\":{}}\n");
}
END_TEST

/* Against the C library: noon of every day of the range that 64 bits of nanoseconds have. */
START_TEST(every_day)
{
	char ours[EVE_TIME_LEN], theirs[EVE_TIME_LEN];
	bool equal = true;

	for (time_t t = 43200; t < 18446744073; t += 86400) {
		struct tm tm;

		eve_time(ours, (uint64_t)t * 1000000000 + 999);
		gmtime_r(&t, &tm);
		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S.000000+0000", &tm);
		equal = equal && !strcmp(ours, theirs);
	}
	ck_assert(equal);
	eve_time(ours, UINT64_MAX);
	ck_assert_str_eq(ours, "2554-07-21T23:34:33.709551+0000");
	eve_time(ours, 951827696999999999u);
	ck_assert_str_eq(ours, "2000-02-29T12:34:56.999999+0000");
}
END_TEST

START_TEST(versions)
{
	static const struct {
		uint16_t version;
		const char *name;
	} all[] = { { 0x0300, "SSLv3" }, { 0x0301, "TLSv1" }, { 0x0302, "TLS 1.1" },
		{ 0x0303, "TLS 1.2" }, { 0x0304, "TLS 1.3" }, { 0x7f1c, "TLS 1.3 draft-28" },
		{ 0x7f09, "TLS 1.3 draft-09" }, { 0x7fff, "TLS 1.3 draft-255" },
		{ 0, "UNDETERMINED" }, { 0x02ff, "UNDETERMINED" }, { 0x0305, "UNDETERMINED" } };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char out[EVE_VERSION_LEN];

		ck_assert_str_eq(eve_version(out, all[i].version), all[i].name);
	}
}
END_TEST

UNIT_MAIN("eve", flow_record, flow_reasons, anomaly_record, tls_record, largest_record_fits,
	http_record, largest_http_record_fits, stats_record, every_day, versions)
