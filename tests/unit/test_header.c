/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "tls/header.h"

#define WIRE_MAX 400

static struct tls_env env;
static struct session s;
static struct session_dir *const dir = &s.dir[S2C];
static uint8_t mem[4 * RECORD_MAX], wire[WIRE_MAX];
static uint32_t seed;

static uint8_t rnd(void)
{
	seed = seed * 1664525 + 1013904223;
	return (uint8_t)(seed >> 16);
}

/* A session in which all but hellos is protected. */
static void begin(uint16_t suite, uint16_t version, bool lost)
{
	memset(&env, 0, sizeof(env));
	memset(&s, 0, sizeof(s));
	pool_init(&env.buffers, mem, 4, RECORD_MAX);
	s.suite_id = suite;
	s.version = version;
	dir->epoch = EPOCH_DATA;
	dir->lease = dir->buf = POOL_NONE;
	dir->lost = lost;
}

/* Offer bytes in pieces until they are more than a header needs. @return bytes used. */
static size_t read_in_pieces(const uint8_t *p, size_t n, size_t piece, enum verdict *v)
{
	size_t at = 0;

	*v = V_MORE;
	while (*v == V_MORE && at < n) {
		/* Exactly its size, so that a sanitizer sees a read beyond. */
		const size_t k = n - at < piece ? n - at : piece;
		uint8_t *copy = memcpy(malloc(k), p + at, k);
		struct rd in = rd_init(copy, k);

		*v = header_read(&env, &s, dir, &in);
		at += k - rd_left(&in);
		if (*v == V_MORE)
			ck_assert_uint_eq(rd_left(&in), 0);
		free(copy);
	}
	return at;
}

START_TEST(five_bytes_in_any_pieces)
{
	static const uint8_t header[] = { 22, 3, 1, 0x12, 0x34, 0xff, 0xff };

	for (size_t piece = 1; piece <= sizeof(header); piece++) {
		enum verdict v;

		begin(0, 0, false);
		dir->body_have = 99;
		ck_assert_uint_eq(read_in_pieces(header, 4, piece, &v), 4);
		ck_assert_int_eq(v, V_MORE);
		ck_assert_uint_eq(read_in_pieces(header + 4, 3, piece, &v), 1);
		ck_assert_int_eq(v, V_OK);
		ck_assert_mem_eq(dir->hdr, header, 5);
		ck_assert_uint_eq(dir->body_len, 0x1234);
		ck_assert_uint_eq(dir->body_have, 0);
		/* Asked again, as after V_WAIT, it is the same one, and takes nothing. */
		ck_assert_uint_eq(read_in_pieces(header, 5, piece, &v), 0);
		ck_assert_int_eq(v, V_OK);
		ck_assert_uint_eq(dir->body_len, 0x1234);
	}
}
END_TEST

START_TEST(nothing_to_read)
{
	struct rd in = rd_init(wire, 0);

	for (int lost = 0; lost < 2; lost++) {
		begin(0x002f, TLS10, lost);
		ck_assert_int_eq(header_read(&env, &s, dir, &in), V_MORE);
		ck_assert_uint_eq(dir->hdr_len, 0);
		ck_assert_uint_eq(env.buffers.used, 0);
	}
}
END_TEST

/* Where a record is known to begin: all that may be TLS of any version. */
START_TEST(where_a_record_begins)
{
	static const struct {
		uint8_t type, major, minor;
		uint16_t len;
		enum verdict v;
	} facts[] = {
		{ 19, 3, 3, 100, V_TLS_HEADER },
		{ 20, 3, 3, 1, V_OK },
		{ 21, 3, 3, 2, V_OK },
		{ 22, 3, 1, 100, V_OK },
		{ 23, 3, 3, 100, V_OK },
		{ 24, 3, 3, 100, V_OK },
		{ 25, 3, 3, 100, V_TLS_HEADER },
		{ 255, 3, 3, 100, V_TLS_HEADER },
		{ 22, 2, 3, 100, V_TLS_HEADER },
		{ 22, 4, 0, 100, V_TLS_HEADER },
		{ 22, 3, 0, 100, V_OK },
		{ 22, 3, 255, 100, V_OK }, /* what the minor version is, the hello says */
		{ 22, 3, 3, 0, V_OK },
		{ 23, 3, 3, 16384 + 256, V_OK },
		{ 23, 3, 3, RECORD_MAX, V_OK },
		{ 23, 3, 3, RECORD_MAX + 1, V_TLS_RECORD_LEN },
		{ 23, 3, 3, UINT16_MAX, V_TLS_RECORD_LEN },
		{ 23, 2, 3, UINT16_MAX, V_TLS_HEADER },
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		const uint8_t h[5] = { facts[i].type, facts[i].major, facts[i].minor,
			(uint8_t)(facts[i].len >> 8), (uint8_t)facts[i].len };
		enum verdict v;

		begin(0x009c, TLS12, false);
		read_in_pieces(h, 5, 5, &v);
		ck_assert_msg(v == facts[i].v, "line %zu: %d", i, v);
	}
}
END_TEST

/* After a hole: only what this session would send. */
START_TEST(likely_after_a_hole)
{
	static const struct {
		uint16_t session;
		uint8_t type;
		uint16_t version, len;
		bool likely;
	} facts[] = {
		/* TLS 1.3 protects all, under one type and one version */
		{ TLS13, 23, TLS12, 100, true },
		{ TLS13, 23, TLS12, 16, true },
		{ TLS13, 23, TLS12, 15, false },
		{ TLS13, 23, TLS12, RECORD_MAX, true },
		{ TLS13, 23, TLS12, RECORD_MAX + 1, false },
		{ TLS13, 23, TLS13, 100, false },
		{ TLS13, 23, TLS10, 100, false },
		{ TLS13, 22, TLS12, 100, false },
		{ TLS13, 20, TLS12, 1, false },
		{ 0x7f1c, 23, TLS12, 100, true },
		{ 0x7f1c, 21, TLS12, 100, false },
		/* before, the version that was agreed on */
		{ TLS12, 19, TLS12, 100, false },
		{ TLS12, 20, TLS12, 0, false },
		{ TLS12, 20, TLS12, 1, true },
		{ TLS12, 20, TLS12, 2, false },
		{ TLS12, 21, TLS12, 0, false },
		{ TLS12, 21, TLS12, 1, true },
		{ TLS12, 22, TLS12, 1, true },
		{ TLS12, 22, TLS12, RECORD_MAX, true },
		{ TLS12, 22, TLS12, RECORD_MAX + 1, false },
		{ TLS12, 23, TLS12, 15, false },
		{ TLS12, 23, TLS12, 16, true },
		{ TLS12, 24, TLS12, 100, false },
		{ TLS12, 23, TLS11, 100, false },
		{ TLS12, 23, 0x0203, 100, false },
		{ SSL3, 23, SSL3, 100, true },
		{ SSL3, 23, TLS10, 100, false },
		/* or any, before there is one */
		{ 0, 22, SSL3, 100, true },
		{ 0, 22, TLS13, 100, true },
		{ 0, 22, TLS13 + 1, 100, false },
		{ 0, 22, 0x0400, 100, false },
		{ 0, 23, TLS12, 100, true },
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		const uint8_t h[5] = { facts[i].type, (uint8_t)(facts[i].version >> 8),
			(uint8_t)facts[i].version, (uint8_t)(facts[i].len >> 8),
			(uint8_t)facts[i].len };
		enum verdict v;

		begin(0x009c, facts[i].session, true);
		read_in_pieces(h, 5, 5, &v);
		ck_assert_msg((v == V_OK) == facts[i].likely, "line %zu: %d", i, v);
		if (!facts[i].likely)
			ck_assert_int_eq(v, V_MORE); /* looking on is never an error */
	}
}
END_TEST

/* The search by hand: the first five bytes that this session would send. @return n: none. */
static size_t first_likely(const uint8_t *p, size_t n, uint16_t version)
{
	for (size_t i = 0; i + 5 <= n; i++) {
		const uint16_t len = get_be16(p + i + 3);

		if (get_be16(p + i + 1) == (version == TLS13 ? TLS12 : version) &&
			len <= RECORD_MAX &&
			((p[i] == 23 && len >= 16) ||
				(version != TLS13 &&
					((p[i] == 20 && len == 1) ||
						((p[i] == 21 || p[i] == 22) && len >= 1)))))
			return i;
	}
	return n;
}

/* Bytes most of which could be part of a header, so that headers begin in one another. */
static void likely_bytes(size_t n)
{
	static const uint8_t alphabet[] = { 23, 3, 3, 1, 0, 22, 3, 3, 20, 0, 1, 3 };

	for (size_t i = 0; i < n; i++)
		wire[i] = rnd() % 8 ? alphabet[rnd() % sizeof(alphabet)] : rnd();
}

static const struct {
	uint16_t suite, version;
} sessions[] = { { 0x1301, TLS13 }, { 0x009c, TLS12 }, { 0x002f, TLS10 }, { 0x0005, TLS12 } };

/* In whatever pieces the bytes come, the same place is found, and nothing before it is lost count of. */
START_TEST(found_in_any_pieces)
{
	size_t found = 0;

	for (seed = 1; seed < 3000; seed += 2) {
		const uint16_t suite = sessions[seed / 2 % 4].suite;
		const uint16_t version = sessions[seed / 2 % 4].version;
		const uint32_t keep = seed;
		size_t want;

		likely_bytes(WIRE_MAX);
		want = first_likely(wire, WIRE_MAX, version);
		found += want < WIRE_MAX;
		for (size_t piece = 1; piece <= WIRE_MAX; piece += 1 + piece / 2) {
			enum verdict v;
			size_t at;

			begin(suite, version, true);
			at = read_in_pieces(wire, WIRE_MAX, piece, &v);
			if (want == WIRE_MAX) {
				ck_assert_int_eq(v, V_MORE);
				continue;
			}
			ck_assert_int_eq(v, V_OK);
			ck_assert_uint_eq(at, want + 5);
			ck_assert_mem_eq(dir->hdr, wire + want, 5);
			if (suite == 0x0005)
				ck_assert_uint_eq(s.material[S2C].passed, want);
			if (suite == 0x002f && want) {
				ck_assert_int_eq(dir->unchained, want < 16);
				if (want >= 16)
					ck_assert_mem_eq(s.material[S2C].iv, wire + want - 16, 16);
			}
			ck_assert_uint_eq(env.buffers.used, 0);
		}
		seed = keep;
	}
	ck_assert_uint_gt(found, 100);
}
END_TEST

/* A header that turned out to be none goes by byte by byte: the true one may have begun in it. */
START_TEST(headers_in_headers)
{
	static const struct {
		const char *bytes;
		size_t at;
	} facts[] = {
		{ "17 0303 0020", 0 },
		{ "17 17 0303 0020", 1 },
		{ "17 03 17 0303 0020", 2 },
		{ "16 0303 17 0303 0020", 3 },
		{ "16 0303 00 17 0303 0020", 4 },
		{ "17 0303 000f 17 0303 0020", 5 },
		{ "03 03 03 03 03 17 0303 0020", 5 },
		{ "17 0303 ff 17 0303 ff 17 0303 0020", 8 },
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		const size_t n = unhex(wire, facts[i].bytes);

		for (size_t piece = 1; piece <= n; piece++) {
			enum verdict v;

			begin(0x1301, TLS13, true);
			ck_assert_uint_eq(read_in_pieces(wire, n, piece, &v), facts[i].at + 5);
			ck_assert_int_eq(v, V_OK);
			ck_assert_uint_eq(dir->body_len, 0x20);
		}
	}
}
END_TEST

/* The search goes on after a candidate that did not open: the body was passed over by its length. */
START_TEST(goes_on_after_a_candidate)
{
	const size_t n = unhex(wire, "aa 17 0303 0010 bb bb 17 0303 0020");
	enum verdict v;

	begin(0x1301, TLS13, true);
	ck_assert_uint_eq(read_in_pieces(wire, n, n, &v), 6);
	ck_assert(dir->lost); /* only a tag that matches says that it is found */
	dir->hdr_len = 0;
	ck_assert_uint_eq(read_in_pieces(wire + 6, n - 6, n, &v), 7);
	ck_assert_int_eq(v, V_OK);
	ck_assert_uint_eq(dir->body_len, 0x20);
}
END_TEST

/* What was likely before the other direction told the version may not be any more. */
START_TEST(asked_again_knowing_more)
{
	const size_t n = unhex(wire, "16 0301 0016 03 17 0303 0020");
	enum verdict v;

	for (size_t piece = 1; piece <= n; piece++) {
		begin(0, 0, true);
		ck_assert_uint_eq(read_in_pieces(wire, n, piece, &v), 5);
		ck_assert_int_eq(v, V_OK);
		s.version = TLS12;
		ck_assert_uint_eq(read_in_pieces(wire + 5, n - 5, piece, &v), n - 5);
		ck_assert_int_eq(v, V_OK);
		ck_assert_uint_eq(dir->body_len, 0x20);
	}
}
END_TEST

UNIT_MAIN("header", five_bytes_in_any_pieces, nothing_to_read, where_a_record_begins,
	likely_after_a_hole, found_in_any_pieces, headers_in_headers, goes_on_after_a_candidate,
	asked_again_knowing_more)
