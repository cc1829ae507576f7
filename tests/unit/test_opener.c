/* SPDX-License-Identifier: BSD-3-Clause */
#include "seal.h"

#include "tls/opener.h"

static const char *const backends[] = { "openssl", "ipsec-mb", "vaes" };
static const uint16_t versions[] = { SSL3, TLS10, TLS11, TLS12, TLS13, 0x7f17, 0x7f1c };
static uint8_t text[RECORD_MAX], out[RECORD_MAX], rec[RECORD_MAX + 512], copy[RECORD_MAX + 512];
static uint32_t seed = 1;

static uint32_t rnd(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* One environment and opener of a back-end; NULL if this build does not have it. */
struct bed {
	struct opener_env *env;
	struct opener *o;
	void *mem[2];
};

static bool bed_init(struct bed *b, const char *backend)
{
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 31 + 1);
	b->mem[0] = aligned_alloc(64, opener_env_bytes());
	b->mem[1] = aligned_alloc(64, opener_bytes(NULL));
	memset(b->mem[0], 0xa5, opener_env_bytes());
	memset(b->mem[1], 0xa5, opener_bytes(NULL));
	b->env = opener_env_init(b->mem[0], backend);
	if (b->env)
		b->o = opener_init(b->mem[1], b->env);
	else
		free(b->mem[0]), free(b->mem[1]);
	return b->env;
}

static void bed_fini(struct bed *b)
{
	opener_fini(b->o);
	opener_env_fini(b->env);
	free(b->mem[0]);
	free(b->mem[1]);
}

static struct record_keys some_keys(const struct suite *s, uint16_t version, bool etm)
{
	struct record_keys k = { .suite = s, .version = version, .etm = etm };

	for (int i = 0; i < 48; i++) {
		k.mac[i] = (uint8_t)rnd();
		k.key[i % 32] = (uint8_t)rnd();
		k.iv[i % 16] = (uint8_t)rnd();
	}
	return k;
}

/* What the contract says can be opened; a cipher of the legacy provider may be absent. */
static bool expected(const struct bed *b, const struct record_keys *k)
{
	if (!opener_backend(b->env, k->suite->cipher))
		return false;
	if (suite_cipher(k->suite->cipher)->tag_len)
		return k->version == TLS12 || version_is_13(k->version);
	return k->suite->mac && k->version <= TLS12 &&
		(k->version > SSL3 || k->suite->mac <= MD_SHA1);
}

/* Call fn for every back-end, cipher, MAC and version once, with encrypt-then-MAC on and off. */
static void every_protection(void (*fn)(struct bed *, const struct record_keys *))
{
	uint32_t n, opened = 0;
	const struct suite *t = suite_table(&n);

	for (size_t i = 0; i < sizeof(backends) / sizeof(*backends); i++) {
		bool done[CIPHER_COUNT][MD_COUNT] = { { 0 } };
		struct bed b;

		if (!bed_init(&b, backends[i]))
			continue;
		for (uint32_t s = 0; s < n; s++) {
			if (done[t[s].cipher][t[s].mac])
				continue;
			done[t[s].cipher][t[s].mac] = true;
			for (int v = 0; v < 14; v++) {
				struct record_keys k = some_keys(&t[s], versions[v / 2], v % 2);
				bool can = expected(&b, &k);

				ck_assert_int_eq(opener_key(b.o, &k), can ? V_OK : V_SUITE);
				if (can &&
					(!k.etm || suite_cipher(t[s].cipher)->mode == MODE_CBC)) {
					fn(&b, &k);
					opened++;
				}
			}
		}
		bed_fini(&b);
	}
	ck_assert_uint_gt(opened, 50);
}

/* A record, header and body of n bytes, into `out`. */
static enum verdict open_at(
	struct opener *o, uint64_t seq, const uint8_t *p, size_t n, size_t *len, uint8_t *type)
{
	const struct opener_record r = { seq, p, p + 5, n, out, 0 };

	return opener_open(o, &r, len, type);
}

static void open_lengths(struct bed *b, const struct record_keys *k)
{
	static const size_t lens[] = { 0, 1, 15, 16, 17, 31, 257, 1400, 16384 };
	struct sealer s;
	uint64_t seq = 0;

	sealer_init(&s, k);
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		for (int in_place = 0; in_place < 2; in_place++, seq++) {
			size_t n = seal(&s, seq, (uint8_t)(20 + i % 4), text, lens[i], rec),
			       len = 9;
			uint8_t *in = in_place ? memcpy(out, rec + 5, n) : rec + 5, type = 0;
			struct opener_record r = { seq, rec, in, n, out, 0 };

			ck_assert_int_eq(opener_open(b->o, &r, &len, &type), V_OK);
			ck_assert_uint_eq(len, lens[i]);
			ck_assert_uint_eq(type, 20 + i % 4);
			ck_assert_mem_eq(out, text, len);
		}
		if (i == 4)
			seq += opener_runs_on(k) ? 0 : 0x123456789a; /* any number will do */
	}
	sealer_fini(&s);
}

START_TEST(round_trip)
{
	every_protection(open_lengths);
}
END_TEST

/* The text fills the last block up to the length of the padding: SSL 3.0 checks no padding. */
static size_t full_block(const struct record_keys *k)
{
	return 63 - md_len(k->suite->mac);
}

static enum verdict open_once(
	struct bed *b, const struct record_keys *k, const uint8_t *r, size_t n)
{
	size_t len;
	uint8_t type;

	if (suite_cipher(k->suite->cipher)->mode == MODE_STREAM)
		opener_key(b->o, k); /* once opened, a record is behind */
	return open_at(b->o, 7, r, n, &len, &type);
}

static void flip_every_bit(struct bed *b, const struct record_keys *k)
{
	struct sealer s;
	size_t wrong = 0, n, from = k->version == SSL3 || version_is_13(k->version) ? 5 : 0;

	sealer_init(&s, k);
	n = seal(&s, 7, 23, text, full_block(k), rec);
	for (size_t bit = from * 8; bit < (5 + n) * 8; bit++) {
		if (bit / 8 == 3 || bit / 8 == 4)
			continue; /* the length is an argument */
		rec[bit / 8] ^= 1 << bit % 8;
		wrong += open_once(b, k, rec, n) == V_OK; /* an assertion here would be a write() */
		rec[bit / 8] ^= 1 << bit % 8;
	}
	ck_assert_uint_eq(wrong, 0);
	/* Nothing of that has spoilt the keys. */
	ck_assert_int_eq(open_once(b, k, rec, n), V_OK);
	sealer_fini(&s);
}

START_TEST(every_bit_counts)
{
	every_protection(flip_every_bit);
}
END_TEST

static void truncate_everywhere(struct bed *b, const struct record_keys *k)
{
	struct sealer s;
	size_t n, len;
	uint8_t type;

	sealer_init(&s, k);
	n = seal(&s, 7, 23, text, full_block(k), rec);
	for (size_t cut = 0; cut < n; cut++) {
		/* Exactly its size, so that a sanitizer sees a read beyond. */
		uint8_t *r = memcpy(malloc(5 + cut), rec, 5 + cut);

		ck_assert_int_ne(open_once(b, k, r, cut), V_OK);
		put_be16(r + 3, (uint16_t)cut);
		if (opener_streams(b->o)) {
			opener_begin(b->o, 7, r, out);
			opener_update(b->o, r + 5, cut);
			ck_assert_int_ne(opener_finish(b->o, &len, &type), V_OK);
			opener_restore(b->o);
			ck_assert_mem_eq(out, r + 5, cut);
		}
		free(r);
	}
	sealer_fini(&s);
}

START_TEST(truncated_at_every_byte)
{
	every_protection(truncate_everywhere);
}
END_TEST

/* Feed n bytes in random pieces. */
static void feed(struct opener *o, const uint8_t *p, size_t n, size_t most)
{
	while (n) {
		size_t k = rnd() % most + 1;

		k = k < n ? k : n;
		opener_update(o, p, k);
		p += k;
		n -= k;
	}
	opener_update(o, p, 0);
}

static void stream_lengths(struct bed *b, const struct record_keys *k)
{
	struct sealer s;

	if (!opener_streams(b->o))
		return;
	sealer_init(&s, k);
	for (uint64_t seq = 0; seq < 60; seq++) {
		size_t want = seq < 40 ? seq : rnd() % 16385, len;
		size_t n = seal(&s, seq, 23, text, want, rec), most = seq % 3 ? 1500 : 1 + seq / 2;
		uint8_t type;

		memcpy(copy, rec, 5 + n);
		opener_begin(b->o, seq, rec, out);
		feed(b->o, rec + 5, n, most);
		ck_assert_int_eq(opener_finish(b->o, &len, &type), V_OK);
		ck_assert_uint_eq(len, want);
		ck_assert_uint_eq(type, 23);
		ck_assert_mem_eq(out, text, len);
		/* Under another number it fails, and is then what it was. */
		rec[5 + n - 1 - seq % 16] ^= 4;
		opener_begin(b->o, seq, rec, out);
		feed(b->o, rec + 5, n, most);
		ck_assert_int_eq(opener_finish(b->o, &len, &type), V_TAG);
		opener_restore(b->o);
		ck_assert_mem_eq(out, rec + 5, n);
	}
	sealer_fini(&s);
}

START_TEST(in_pieces)
{
	every_protection(stream_lengths);
}
END_TEST

/* A gap cuts a record off: what is there must come back too. */
static void stream_cut(struct bed *b, const struct record_keys *k)
{
	struct sealer s;
	size_t n, len;
	uint8_t type;

	if (!opener_streams(b->o))
		return;
	sealer_init(&s, k);
	n = seal(&s, 3, 23, text, 40, rec);
	for (size_t cut = 0; cut < n; cut++) {
		opener_begin(b->o, 3, rec, out);
		feed(b->o, rec + 5, cut, 5);
		ck_assert_int_eq(opener_finish(b->o, &len, &type), V_PADDING);
		opener_restore(b->o);
		ck_assert_mem_eq(out, rec + 5, cut);
	}
	/* More than the header says is not looked at. */
	opener_begin(b->o, 3, rec, out);
	feed(b->o, rec + 5, n + 9, 50);
	ck_assert_int_eq(opener_finish(b->o, &len, &type), V_OK);
	sealer_fini(&s);
}

START_TEST(cut_off_in_pieces)
{
	every_protection(stream_cut);
}
END_TEST

/* RFC 8448, section 3: the client's application data and its close_notify. */
START_TEST(records_of_rfc8448)
{
	static const char data[] = "17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb "
				   "ef ac ea 42 f9 14 aa"
				   "66 bc ab 3f 2b 98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 "
				   "97 4e 1f 5a 62 92 a2"
				   "97 70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4";
	static const char alert[] =
		"17 03 03 00 13 c9 87 27 60 65 56 66 b7 4d 7f f1 15 3e fd 6d b6 d0 b0 e3";
	struct record_keys k = { .suite = suite_find(0x1301), .version = TLS13 };
	struct bed b;
	size_t n, len;
	uint8_t type;

	unhex(k.key, "17422dda596ed5d9acd890e3c63f5051");
	unhex(k.iv, "5b78923dee08579033e523d9");
	for (int i = 0; i < (int)(sizeof(backends) / sizeof(*backends)); i++) {
		if (!bed_init(&b, backends[i]))
			continue;
		opener_key(b.o, &k);
		n = unhex(rec, data);
		ck_assert_int_eq(open_at(b.o, 0, rec, n - 5, &len, &type), V_OK);
		ck_assert_uint_eq(len, 50);
		ck_assert_uint_eq(type, 23);
		for (size_t j = 0; j < len; j++)
			ck_assert_uint_eq(out[j], j);
		n = unhex(rec, alert);
		ck_assert_int_eq(open_at(b.o, 1, rec, n - 5, &len, &type), V_OK);
		ck_assert_uint_eq(len, 2);
		ck_assert_uint_eq(type, 21);
		ck_assert_mem_eq(out, "\1\0", 2);
		ck_assert_int_eq(open_at(b.o, 2, rec, n - 5, &len, &type), V_TAG);
		bed_fini(&b);
	}
}
END_TEST

START_TEST(padding_of_tls13)
{
	struct record_keys k = some_keys(suite_find(0x1303), TLS13, false);
	struct sealer s;
	struct bed b;
	size_t n, len;
	uint8_t type;

	bed_init(&b, NULL);
	opener_key(b.o, &k);
	sealer_init(&s, &k);
	s.tail = 1000;
	n = seal(&s, 0, 22, text, 9, rec);
	ck_assert_int_eq(open_at(b.o, 0, rec, n, &len, &type), V_OK);
	ck_assert_uint_eq(len, 9);
	ck_assert_uint_eq(type, 22);
	n = seal(&s, 0, 0, (const uint8_t *)"", 0, rec); /* no type at all */
	ck_assert_int_eq(open_at(b.o, 0, rec, n, &len, &type), V_PADDING);
	opener_begin(b.o, 0, rec, out);
	opener_update(b.o, rec + 5, n);
	ck_assert_int_eq(opener_finish(b.o, &len, &type), V_PADDING);
	opener_restore(b.o);
	ck_assert_mem_eq(out, rec + 5, n);
	sealer_fini(&s);
	bed_fini(&b);
}
END_TEST

START_TEST(longest_record)
{
	struct record_keys k = some_keys(suite_find(0x1301), TLS13, false);
	struct sealer s;
	struct bed b;
	size_t n, len;
	uint8_t type;

	bed_init(&b, NULL);
	opener_key(b.o, &k);
	sealer_init(&s, &k);
	for (size_t want = RECORD_MAX - 17; want <= RECORD_MAX - 16; want++) {
		enum verdict expect = want == RECORD_MAX - 17 ? V_OK : V_PADDING;

		n = seal(&s, 0, 23, text, want, rec);
		ck_assert_int_eq(open_at(b.o, 0, rec, n, &len, &type), expect);
		opener_begin(b.o, 0, rec, out);
		opener_update(b.o, rec + 5, n);
		ck_assert_int_eq(opener_finish(b.o, &len, &type), expect);
		opener_restore(b.o);
	}
	sealer_fini(&s);
	bed_fini(&b);
}
END_TEST

/* Where the key of a back-end lies no word is what it was, but for what nobody wrote. */
static void nothing_is_left(const uint8_t *before, const uint8_t *after)
{
	const uint8_t fill[8] = { [0 ... 7] = 0xa5 }, zero[8] = { 0 };

	for (size_t at = 256; at + 8 <= opener_bytes(NULL); at += 8)
		ck_assert(memcmp(before + at, after + at, 8) || !memcmp(after + at, fill, 8) ||
			!memcmp(after + at, zero, 8));
}

/* From every cipher to every other, its own included, in the middle of a record. */
START_TEST(a_new_key_leaves_nothing_of_the_old)
{
	const uint8_t hdr[5] = { 23, 3, 3, 1, 0 };
	const uint16_t ids[] = { 0x1301, 0x1302, 0x1303, 0x1304 }; /* no pointer is in these */
	struct bed b;

	for (int i = 0; i < 16; i++) {
		struct record_keys old = some_keys(suite_find(ids[i / 4]), TLS12, false);
		struct record_keys new = some_keys(suite_find(ids[i % 4]), TLS12, false);

		bed_init(&b, NULL);
		ck_assert_int_eq(opener_key(b.o, &old), V_OK);
		opener_begin(b.o, 1, hdr, out);
		opener_update(b.o, text, 100);
		memcpy(copy, b.mem[1], opener_bytes(NULL));
		ck_assert_int_eq(opener_key(b.o, &new), V_OK);
		nothing_is_left(copy, b.mem[1]);
		bed_fini(&b);
	}
}
END_TEST

START_TEST(says_what_it_cannot)
{
	struct bed b;
	struct record_keys k = some_keys(suite_find(0x00c6), TLS13, false);
	size_t len;
	uint8_t type;

	ck_assert(!bed_init(&b, "none such"));
	ck_assert(bed_init(&b, NULL));
	ck_assert_ptr_null(opener_backend(b.env, CIPHER_SM4_GCM));
	ck_assert_ptr_null(opener_backend(b.env, CIPHER_CHACHA20_POLY1305_DRAFT));
	ck_assert_str_eq(opener_backend(b.env, CIPHER_AES_128_CBC), "openssl");
	ck_assert_ptr_nonnull(opener_backend(b.env, CIPHER_AES_128_GCM));
	ck_assert_int_eq(opener_key(b.o, &k), V_SUITE);
	/* Without keys nothing opens, not even what needs none. */
	ck_assert_int_eq(open_at(b.o, 0, text, 99, &len, &type), V_TAG);
	k.suite = suite_find(0x0000);
	k.version = TLS12;
	ck_assert_int_eq(opener_key(b.o, &k), V_SUITE);
	ck_assert_int_eq(open_at(b.o, 0, text, 99, &len, &type), V_TAG);
	ck_assert(!opener_streams(b.o));
	bed_fini(&b);
}
END_TEST

START_TEST(key_streams_run_on)
{
	static const struct {
		uint16_t suite, version;
		bool runs_on;
	} fact[] = {
		{ 0x002f, SSL3, false },
		{ 0x0004, SSL3, true },
		{ 0x002f, TLS11, false },
		{ 0x0005, TLS12, true },
		{ 0x0002, TLS10, false },
		{ 0x009c, TLS12, false },
	};

	for (size_t i = 0; i < sizeof(fact) / sizeof(*fact); i++) {
		struct record_keys k = some_keys(suite_find(fact[i].suite), fact[i].version, false);

		ck_assert_int_eq(opener_runs_on(&k), fact[i].runs_on);
	}
}
END_TEST

UNIT_MAIN("opener", round_trip, every_bit_counts, truncated_at_every_byte, in_pieces,
	cut_off_in_pieces, records_of_rfc8448, padding_of_tls13, longest_record,
	says_what_it_cannot, key_streams_run_on, a_new_key_leaves_nothing_of_the_old)
