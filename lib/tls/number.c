/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Record numbers of AES-GCM, computed instead of guessed (NIST SP 800-38D for the names). Arithmetic
 * in GF(2^128) is by table, 4 bits at a time: this runs once for a hole, not for every record.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* single blocks, without a context on the heap */
#include "tls/number.h"

#include <openssl/aes.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/keytab.h"

/* An element of GF(2^128): bit 0 of the field is the highest bit of hi. */
struct gf {
	uint64_t hi, lo;
};

/* Multiples of H by every 4-bit polynomial. Derived from the key: secret. */
struct table {
	struct gf m[16];
};

static uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static struct gf load(const uint8_t *p)
{
	return (struct gf){ get_be64(p), get_be64(p + 8) };
}

static struct gf add(struct gf a, struct gf b)
{
	return (struct gf){ a.hi ^ b.hi, a.lo ^ b.lo };
}

/* Times x: a shift to the right, and the polynomial when a bit falls out. */
static struct gf times_x(struct gf a)
{
	uint64_t carry = a.lo & 1;

	return (struct gf){ (a.hi >> 1) ^ (carry ? 0xe100000000000000u : 0),
		a.lo >> 1 | a.hi << 63 };
}

static struct table table_of(struct gf h)
{
	struct table t = { 0 };

	t.m[8] = h;
	for (int i = 4; i; i >>= 1)
		t.m[i] = times_x(t.m[2 * i]);
	for (int i = 2; i < 16; i <<= 1)
		for (int j = 1; j < i; j++)
			t.m[i + j] = add(t.m[i], t.m[j]);
	return t;
}

static struct gf times(const struct table *t, struct gf a)
{
	/* What the four bits that fall out of the low end come back as. */
	static const uint16_t reduce[16] = { 0x0000, 0x1c20, 0x3840, 0x2460, 0x7080, 0x6ca0, 0x48c0,
		0x54e0, 0xe100, 0xfd20, 0xd940, 0xc560, 0x9180, 0x8da0, 0xa9c0, 0xb5e0 };
	struct gf z = { 0 };

	for (int i = 0; i < 32; i++) {
		unsigned nibble = (i < 16 ? a.lo >> 4 * i : a.hi >> 4 * (i - 16)) & 15;
		unsigned out = z.lo & 15;

		z = (struct gf){ z.hi >> 4 ^ (uint64_t)reduce[out] << 48, z.lo >> 4 | z.hi << 60 };
		z = add(z, t->m[nibble]);
	}
	return z;
}

static struct gf product(struct gf a, struct gf b)
{
	struct table t = table_of(a);

	return times(&t, b);
}

static struct gf power(struct gf base, uint32_t n)
{
	struct gf r = { 1ull << 63, 0 };

	for (; n; n >>= 1) {
		if (n & 1)
			r = product(base, r);
		base = product(base, base);
	}
	return r;
}

/* a^(2^128 - 2): the product of a^(2^i) for i of 1 to 127. */
static struct gf inverse(struct gf a)
{
	struct gf r = { 1ull << 63, 0 };

	for (int i = 1; i < 128; i++) {
		a = product(a, a);
		r = product(r, a);
	}
	return r;
}

static struct gf absorb(const struct table *t, struct gf y, const uint8_t *p, size_t n)
{
	uint8_t last[16] = { 0 };

	for (; n >= 16; n -= 16, p += 16)
		y = times(t, add(y, load(p)));
	if (n) {
		memcpy(last, p, n);
		y = times(t, add(y, load(last)));
	}
	return y;
}

/* GHASH of associated data, ciphertext and their lengths. */
static struct gf ghash(const struct table *t, struct rd aad, struct rd text)
{
	struct gf y = absorb(t, (struct gf){ 0 }, aad.p, rd_left(&aad));

	y = absorb(t, y, text.p, rd_left(&text));
	return times(t, add(y, (struct gf){ rd_left(&aad) * 8, rd_left(&text) * 8 }));
}

static struct gf encrypt(const struct record_keys *k, const uint8_t block[16])
{
	uint8_t out[16];
	AES_KEY key;

	AES_set_encrypt_key(k->key, suite_cipher(k->suite->cipher)->key_len * 8, &key);
	AES_encrypt(block, out, &key);
	key_cleanse(&key, sizeof(key));
	return load(out);
}

static void decrypt(const struct record_keys *k, struct gf block, uint8_t out[16])
{
	uint8_t in[16];
	AES_KEY key;

	put_be64(in, block.hi);
	put_be64(in + 8, block.lo);
	AES_set_decrypt_key(k->key, suite_cipher(k->suite->cipher)->key_len * 8, &key);
	AES_decrypt(in, out, &key);
	key_cleanse(&key, sizeof(key));
}

static enum verdict solve_13(const struct record_keys *k, const struct table *t,
	const uint8_t hdr[5], struct rd body, uint64_t *seq)
{
	bool bare = k->version >= 0x7f00 && k->version < 0x7f19; /* drafts without AAD */
	const uint8_t *tag = body.end - 16;
	uint8_t j0[16];

	body.end = tag;
	decrypt(k, add(load(tag), ghash(t, rd_init(hdr, bare ? 0 : 5), body)), j0);
	if (memcmp(j0, k->iv, 4) != 0 || get_be32(j0 + 12) != 1)
		return V_TAG;
	*seq = get_be64(j0 + 4) ^ get_be64(k->iv + 4);
	return V_OK;
}

/* The associated data is one block, the first of n that GHASH takes in: it counts times H^n. */
static enum verdict solve_12(const struct record_keys *k, const struct table *t,
	const uint8_t hdr[5], struct rd body, uint64_t *seq)
{
	const uint8_t *wire = body.p, *tag = body.end - 16;
	uint8_t nonce[16], zero[13] = { 0 }, block[16];
	struct gf left;
	uint32_t n;

	memcpy(nonce, k->iv, 4);
	memcpy(nonce + 4, wire, 8);
	put_be32(nonce + 12, 1);
	body = rd_init(wire + 8, (size_t)(tag - wire) - 8);
	n = (uint32_t)(rd_left(&body) + 15) / 16 + 2;
	left = add(add(load(tag), encrypt(k, nonce)), ghash(t, rd_init(zero, 13), body));
	left = product(left, power(inverse(t->m[8]), n));
	put_be64(block, left.hi);
	put_be64(block + 8, left.lo);
	if (memcmp(block + 8, hdr, 3) != 0 || get_be16(block + 11) != rd_left(&body) ||
		get_be24(block + 13))
		return V_TAG;
	*seq = left.hi;
	return V_OK;
}

enum verdict number_solve(const struct record_keys *k, const uint8_t hdr[5], const uint8_t *body,
	size_t len, uint64_t *seq)
{
	static const uint8_t zero[16];
	enum cipher_alg alg = k->suite->cipher;
	struct table t;
	enum verdict v;

	if (alg != CIPHER_AES_128_GCM && alg != CIPHER_AES_256_GCM)
		return V_SUITE;
	if (len < 16 + 8)
		return V_TAG;
	t = table_of(encrypt(k, zero));
	if (version_is_13(k->version))
		v = solve_13(k, &t, hdr, rd_init(body, len), seq);
	else
		v = solve_12(k, &t, hdr, rd_init(body, len), seq);
	key_cleanse(&t, sizeof(t));
	return v;
}
