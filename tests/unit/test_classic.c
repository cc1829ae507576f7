/* SPDX-License-Identifier: BSD-3-Clause */
#include "seal.h"

#include "tls/classic.h"

/* Each mode, each block, each MAC, each version that has it. */
static const struct {
	uint16_t suite, first, last;
} kinds[] = {
	{ 0x0001, SSL3, TLS12 },  /* NULL, MD5 */
	{ 0x0002, SSL3, TLS12 },  /* NULL, SHA */
	{ 0x003b, TLS10, TLS12 }, /* NULL, SHA-256 */
	{ 0x0004, SSL3, TLS12 },  /* RC4, MD5 */
	{ 0x0005, SSL3, TLS12 },  /* RC4, SHA */
	{ 0x000a, SSL3, TLS12 },  /* 3DES */
	{ 0x002f, SSL3, TLS12 },  /* AES-128, SHA */
	{ 0x0041, SSL3, TLS12 },  /* Camellia-128, SHA */
	{ 0x003c, TLS10, TLS12 }, /* AES-128, SHA-256 */
	{ 0xc024, TLS10, TLS12 }, /* AES-256, SHA-384 */
};

static uint8_t text[RECORD_MAX], rec[RECORD_MAX + 512], arena[512 + RECORD_MAX];
static uint8_t *const out = arena + 512;

/* The two sides of one direction. */
struct side {
	struct record_keys keys;
	EVP_CIPHER *evp;
	EVP_CIPHER_CTX *ctx;
	struct sealer s;
	struct classic c;
};

static void side_init(struct side *d, uint16_t suite, uint16_t version, bool etm)
{
	*d = (struct side){ .keys = {
				    .suite = suite_find(suite), .version = version, .etm = etm } };
	for (uint8_t i = 0; i < 48; i++) {
		d->keys.key[i % 32] = i * 5 + 1;
		d->keys.iv[i % 16] = i * 3 + 2;
		d->keys.mac[i] = i * 7 + 3;
	}
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 31 + 1);
	if (suite_cipher(d->keys.suite->cipher)->evp)
		d->evp = EVP_CIPHER_fetch(
			seal_lib(), suite_cipher(d->keys.suite->cipher)->evp, NULL);
	d->ctx = EVP_CIPHER_CTX_new();
	sealer_init(&d->s, &d->keys);
	ck_assert_int_eq(classic_key(&d->c, d->ctx, d->evp, &d->keys), V_OK);
}

static void side_fini(struct side *d)
{
	classic_wipe(&d->c);
	sealer_fini(&d->s);
	EVP_CIPHER_CTX_free(d->ctx);
	EVP_CIPHER_free(d->evp);
}

static bool is_cbc(const struct side *d)
{
	return d->s.cipher->mode == MODE_CBC;
}

static bool is_etm(const struct side *d)
{
	return is_cbc(d) && d->keys.etm && d->keys.version > SSL3;
}

static size_t explicit_len(const struct side *d)
{
	return is_cbc(d) && d->keys.version >= TLS11 ? d->s.cipher->block_len : 0;
}

/* Open n bytes of body after rec's header, from a block of exactly that size. */
static enum verdict open_body(struct side *d, uint64_t seq, size_t n, size_t *len)
{
	uint8_t *in = malloc(n ? n : 1);
	const struct opener_record r = { seq, rec, in, n, out, 0 };
	enum verdict v;

	memcpy(in, rec + 5, n);
	v = classic_open(&d->c, &r, len);
	free(in);
	return v;
}

static void every_kind(void (*fn)(struct side *))
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		for (uint16_t v = kinds[i].first; v <= kinds[i].last; v++) {
			for (int etm = 0; etm < 2; etm++) {
				struct side d;

				side_init(&d, kinds[i].suite, v, etm);
				fn(&d);
				side_fini(&d);
			}
		}
	}
}

/* Every version's CBC with AES. */
static void every_cbc(void (*fn)(struct side *))
{
	for (int i = 0; i < 8; i++) {
		struct side d;

		side_init(&d, 0x002f, (uint16_t)(SSL3 + i / 2), i % 2);
		fn(&d);
		side_fini(&d);
	}
}

static void lengths(struct side *d)
{
	static const size_t lens[] = { 0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 1400, 16383, 16384,
		16384 + 256 };
	uint64_t seq = 0;
	size_t len;

	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		size_t n = seal(&d->s, seq, 23, text, lens[i], rec);

		ck_assert_int_eq(open_body(d, seq++, n, &len), V_OK);
		ck_assert_uint_eq(len, lens[i]);
		ck_assert_mem_eq(out, text, len);
		n = seal(&d->s, seq, 22, text, lens[i], rec);
		memcpy(out, rec + 5, n);
		ck_assert_int_eq(
			classic_open(
				&d->c, &(struct opener_record){ seq++, rec, out, n, out, 0 }, &len),
			V_OK);
		ck_assert_uint_eq(len, lens[i]);
		ck_assert_mem_eq(out, text, len);
		seq += i == 7 ? 0xfedcba9876 : 0; /* both halves of the number count */
	}
}

START_TEST(every_length)
{
	every_kind(lengths);
}
END_TEST

/* Of a record without padding each bit is covered, and so is what goes before it. */
static void forged(struct side *d)
{
	const size_t text_len = 63 - md_len(d->keys.suite->mac);
	size_t n = seal(&d->s, 7, 23, text, text_len, rec), len, opened = 0;

	for (size_t bit = 0; bit < n * 8; bit++) {
		rec[5 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		opened += open_body(d, 7, n, &len) == V_OK;
		rec[5 + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_uint_eq(opened, 0);
	for (int bit = 0; bit < 64; bit++)
		ck_assert_int_eq(open_body(d, 7 ^ 1ull << bit, n, &len), V_MAC);
	for (int bit = 0; bit < 24; bit++) { /* SSL 3.0 does not cover the version */
		if (d->keys.version == SSL3 && bit >= 8)
			break;
		rec[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(open_body(d, 7, n, &len), V_MAC);
		rec[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* None of that has spoilt a chained IV or a key stream. */
	ck_assert_int_eq(open_body(d, 7, n, &len), V_OK);
	ck_assert_uint_eq(len, text_len);
}

START_TEST(every_bit_counts)
{
	every_kind(forged);
}
END_TEST

/* V_PADDING for what cannot be a record by its length alone, V_MAC for what could. */
static void cut(struct side *d)
{
	const size_t block = d->s.cipher->block_len, mac = md_len(d->keys.suite->mac);
	const size_t n = seal(&d->s, 1, 23, text, 100, rec);
	size_t len;

	for (size_t i = 0; i < n; i++) {
		const size_t least = is_cbc(d) && !is_etm(d) ? explicit_len(d) + block : mac;
		const bool whole = i >= least && (!is_cbc(d) || is_etm(d) || i % block == 0);
		enum verdict v = open_body(d, 1, i, &len);

		if (is_cbc(d) && !is_etm(d) && whole) /* what decrypts to padding is chance */
			ck_assert(v == V_MAC || v == V_PADDING);
		else
			ck_assert_int_eq(v, whole ? V_MAC : V_PADDING);
	}
	ck_assert_int_eq(open_body(d, 1, n, &len), V_OK);
}

START_TEST(cut_at_every_byte)
{
	every_kind(cut);
}
END_TEST

/* Seal what a GenericBlockCipher holds as it is, padding and MAC included. @return length of the body. */
static size_t seal_blocks(struct side *d, uint64_t seq, const uint8_t *p, size_t n)
{
	const size_t explicit = explicit_len(d);
	uint8_t *body = rec + 5;
	int done;

	rec[0] = 23;
	put_be16(rec + 1, d->keys.version);
	memcpy(body, d->s.iv, explicit);
	EVP_EncryptInit_ex2(d->s.ctx, d->s.evp, d->keys.key, d->s.iv, NULL);
	EVP_CIPHER_CTX_set_padding(d->s.ctx, 0);
	EVP_EncryptUpdate(d->s.ctx, body + explicit, &done, p, (int)n);
	n = explicit + (size_t)done; /* the chain does not go on: the next one has the same IV */
	return is_etm(d) ? n + seal_mac(&d->s, seq, rec, body, n, body + n) : n;
}

/* Content, its MAC (unless that comes last), and padding that is to be spoilt. @return its length. */
static size_t with_padding(struct side *d, size_t content, size_t pad, uint8_t *p)
{
	size_t n = content;

	rec[0] = 23;
	put_be16(rec + 1, d->keys.version);
	memcpy(p, text, n);
	if (!is_etm(d))
		n += seal_mac(&d->s, 0, rec, text, n, p + n);
	memset(p + n, (int)pad, pad + 1);
	return n + pad + 1;
}

/* The chained IV is the first record's again. */
static enum verdict open_first(struct side *d, size_t n, size_t *len)
{
	memcpy(d->c.iv, d->keys.iv, sizeof(d->c.iv));
	return open_body(d, 0, n, len);
}

/* TLS: up to 255 bytes, all of which say how many; SSL 3.0: less than a block, of anything. */
static void paddings(struct side *d)
{
	const size_t mac = is_etm(d) ? 0 : md_len(d->keys.suite->mac);
	const bool ssl3 = d->keys.version == SSL3;
	size_t len, other = 0; /* an assertion in the inner loop would be a write() */
	uint8_t p[1024];

	for (size_t pad = 0; pad < 256; pad++) {
		const size_t content = (16 - (mac + pad + 1) % 16) % 16;
		const size_t n = with_padding(d, content, pad, p);

		ck_assert_int_eq(open_first(d, seal_blocks(d, 0, p, n), &len),
			ssl3 && pad >= 16 ? V_PADDING : V_OK);
		if (!ssl3 || pad < 16)
			ck_assert_uint_eq(len, content);
		for (size_t i = n - 1 - pad; i < n - 1; i++) {
			p[i] ^= (uint8_t)(1 << pad % 8);
			other += open_first(d, seal_blocks(d, 0, p, n), &len) !=
				(ssl3 && pad < 16 ? V_OK : V_PADDING);
			p[i] ^= (uint8_t)(1 << pad % 8);
		}
	}
	ck_assert_uint_eq(other, 0);
}

START_TEST(padding)
{
	every_cbc(paddings);
}
END_TEST

/* Padding that leaves no room for a MAC, or is longer than all there is. */
static void too_long_paddings(struct side *d)
{
	const size_t mac = is_etm(d) ? 0 : md_len(d->keys.suite->mac);
	uint8_t p[64];
	size_t len;

	for (size_t n = 16; n <= 64; n += 16) {
		for (size_t pad = 0; pad < 256; pad++) {
			enum verdict v;

			/* All bytes are padding, and so is what lies around them in memory. */
			memset(arena, (int)pad, 1024);
			memset(p, (int)pad, sizeof(p));
			v = open_first(d, seal_blocks(d, 0, p, n), &len);
			if (pad + 1 > n || (d->keys.version == SSL3 && pad >= 16) ||
				n - pad - 1 < mac)
				ck_assert_int_eq(v, V_PADDING);
			else if (is_etm(d))
				ck_assert(v == V_OK && len == n - pad - 1);
			else
				ck_assert_int_eq(v, V_MAC);
		}
	}
}

START_TEST(padding_longer_than_record)
{
	every_cbc(too_long_paddings);
}
END_TEST

/* Encrypt-then-MAC of ciphertext that is no whole number of blocks, or none at all: the MAC is right. */
static void odd_blocks(struct side *d)
{
	size_t len;

	for (size_t n = 0; is_etm(d) && n < explicit_len(d) + 33; n++) {
		const bool whole = n % 16 == 0 && n > explicit_len(d);
		enum verdict v;

		memcpy(rec, "\27\3\0", 3);
		rec[2] = (uint8_t)d->keys.version;
		memset(rec + 5, 0x11, n);
		v = open_first(d, n + seal_mac(&d->s, 0, rec, rec + 5, n, rec + 5 + n), &len);
		ck_assert(v == V_PADDING || (whole && v == V_OK));
	}
}

START_TEST(no_whole_blocks)
{
	every_cbc(odd_blocks);
}
END_TEST

/* Good padding around a MAC of which a bit is wrong. */
static void macs(struct side *d)
{
	uint8_t p[64];
	size_t len, n, body;

	n = with_padding(d, is_etm(d) ? 31 : 11, 0, p);
	for (size_t bit = 0; bit < 20 * 8; bit++) {
		if (!is_etm(d))
			p[11 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		body = seal_blocks(d, 0, p, n);
		if (is_etm(d))
			rec[5 + body - 20 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		else
			p[11 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(open_first(d, body, &len), V_MAC);
	}
	ck_assert_int_eq(open_first(d, seal_blocks(d, 0, p, n), &len), V_OK);
}

START_TEST(wrong_mac)
{
	every_cbc(macs);
}
END_TEST

/* Up to TLS 1.0 a record needs the one before it, and none that failed; later each stands alone. */
static void chains(struct side *d)
{
	uint8_t kept[3][64];
	size_t n[3], len;

	for (uint64_t seq = 0; seq < 3; seq++) {
		n[seq] = seal(&d->s, seq, 23, text, 11, rec);
		memcpy(kept[seq], rec + 5, n[seq]);
		if (d->keys.version >= TLS11)
			d->s.iv[0]++;
	}
	/* Before the padding is wrong, a MAC of the ciphertext has said nothing of the IV. */
	ck_assert_int_eq(open_body(d, 2, n[2], &len),
		d->keys.version >= TLS11 ? V_OK :
			is_etm(d)        ? V_PADDING :
					   V_MAC);
	for (uint64_t seq = 0; seq < 3; seq++) {
		memset(rec + 5, 0x5a, n[seq]);
		ck_assert_int_ne(open_body(d, seq, n[seq], &len), V_OK);
		ck_assert_int_eq(open_body(d, seq, 17, &len), V_PADDING);
		memcpy(rec + 5, kept[seq], n[seq]);
		ck_assert_int_eq(open_body(d, seq, n[seq], &len), V_OK);
		ck_assert_mem_eq(out, text, 11);
	}
}

START_TEST(chained_iv)
{
	every_cbc(chains);
}
END_TEST

/* RFC 6229, section 2, key 0x0102030405060708090a0b0c0d0e0f10. */
static const struct {
	size_t at;
	const char *stream;
} rfc6229[] = {
	{ 0, "9ac7cc9a609d1ef7b2932899cde41b975248c4959014126a6e8a84f11d1a9e1c" },
	{ 240, "065902e4b620f6cc36c8589f66432f2b" },
};

START_TEST(key_stream_of_rfc6229)
{
	for (size_t i = 0; i < sizeof(rfc6229) / sizeof(*rfc6229); i++) {
		for (int by_skip = 0; by_skip < 2; by_skip++) {
			struct side d;
			uint8_t stream[32], *body = rec + 5;
			struct opener_record r = { 0, rec, body, 0, out,
				by_skip ? 0 : rfc6229[i].at };
			size_t len;

			side_init(&d, 0x0004, TLS12, false);
			unhex(d.keys.key, "0102030405060708090a0b0c0d0e0f10");
			ck_assert_int_eq(classic_key(&d.c, d.ctx, d.evp, &d.keys), V_OK);
			r.len = unhex(stream, rfc6229[i].stream);
			memcpy(rec, "\27\3\3", 3);
			memcpy(body, text, r.len - 16);
			seal_mac(&d.s, 0, rec, text, r.len - 16, body + r.len - 16);
			for (size_t j = 0; j < r.len; j++)
				body[j] ^= stream[j];
			if (by_skip)
				classic_skip(&d.c, rfc6229[i].at);
			ck_assert_int_eq(classic_open(&d.c, &r, &len), V_OK);
			ck_assert_uint_eq(len, r.len - 16);
			ck_assert_mem_eq(out, text, len);
			side_fini(&d);
		}
	}
}
END_TEST

/* Records that nobody opens, tried in vain, and what they leave of the key stream. */
START_TEST(key_stream_with_holes)
{
	struct side d;
	size_t passed = 0, len;

	side_init(&d, 0x0005, TLS12, false);
	for (uint64_t seq = 0; seq < 40; seq++) {
		size_t n = seal(&d.s, seq, 23, text, 100 + seq * 31, rec);
		struct opener_record r = { seq, rec, rec + 5, n, out, passed };

		if (seq % 3) {
			passed += n;
			continue;
		}
		if (seq % 2) {
			classic_skip(&d.c, passed / 2);
			r.skip = passed -= passed / 2;
		}
		r.skip++;
		ck_assert_int_eq(classic_open(&d.c, &r, &len), V_MAC);
		r.skip--;
		ck_assert_int_eq(classic_open(&d.c, &r, &len), V_OK);
		ck_assert_mem_eq(out, text, len);
		passed = 0;
	}
	side_fini(&d);
}
END_TEST

START_TEST(what_it_cannot)
{
	static const struct {
		uint16_t suite, version;
		bool has_cipher;
		enum verdict v;
	} facts[] = {
		{ 0x002f, SSL3 - 1, true, V_SUITE },
		{ 0x002f, SSL3, true, V_OK },
		{ 0x002f, TLS12, true, V_OK },
		{ 0x002f, TLS13, true, V_SUITE },
		{ 0x002f, 0x7f17, true, V_SUITE },
		{ 0x002f, TLS12, false, V_SUITE }, /* OpenSSL does not have it */
		{ 0x0000, TLS12, false, V_SUITE }, /* no MAC */
		{ 0x0002, TLS12, false, V_OK },    /* NULL and RC4 need no cipher */
		{ 0x0005, TLS12, false, V_OK },
		{ 0x003c, SSL3, true, V_SUITE }, /* SHA-256: there was none */
		{ 0x003b, SSL3, false, V_SUITE },
		{ 0x0001, SSL3, false, V_OK },
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		struct record_keys k = { .suite = suite_find(facts[i].suite),
			.version = facts[i].version };
		const char *name = suite_cipher(k.suite->cipher)->evp;
		EVP_CIPHER *evp =
			facts[i].has_cipher ? EVP_CIPHER_fetch(seal_lib(), name, NULL) : NULL;
		EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
		struct classic c;

		ck_assert_int_eq(classic_key(&c, ctx, evp, &k), facts[i].v);
		classic_wipe(&c); /* after either */
		EVP_CIPHER_CTX_free(ctx);
		EVP_CIPHER_free(evp);
	}
}
END_TEST

START_TEST(which_need_no_cipher)
{
	for (int alg = 0; alg < CIPHER_COUNT; alg++)
		ck_assert_int_eq(classic_alone((enum cipher_alg)alg),
			alg == CIPHER_NULL || alg == CIPHER_RC4_40 || alg == CIPHER_RC4_56 ||
				alg == CIPHER_RC4_128);
}
END_TEST

static void wiped_side(struct side *d)
{
	static const struct classic zero;
	size_t len;

	ck_assert_int_eq(open_body(d, 0, seal(&d->s, 0, 23, text, 50, rec), &len), V_OK);
	classic_wipe(&d->c);
	ck_assert_mem_eq(&d->c, &zero, sizeof(zero));
	ck_assert_ptr_null(EVP_CIPHER_CTX_get0_cipher(d->ctx));
	ck_assert_int_eq(classic_key(&d->c, d->ctx, d->evp, &d->keys), V_OK); /* for side_fini() */
}

START_TEST(wiped)
{
	every_kind(wiped_side);
}
END_TEST

UNIT_MAIN("classic", every_length, every_bit_counts, cut_at_every_byte, padding,
	padding_longer_than_record, no_whole_blocks, wrong_mac, chained_iv, key_stream_of_rfc6229,
	key_stream_with_holes, what_it_cannot, which_need_no_cipher, wiped)
