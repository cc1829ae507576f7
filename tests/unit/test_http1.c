/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "unit.h"
#include "web/http1.h"

#define OK200 "HTTP/1.1 200 OK\r\nServer: x\r\n"

static struct http1_cfg cfg = { .max_conns = 2, .max_exchanges = 40, .max_lines = 2 };
static struct http1_env env;
static struct http1 *h;
static void *mem;
static uint64_t now;
static bool stopped;

/* What was given, a line each: "GET /a 200 0 5", with the lengths of both bodies; "!r" and "!s" behind
 * it for a request and a response that is cut. */
static char got[16384];

static void word(const struct txn *t, enum txn_value v)
{
	size_t len, at = strlen(got);
	const char *p = txn_get(t, v, &len);

	snprintf(got + at, sizeof(got) - at, "%.*s ", p ? (int)len : 1, p ? p : "-");
}

static void done(void *arg, const struct txn *t)
{
	size_t at;

	word(t, TXN_METHOD);
	word(t, TXN_TARGET);
	at = strlen(got);
	snprintf(got + at, sizeof(got) - at, "%u %u %u%s%s\n", t->status,
		(unsigned)t->body_len[C2S], (unsigned)t->body_len[S2C],
		t->cut & 1 << C2S ? " !r" : "", t->cut & 1 << S2C ? " !s" : "");
	ck_assert_uint_le(t->first_ns[S2C], t->last_ns);
}

static void begin(void)
{
	mem = aligned_alloc(64, (http1_bytes(&cfg) + 63) & ~(size_t)63);
	memset(mem, 0, http1_bytes(&cfg));
	http1_init(&env, mem, &cfg, done, &env);
	h = NULL;
	stopped = false;
	got[0] = '\0';
	now = 1000;
}

static void end(bool closed)
{
	if (h)
		http1_free(&env, h, closed);
	ck_assert_uint_eq(env.conns.used, 0);
	ck_assert_uint_eq(env.lines.used, 0);
	ck_assert_uint_eq(env.pairs.pool.used, 0);
	free(mem);
}

/* One text, in memory of its size. */
static void one(enum tls_dir d, const void *data, size_t len, bool after_gap)
{
	uint8_t *copy = memcpy(malloc(len + !len), data, len);
	struct text t = { .data = copy,
		.len = (uint32_t)len,
		.dir = (uint8_t)d,
		.ts_ns = now += 10,
		.after_gap = after_gap };

	if (!h && !stopped && http1_likely(&t))
		h = http1_new(&env, &t);
	if (h && http1_text(&env, h, &t) == V_STOPPED) {
		http1_free(&env, h, false);
		h = NULL;
		stopped = true;
	}
	free(copy);
}

static void say(enum tls_dir d, const char *s)
{
	one(d, s, strlen(s), false);
}

static void lose_then_say(enum tls_dir d, const char *s)
{
	one(d, s, strlen(s), true);
}

#define GET(path) say(C2S, "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n")

/* One exchange, and what is given of it. */
static void exchange(const char *request, const char *response, bool closed, const char *want)
{
	for (size_t piece = 1; piece < 40; piece += piece < 5 ? 1 : 7) {
		const char *of[2] = { request, response };

		begin();
		for (int d = C2S; d <= S2C; d++)
			for (size_t at = 0, n = strlen(of[d]); at < n; at += piece)
				one((enum tls_dir)d, of[d] + at, n - at < piece ? n - at : piece,
					false);
		end(closed);
		ck_assert_msg(!strcmp(got, want), "pieces of %zu: %s", piece, got);
	}
}

START_TEST(bodies)
{
	static const char get[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

	exchange(get, OK200 "Content-Length: 5\r\n\r\nhello", false, "GET /a 200 0 5\n");
	exchange(get, OK200 "Content-Length: 0\r\n\r\n", false, "GET /a 200 0 0\n");
	exchange(get, OK200 "\r\nuntil the end", true, "GET /a 200 0 13\n");
	exchange(get, OK200 "\r\nuntil the end", false, "GET /a 200 0 13 !s\n");
	exchange(get, OK200 "Transfer-Encoding: gzip\r\n\r\nxyz", true, "GET /a 200 0 3\n");
	exchange(get,
		OK200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0A;x=\"y\"\r\n0123456789\r\n"
		      "0\r\nTrailer: t\r\n\r\n",
		false, "GET /a 200 0 15\n");
	exchange(get, "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", false, "GET /a 204 0 0\n");
	exchange(get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false,
		"GET /a 304 0 0\n");
	exchange("HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
		OK200 "Content-Length: 9\r\n\r\n" OK200 "Content-Length: 1\r\n\r\nx", false,
		"HEAD /a 200 0 0\nGET /b 200 0 1\n");
	exchange("POST /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: l\r\n\r\n" OK200
		"Content-Length: 2\r\n\r\nok",
		false, "POST /p 200 3 2\n");
	exchange("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
		 "\r\n"
		 "GET /q HTTP/1.0\r\n\r\n",
		OK200 "Content-Length: 2\r\n\r\nok" OK200 "\r\nbye", true,
		"POST /p 200 3 2\nGET /q 200 0 3\n");
	exchange(get, OK200 "Content-Length: 5\r\n\r\nhel", true, "GET /a 200 0 3 !s\n");
	exchange(get, "", true, "GET /a 0 0 0\n");
	exchange("GET /a HT", "", true, "");
}
END_TEST

/* RFC 9112, section 6.3: where messages may be read in two ways, they are read in none. */
START_TEST(ambiguous)
{
	static const char next[] = OK200 "Content-Length: 1\r\n\r\nx";

	/* Transfer-Encoding overrides Content-Length. */
	exchange("POST /p HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "0\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
		next, false, "POST /p 200 0 1\nGET /b 0 0 0\n");
	exchange("POST /p HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", next,
		false, "POST /p 200 0 1 !r\n");
	exchange("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n", next, false,
		"POST /p 200 0 1 !r\n");
	exchange("POST /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", next, false,
		"POST /p 200 0 1 !r\n");
	exchange("POST /p HTTP/1.1\r\nContent-Length:\r\n 4\r\n\r\nabcd", next, false,
		"POST /p 200 0 1 !r\n");
	exchange("GET /a HTTP/1.1\nHost: h\n\n", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", false,
		"GET /a 200 0 1\n");
	exchange("GET /a HTTP/1.1\r\n\r\n", OK200 "Content-Length: 1, 2\r\n\r\nxx", false,
		"GET /a 200 0 0 !s\n");
	exchange("GET /a HTTP/1.1\r\n\r\n",
		OK200 "Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n", false,
		"GET /a 200 0 1 !s\n");
	exchange("GET /a HTTP/1.1\r\n\r\n",
		OK200 "Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\nxx\r\n", false,
		"GET /a 200 0 0 !s\n");
	exchange("GET /a HTTP/1.1\r\n\r\nnonsense\r\n", next, false, "GET /a 200 0 1\n");
}
END_TEST

START_TEST(other_protocols)
{
	begin();
	say(C2S, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	ck_assert(stopped);
	end(true);
	begin();
	say(S2C, "220 mail ESMTP\r\n");
	say(C2S, "\x16\x03\x01");
	ck_assert(!h && !env.refused);
	end(true);
	exchange("CONNECT h:443 HTTP/1.1\r\n\r\n", OK200 "\r\nGET / HTTP/1.1\r\n\r\n", true,
		"CONNECT h:443 200 0 0\n");
	exchange("CONNECT h:443 HTTP/1.1\r\n\r\n", "HTTP/1.1 407 No\r\nContent-Length: 1\r\n\r\nx",
		true, "CONNECT h:443 407 0 1\n");
	exchange("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
		"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x05hello", true,
		"GET /ws 101 0 0\n");
}
END_TEST

START_TEST(pipelined_and_replies_first)
{
	begin();
	say(S2C, OK200 "Content-Length: 1\r\n\r\nx");
	say(S2C, OK200 "Content-Length: 2\r\n\r\n"); /* HEAD */
	say(S2C, OK200 "Content-Length: 3\r\n\r\nxyz");
	GET("/1");
	say(C2S, "HEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");
	end(true);
	ck_assert_str_eq(got, "GET /1 200 0 1\nHEAD /2 200 0 0\nGET /3 200 0 3\n");
}
END_TEST

START_TEST(times)
{
	begin();
	say(C2S, "GE");
	say(C2S, "T /1 HTTP/1.1\r\n\r\n");
	say(S2C, OK200 "Content-Length: 2\r\n\r\n");
	ck_assert_uint_eq(h->pairs.msg[S2C]->t.first_ns[C2S], 1010);
	ck_assert_uint_eq(h->pairs.msg[S2C]->t.first_ns[S2C], 1030);
	say(S2C, "x");
	ck_assert_uint_eq(h->pairs.msg[S2C]->t.last_ns, 1040);
	end(true);
}
END_TEST

/* Inside a body; the next response is found, not what looks like one inside a text. */
START_TEST(a_hole_in_a_body)
{
	begin();
	GET("/1");
	say(S2C, OK200 "Content-Length: 1000\r\n\r\nabc");
	lose_then_say(S2C, "def" OK200 "Content-Length: 1\r\n\r\nx");
	say(S2C, "HTTP/1.1 200 OK\r\nthis is content\r\n");
	GET("/2");
	say(S2C, OK200 "Content-Length: 5\r\n\r\nhello");
	GET("/3");
	say(S2C, OK200 "Content-Length: 6\r\n\r\nhello!");
	end(true);
	ck_assert_str_eq(got, "GET /1 200 0 3 !s\nGET /2 200 0 5\nGET /3 200 0 6\n");
}
END_TEST

START_TEST(a_hole_in_a_request)
{
	begin();
	GET("/1");
	say(S2C, OK200 "Content-Length: 1\r\n\r\nx");
	say(C2S, "POST /2 HTTP/1.1\r\nContent-Length: 9\r\n\r\n12");
	http1_gap(&env, h, C2S);
	say(S2C, OK200 "Content-Length: 2\r\n\r\nxx");
	lose_then_say(C2S, "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
	say(S2C, OK200 "Content-Length: 3\r\n\r\nxxx");
	end(true);
	ck_assert_str_eq(got, "GET /1 200 0 1\nPOST /2 200 2 2 !r\nGET /3 200 0 3\n");
}
END_TEST

/* Content that only the end of the connection ends goes on after it. */
START_TEST(a_hole_in_what_has_no_end)
{
	begin();
	GET("/1");
	say(S2C, OK200 "\r\n123");
	http1_gap(&env, h, S2C);
	say(S2C, "890");
	end(true);
	ck_assert_str_eq(got, "GET /1 200 0 6 !s\n");
}
END_TEST

START_TEST(in_the_middle)
{
	begin();
	lose_then_say(S2C, "content");
	ck_assert_ptr_null(h);
	lose_then_say(C2S, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
	say(S2C, "content");
	GET("/2");
	say(S2C, OK200 "Content-Length: 0\r\n\r\n");
	GET("/3");
	say(S2C, OK200 "\r\nall");
	end(true);
	ck_assert_str_eq(got, "GET /1 0 0 0\nGET /2 200 0 0\nGET /3 200 0 3\n");
}
END_TEST

static const char many_c2s[] =
	"GET /1 HTTP/1.1\r\nHost: h.example\r\nUser-Agent: u\r\nReferer: r\r\n\r\n"
	"POST /2 HTTP/1.1\r\nContent-Length: 5\r\nHost: h\r\n\r\n12345"
	"PUT /3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;e\r\nabcd\r\n0\r\nT: t\r\n\r\n"
	"HEAD /4 HTTP/1.1\r\n\r\n";
static const char many_s2c[] =
	"HTTP/1.1 100 Continue\r\n\r\n" OK200
	"Content-Type: text/html\r\nContent-Length: 3\r\n\r\nabc"
	"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n1a\r\n"
	"abcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"
	"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n" OK200 "Content-Length: 77\r\n\r\n";

static void many(const uint8_t *c2s, size_t c2s_len, const uint8_t *s2c, size_t s2c_len)
{
	begin();
	for (size_t at[2] = { 0 }; at[C2S] < c2s_len || at[S2C] < s2c_len;) {
		size_t n[2] = { c2s_len - at[C2S], s2c_len - at[S2C] };

		n[C2S] = n[C2S] < 50 ? n[C2S] : 50;
		n[S2C] = n[S2C] < 37 ? n[S2C] : 37;
		one(C2S, c2s + at[C2S], n[C2S], false);
		one(S2C, s2c + at[S2C], n[S2C], false);
		at[C2S] += n[C2S];
		at[S2C] += n[S2C];
	}
	end(false);
}

/* Cut anywhere, or with any byte another, nothing is read beyond and nothing left; what is before, is. */
START_TEST(cut_and_flipped)
{
	size_t len[2] = { sizeof(many_c2s) - 1, sizeof(many_s2c) - 1 };
	uint8_t c2s[sizeof(many_c2s)], s2c[sizeof(many_s2c)];

	memcpy(c2s, many_c2s, sizeof(c2s));
	memcpy(s2c, many_s2c, sizeof(s2c));
	many(c2s, len[C2S], s2c, len[S2C]);
	ck_assert_str_eq(
		got, "GET /1 200 0 3\nPOST /2 201 5 29\nPUT /3 204 4 0\nHEAD /4 200 0 0\n");
	for (size_t n = 0; n < len[C2S]; n++)
		many(c2s, n, s2c, len[S2C]);
	for (size_t n = 0; n < len[S2C]; n++) {
		many(c2s, len[C2S], s2c, n);
		ck_assert(n < 102 || !strncmp(got, "GET /1 200 0 3\n", 15));
	}
	for (size_t i = 0; i < 8 * (len[C2S] + len[S2C]); i++) {
		uint8_t *p = i / 8 < len[C2S] ? &c2s[i / 8] : &s2c[i / 8 - len[C2S]];

		*p ^= (uint8_t)(1 << i % 8);
		many(c2s, len[C2S], s2c, len[S2C]);
		*p ^= (uint8_t)(1 << i % 8);
	}
}
END_TEST

/* A line longer than what is kept, a head longer than any, and no memory for either. */
START_TEST(bounds)
{
	static char line[HTTP1_LINE_MAX + 100];

	memset(line, 'x', sizeof(line) - 1);
	begin();
	say(C2S, "GET /1 HTTP/1.1\r\nCookie: ");
	say(C2S, line);
	say(C2S, "\r\nContent-Length: 1\r\n\r\n1");
	say(S2C, OK200 "Content-Length: 0\r\n\r\n");
	say(C2S, "GET /2 HTTP/1.1\r\nContent-Length: 0");
	say(C2S, line);
	say(C2S, "\r\n\r\n");
	GET("/3");
	end(false);
	ck_assert_str_eq(got, "GET /1 200 1 0\nGET /2 0 0 0 !r\nGET /3 0 0 0\n");
	begin();
	say(C2S, "GET /1 HTTP/1.1\r\nCookie: ");
	for (int i = 0; i < HTTP1_HEAD_MAX / HTTP1_LINE_MAX; i++)
		say(C2S, line);
	ck_assert_uint_eq(h->dir[C2S].at, HTTP1_LOST);
	end(false);
	cfg.max_lines = 1;
	begin();
	say(C2S, "GET /1 HT");
	say(S2C, "HTTP");
	ck_assert_uint_eq(env.refused, 1);
	ck_assert_uint_eq(h->dir[S2C].at, HTTP1_LOST);
	end(false);
	cfg.max_lines = 2;
	cfg.max_exchanges = 1;
	begin();
	GET("/1");
	GET("/2");
	ck_assert_uint_eq(env.refused, 1);
	end(false);
	ck_assert_str_eq(got, "GET /1 0 0 0\n");
	cfg.max_exchanges = 40;
	cfg.max_conns = 0;
	begin();
	GET("/1");
	ck_assert(!h && env.refused == 1);
	end(false);
	cfg.max_conns = 2;
}
END_TEST

UNIT_MAIN("http1", bodies, ambiguous, other_protocols, pipelined_and_replies_first, times,
	a_hole_in_a_body, a_hole_in_a_request, a_hole_in_what_has_no_end, in_the_middle,
	cut_and_flipped, bounds)
