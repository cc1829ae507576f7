/* SPDX-License-Identifier: BSD-3-Clause */
#include "hellos.h"

#include "tls/hello.h"
#include "tls/ja3.h"
#include "tls/ja4.h"

/* Handshake messages of RFC 8448, section 3, with type and length. */
static const char rfc8448_client[] =
	"01 00 00 c0 03 03 cb 34 ec b1 e7 81 63 ba 1c 38 c6 da cb 19 6a 6d ff a2 1a 8d 99 12 "
	"ec 18 a2 ef 62 83 02 4d ec e7 00 00 06 13 01 13 03 13 02 01 00 00 91 00 00 00 0b 00 "
	"09 00 00 06 73 65 72 76 65 72 ff 01 00 01 00 00 0a 00 14 00 12 00 1d 00 17 00 18 00 "
	"19 01 00 01 01 01 02 01 03 01 04 00 23 00 00 00 33 00 26 00 24 00 1d 00 20 99 38 1d "
	"e5 60 e4 bd 43 d2 3d 8e 43 5a 7d ba fe b3 c0 6e 51 c1 3c ae 4d 54 13 69 1e 52 9a af "
	"2c 00 2b 00 03 02 03 04 00 0d 00 20 00 1e 04 03 05 03 06 03 02 03 08 04 08 05 08 06 "
	"04 01 05 01 06 01 02 01 04 02 05 02 06 02 02 02 00 2d 00 02 01 01 00 1c 00 02 40 01";

static const char rfc8448_server[] =
	"02 00 00 56 03 03 a6 af 06 a4 12 18 60 dc 5e 6e 60 24 9c d3 4c 95 93 0c 8a c5 cb 14 "
	"34 da c1 55 77 2e d3 e2 69 28 00 13 01 00 00 2e 00 33 00 24 00 1d 00 20 c9 82 88 76 "
	"11 20 95 fe 66 76 2b db f7 c6 72 e1 56 d6 cc 25 3b 83 3d f1 dd 69 b1 b0 4e 75 1f 0f "
	"00 2b 00 02 03 04";

static bool is(struct rd r, const char *hex)
{
	uint8_t want[256];
	size_t n = unhex(want, hex);

	return rd_left(&r) == n && !memcmp(r.p ? r.p : want, want, n);
}

static bool is_text(struct rd r, const char *text)
{
	return rd_left(&r) == strlen(text) && !memcmp(r.p, text, strlen(text));
}

START_TEST(reads_client_of_rfc8448)
{
	uint8_t msg[256];
	size_t n = unhex(msg, rfc8448_client);
	struct client_hello h;

	ck_assert_uint_eq(n, 4 + get_be24(msg + 1));
	ck_assert_int_eq(hello_client(rd_init(msg + 4, n - 4), &h), V_OK);
	ck_assert_uint_eq(h.legacy_version, 0x0303);
	ck_assert_ptr_eq(h.random, msg + 6);
	ck_assert_uint_eq(rd_left(&h.session_id), 0);
	ck_assert(is(h.suites, "1301 1303 1302"));
	ck_assert(is(h.compression, "00"));
	ck_assert(is_text(h.server_name, "server"));
	ck_assert(is(h.groups, "001d 0017 0018 0019 0100 0101 0102 0103 0104"));
	ck_assert(is(h.versions, "0304"));
	ck_assert(is(h.signature_algorithms,
		"0403 0503 0603 0203 0804 0805 0806 0401 0501 0601 0201 0402 0502 0602 0202"));
	ck_assert_uint_eq(rd_left(&h.extensions), 0x91);
	ck_assert(h.has_extensions && h.has_server_name && h.has_ticket);
	ck_assert(!h.psk && !h.early_data && !h.ems && !h.etm);
	ck_assert_uint_eq(rd_left(&h.ticket) + rd_left(&h.alpn) + rd_left(&h.point_formats), 0);
}
END_TEST

START_TEST(reads_server_of_rfc8448)
{
	uint8_t msg[256];
	size_t n = unhex(msg, rfc8448_server);
	struct server_hello h;

	ck_assert_uint_eq(n, 4 + get_be24(msg + 1));
	ck_assert_int_eq(hello_server(rd_init(msg + 4, n - 4), &h), V_OK);
	ck_assert_uint_eq(h.legacy_version, 0x0303);
	ck_assert_uint_eq(h.version, 0x0304);
	ck_assert_uint_eq(h.suite, 0x1301);
	ck_assert_uint_eq(h.compression, 0);
	ck_assert_ptr_eq(h.random, msg + 6);
	ck_assert(!h.retry && !h.ems && !h.etm && !h.psk && !h.ticket);
}
END_TEST

START_TEST(reads_every_client_extension)
{
	const struct hello_parts parts = {
		.version = 0x0303,
		.session_id = "0102030405",
		.suites = "c02f 00ff",
		.exts = "0000 000b 0009 00 0006 736572766572" /* server name */
			"000a 0004 0002 001d"
			"000b 0002 01 00"
			"000d 0004 0002 0403"
			"0010 000e 000c 02 6832 08 687474702f312e31"
			"0016 0000 0017 0000"
			"0023 0003 aabbcc"
			"002a 0000 002b 0003 02 7f1c"
			"4a4a 0001 00"
			"0029 0002 0000",
	};
	uint8_t body[512];
	struct client_hello h;
	size_t n = hello_put(body, sizeof(body), &parts);

	ck_assert_int_eq(hello_client(rd_init(body, n), &h), V_OK);
	ck_assert(is(h.session_id, "0102030405"));
	ck_assert(is_text(h.server_name, "server"));
	ck_assert(is(h.groups, "001d"));
	ck_assert(is(h.point_formats, "00"));
	ck_assert(is(h.signature_algorithms, "0403"));
	ck_assert(is(h.alpn, "02 6832 08 687474702f312e31"));
	ck_assert(is(h.ticket, "aabbcc"));
	ck_assert(is(h.versions, "7f1c"));
	ck_assert(h.psk && h.early_data && h.ems && h.etm && h.has_ticket && h.has_server_name);
}
END_TEST

START_TEST(tolerates_what_endpoints_may)
{
	static const struct hello_parts none = { .version = 0x0300, .suites = "000a" };
	static const struct hello_parts odd = {
		.version = 0x0303,
		.suites = "000a",
		/* an empty server name, lists longer than their extension, one extension twice */
		.exts = "0000 0000 000a 0002 0010 000b 0001 09 0010 0001 00 0017 0000 0017 0000",
	};
	uint8_t body[512];
	struct client_hello h;
	size_t n = hello_put(body, sizeof(body), &none);

	ck_assert_int_eq(hello_client(rd_init(body, n), &h), V_OK);
	ck_assert(!h.has_extensions && !h.has_server_name);
	ck_assert_uint_eq(rd_left(&h.extensions), 0);
	n = hello_put(body, sizeof(body), &odd);
	memset(body + n, 0xff, 3); /* behind the extensions */
	ck_assert_int_eq(hello_client(rd_init(body, n + 3), &h), V_OK);
	ck_assert(h.has_extensions && h.has_server_name && h.ems);
	ck_assert_uint_eq(rd_left(&h.server_name) + rd_left(&h.groups) + rd_left(&h.alpn), 0);
	ck_assert_uint_eq(rd_left(&h.point_formats), 0);
}
END_TEST

START_TEST(session_id_up_to_32)
{
	static const char digits[] = "0102030405060708090a0b0c0d0e0f10"
				     "1112131415161718191a1b1c1d1e1f20";
	struct hello_parts parts = { .version = 0x0301, .suites = "000a", .session_id = digits };
	uint8_t body[256];
	struct client_hello h;
	size_t n = hello_put(body, sizeof(body), &parts);

	ck_assert_int_eq(hello_client(rd_init(body, n), &h), V_OK);
	ck_assert(is(h.session_id, digits));
	body[34] = 33;
	ck_assert_int_eq(hello_client(rd_init(body, n), &h), V_TLS_HANDSHAKE);
}
END_TEST

START_TEST(tells_versions_and_retry)
{
	static const char tail[] = "00 1302 00 0006 002b 0002";
	static const char retry[] = "cf21ad74e59a6111be1d8c021e65b891"
				    "c2a211167abb8c5e079e09e2c8a8339c";
	struct server_hello h;
	uint8_t body[128];
	char hex[256];
	size_t n;

	snprintf(hex, sizeof(hex), "0303 %s %s 7f1c", retry, tail);
	n = unhex(body, hex);
	ck_assert_int_eq(hello_server(rd_init(body, n), &h), V_OK);
	ck_assert(h.retry);
	ck_assert_uint_eq(h.version, 0x7f1c);
	ck_assert_uint_eq(h.suite, 0x1302);
	body[33] ^= 1;
	ck_assert_int_eq(hello_server(rd_init(body, n), &h), V_OK);
	ck_assert(!h.retry);
	/* draft 18: no session id, no compression */
	snprintf(hex, sizeof(hex), "7f12 %s 1301 0000", retry);
	n = unhex(body, hex);
	ck_assert_int_eq(hello_server(rd_init(body, n), &h), V_OK);
	ck_assert_uint_eq(h.version, 0x7f12);
	ck_assert_uint_eq(h.suite, 0x1301);
	/* SSL 3.0: nothing behind the compression */
	snprintf(hex, sizeof(hex), "0300 %s 02 abcd 0004 01", retry);
	n = unhex(body, hex);
	ck_assert_int_eq(hello_server(rd_init(body, n), &h), V_OK);
	ck_assert_uint_eq(h.version, 0x0300);
	ck_assert_uint_eq(h.suite, 4);
	ck_assert_uint_eq(h.compression, 1);
	ck_assert(is(h.session_id, "abcd"));
}
END_TEST

START_TEST(reads_every_server_extension)
{
	struct server_hello h;
	static const char tail[] = "00 c02f 00 001b 0010 0005 0003 02 6832 0016 0000 0017 0000"
				   "0023 0000 0029 0002 0000";
	uint8_t body[128] = { 3, 3 };
	size_t n = 34 + unhex(body + 34, tail);

	ck_assert_int_eq(hello_server(rd_init(body, n), &h), V_OK);
	ck_assert(is_text(h.alpn, "h2"));
	ck_assert(h.etm && h.ems && h.ticket && h.psk && !h.retry);
	ck_assert_uint_eq(h.version, 0x0303);
}
END_TEST

/* Whatever the bytes: no crash, and nothing that points out of the message. */
static enum verdict try_both(const uint8_t *data, size_t n)
{
	uint8_t *p = exact(data, n);
	struct client_hello c;
	struct server_hello s;
	enum verdict v = hello_client(rd_init(p, n), &c);
	char ja4[JA4_SIZE], text[4096];
	struct wr w = wr_init(text, sizeof(text));

	if (v == V_OK) {
		ja3_client(&c, &w);
		ja4_client(&c, ja4);
		ck_assert(c.random == p + 2);
	}
	if (hello_server(rd_init(p, n), &s) == V_OK)
		ja3_server(&s, &w);
	free(p);
	return v;
}

START_TEST(truncated_at_every_byte)
{
	const size_t without_extensions = 2 + 32 + 1 + 2 + 6 + 2;
	uint8_t msg[256];
	size_t n = unhex(msg, rfc8448_client) - 4;

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(
			try_both(msg + 4, i), i == without_extensions ? V_OK : V_TLS_HANDSHAKE);
	ck_assert_int_eq(try_both(msg + 4, n), V_OK);
}
END_TEST

START_TEST(truncated_server_at_every_byte)
{
	const size_t without_extensions = 2 + 32 + 1 + 2 + 1;
	struct server_hello h;
	uint8_t msg[256];
	size_t n = unhex(msg, rfc8448_server) - 4;

	for (size_t i = 0; i < n; i++) {
		uint8_t *p = exact(msg + 4, i);

		ck_assert_int_eq(hello_server(rd_init(p, i), &h),
			i == without_extensions ? V_OK : V_TLS_HANDSHAKE);
		free(p);
	}
}
END_TEST

START_TEST(any_byte_flipped)
{
	static const char *const messages[] = { rfc8448_client, rfc8448_server };
	uint8_t msg[256];

	for (int m = 0; m < 2; m++) {
		size_t n = unhex(msg, messages[m]) - 4;

		for (size_t i = 0; i < n * 8; i++) {
			msg[4 + i / 8] ^= (uint8_t)(1 << i % 8);
			try_both(msg + 4, n);
			msg[4 + i / 8] ^= (uint8_t)(1 << i % 8);
		}
		for (size_t i = 0; i < n; i++) {
			msg[4 + i] ^= 0xff;
			try_both(msg + 4, n);
			msg[4 + i] ^= 0xff;
		}
	}
}
END_TEST

START_TEST(values_skip_grease)
{
	const uint8_t list[] = { 0x0a, 0x0a, 0x13, 0x01, 0xfa, 0xfa, 0x0a, 0x1a, 0x07 };
	struct rd r = rd_init(list, sizeof(list));
	int grease = 0;
	uint16_t v;

	ck_assert(hello_value(&r, &v) && v == 0x1301);
	ck_assert(hello_value(&r, &v) && v == 0x0a1a);
	ck_assert(!hello_value(&r, &v));
	for (uint32_t i = 0; i < 65536; i++)
		grease += hello_grease((uint16_t)i);
	ck_assert_int_eq(grease, 16);
}
END_TEST

UNIT_MAIN("hello", reads_client_of_rfc8448, reads_server_of_rfc8448, reads_every_client_extension,
	tolerates_what_endpoints_may, session_id_up_to_32, tells_versions_and_retry,
	reads_every_server_extension, truncated_at_every_byte, truncated_server_at_every_byte,
	any_byte_flipped, values_skip_grease)
