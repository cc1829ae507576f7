/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"
#include "web/head.h"

static struct txn t;
static struct head h;

static struct rd line(const char *s)
{
	return rd_init(s, strlen(s));
}

static bool start(enum tls_dir d, const char *s)
{
	memset(&t, 0, sizeof(t));
	return head_start(&h, d, line(s), &t);
}

/* Fields of a head, separated by line feeds. @return whether its framing can be told. */
static bool fields(enum tls_dir d, const char *s)
{
	char copy[512], *rest = strcpy(copy, s), *one;

	memset(&t, 0, sizeof(t));
	h = (struct head){ 0 };
	while ((one = strsep(&rest, "\n")))
		head_field(&h, d, line(one), &t);
	return !h.bad;
}

static bool whole(enum tls_dir d, const char *s)
{
	return head_whole(d, line(s));
}

START_TEST(start_lines)
{
	static const char *const bad[] = { "", "GET", "GET ", "GET /", "GET / ", "GET  / HTTP/1.1",
		"GET / HTTP/1.1 ", "GET / HTTP/2.0", "GET / HTTP/1.", "GET / HTTP/1.x",
		"PRI * HTTP/2.0", "G(T / HTTP/1.1", " GET / HTTP/1.1", "GET /a b HTTP/1.1",
		"GET /\x01 HTTP/1.1", "GET\t/\tHTTP/1.1", "GET / http/1.1",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1", "HTTP/1.1 200 OK" };
	static const char *const bad_status[] = { "", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20",
		"HTTP/1.1 2x0 OK", "HTTP/1.1 099 OK", "HTTP/1.1  200 OK", "HTTP/2 200",
		"HTTP/1.1 2000 OK", "ICY 200 OK", "http/1.1 200 OK", "GET / HTTP/1.1" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!start(C2S, bad[i]), "%s", bad[i]);
	for (size_t i = 0; i < sizeof(bad_status) / sizeof(*bad_status); i++)
		ck_assert_msg(!start(S2C, bad_status[i]), "%s", bad_status[i]);
	ck_assert(start(C2S, "M-SEARCH /x?\xc3\xa9=%20 HTTP/1.0"));
	ck_assert(txn_is(&t, TXN_METHOD, "M-SEARCH") && txn_is(&t, TXN_TARGET, "/x?\xc3\xa9=%20"));
	ck_assert_uint_eq(t.minor[C2S], 0);
	ck_assert(start(C2S, "OPTIONS * HTTP/1.1") && start(C2S, "CONNECT h:443 HTTP/1.1"));
	ck_assert(start(S2C, "HTTP/1.1 404 Not Found") && t.status == 404);
	ck_assert(start(S2C, "HTTP/1.0 200") && t.minor[S2C] == 0);
	ck_assert(start(S2C, "HTTP/1.1 200 ") && h.status == 200);
}
END_TEST

/* RFC 9112, section 6: what frames a body, and what makes its length unknown. */
START_TEST(framing)
{
	static const char *const bad[] = { "Content-Length: ", "Content-Length: x",
		"Content-Length: -1", "Content-Length: +1", "Content-Length: 0x10",
		"Content-Length: 1 2", "Content-Length: 9999999999999999999",
		"Content-Length: 1\nContent-Length: 2", "Content-Length: 1, 2",
		"Content-Length: 1,", "Content-Length : 1", "Content-Length",
		"Transfer-Encoding\t: chunked", "Content-Length: 1\n 2",
		"Transfer-Encoding: chunked\n\tx", "Transfer-Encoding: chunked, gzip",
		"Transfer-Encoding: chunked, chunked",
		"Transfer-Encoding: chunked\nTransfer-Encoding: identity" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!fields(S2C, bad[i]), "%s", bad[i]);
	ck_assert(fields(C2S, "content-LENGTH:\t42 \ncontent-length: 42, 42"));
	ck_assert(h.has_len && h.len == 42 && !h.coded);
	ck_assert(fields(C2S, "Content-Length: 5\nTransfer-Encoding: gzip, Chunked"));
	ck_assert(h.coded && h.chunked && h.has_len);
	ck_assert(fields(C2S, "Transfer-Encoding: gzip\nTransfer-Encoding:chunked"));
	ck_assert(h.chunked);
	ck_assert(fields(S2C, "Transfer-Encoding: xchunked") && h.coded && !h.chunked);
	ck_assert(fields(C2S, "Expect: 100-continue") && h.expects && !h.has_len);
	ck_assert(fields(C2S, "no field\n: empty\n\nContent-Length-X: 7") && !h.has_len);
}
END_TEST

START_TEST(values)
{
	char longer[4000] = "Host: ";
	size_t len;

	ck_assert(fields(C2S, "HOST:  a.example \t\nhost: b.example\nUser-Agent: \nX-Host: c"));
	ck_assert(txn_is(&t, TXN_HOST, "a.example") && txn_is(&t, TXN_AGENT, ""));
	ck_assert_ptr_null(txn_get(&t, TXN_REFERER, &len));
	fields(C2S, "Content-Type: text/plain\nReferer: r\n more");
	ck_assert(!(t.kept >> TXN_TYPE & 1) && t.truncated == 1 << TXN_REFERER);
	fields(S2C, "Content-Type: text/plain\nHost: h");
	ck_assert(txn_is(&t, TXN_TYPE, "text/plain") && !(t.kept >> TXN_HOST & 1));
	memset(longer + 6, 'x', sizeof(longer) - 7);
	memset(&t, 0, sizeof(t));
	head_field(&h, C2S, line(longer), &t);
	ck_assert(txn_get(&t, TXN_HOST, &len) && len == 256 && t.truncated == 1 << TXN_HOST);
}
END_TEST

/* The largest of all values fit together. */
START_TEST(room_for_all)
{
	static const uint16_t max[TXN_VALUES] = TXN_MAX;
	static const uint8_t big[4096];

	memset(&t, 0, sizeof(t));
	for (int v = 0; v < TXN_VALUES; v++)
		txn_put(&t, (enum txn_value)v, big, sizeof(big));
	ck_assert_uint_eq(t.used, sizeof(t.text));
	ck_assert_uint_eq(t.truncated, (1 << TXN_VALUES) - 1);
	for (int v = 0; v < TXN_VALUES; v++)
		ck_assert_uint_eq(t.len[v], max[v]);
}
END_TEST

START_TEST(what_is_trusted_after_a_hole)
{
	static const char good[] = "HTTP/1.1 200 OK\r\nServer: x\r\nDate:\r\n\r\nbody";

	ck_assert(whole(S2C, good) && !whole(C2S, good));
	for (size_t n = 0; n < sizeof(good) - 1 - 4; n++)
		ck_assert(!head_whole(S2C, rd_init(good, n)));
	ck_assert(whole(C2S, "POST /p HTTP/1.1\r\nHost: h\r\n\r\n"));
	ck_assert(!whole(C2S, "\r\nPOST /p HTTP/1.1\r\nHost: h\r\n\r\n"));
	ck_assert(!whole(S2C, "HTTP/1.1 200 OK\r\n\r\n"));             /* no field */
	ck_assert(!whole(S2C, "HTTP/1.1 200 OK\nServer: x\n\n"));      /* no CR */
	ck_assert(!whole(S2C, "HTTP/1.1 200 OK\r\nServer x\r\n\r\n")); /* no colon */
	ck_assert(!whole(S2C, "HTTP/1.1 200 OK\r\nServer: x\r\n y\r\n\r\n"));
	ck_assert(!whole(S2C, "HTTP/1.1 200 OK\r\nServer: \x01\r\n\r\n"));
	ck_assert(!whole(S2C, "xHTTP/1.1 200 OK\r\nServer: x\r\n\r\n"));
}
END_TEST

START_TEST(first_bytes)
{
	ck_assert(head_likely(C2S, line("G")) && head_likely(C2S, line("GET /")));
	ck_assert(head_likely(C2S, line("\r\nGET /")) && head_likely(S2C, line("HTTP")));
	ck_assert(head_likely(S2C, line("HTTP/1.1 200")));
	ck_assert(!head_likely(S2C, line("HTTP/2")) && !head_likely(S2C, line("220 mail")));
	ck_assert(!head_likely(S2C, line("")) && !head_likely(C2S, line("\x16\x03\x01")));
	ck_assert(!head_likely(C2S, line("GET:x")) && !head_likely(C2S, line(" GET")));
}
END_TEST

UNIT_MAIN("head", start_lines, framing, values, room_for_all, what_is_trusted_after_a_hole,
	first_bytes)
