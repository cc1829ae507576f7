/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/provider.h>

#include "unit.h"

#include "base/bytes.h"
#include "tls/opener.h"

/*
 * The other side of the opener: seals records of every version and cipher, written from the RFCs
 * with OpenSSL's one-shot EVP calls and a bitwise GHASH; it shares no code with what it tests.
 */
struct sealer {
	struct record_keys keys;
	const struct cipher *cipher;
	EVP_CIPHER *evp;
	EVP_CIPHER_CTX *ctx; /* RC4 runs on */
	uint8_t iv[16];      /* chained, or explicit */
	size_t tail;         /* zeros after the inner type (TLS 1.3), more bytes of padding (CBC) */
};

/* Made once and kept: loading the providers takes longer than most tests. */
static inline OSSL_LIB_CTX *seal_lib(void)
{
	static OSSL_LIB_CTX *lib;
	static OSSL_PROVIDER *provider[2];

	if (!lib) {
		lib = OSSL_LIB_CTX_new();
		provider[0] = OSSL_PROVIDER_load(lib, "default");
		provider[1] = OSSL_PROVIDER_load(lib, "legacy");
		ck_assert_ptr_nonnull(provider[0]);
	}
	return lib;
}

static inline void sealer_init(struct sealer *s, const struct record_keys *keys)
{
	const char *name;

	*s = (struct sealer){ .keys = *keys, .cipher = suite_cipher(keys->suite->cipher) };
	name = keys->suite->cipher == CIPHER_CAMELLIA_128_GCM  ? "CAMELLIA-128-ECB" :
		keys->suite->cipher == CIPHER_CAMELLIA_256_GCM ? "CAMELLIA-256-ECB" :
								 s->cipher->evp;
	s->evp = name ? EVP_CIPHER_fetch(seal_lib(), name, NULL) : NULL;
	s->ctx = EVP_CIPHER_CTX_new();
	memcpy(s->iv, keys->iv, 16);
	if (s->cipher->mode == MODE_STREAM)
		EVP_EncryptInit_ex2(s->ctx, s->evp, keys->key, NULL, NULL);
}

static inline void sealer_fini(struct sealer *s)
{
	EVP_CIPHER_CTX_free(s->ctx);
	EVP_CIPHER_free(s->evp);
}

static inline const EVP_MD *seal_md(enum md_alg alg)
{
	return alg == MD_MD5     ? EVP_md5() :
		alg == MD_SHA1   ? EVP_sha1() :
		alg == MD_SHA256 ? EVP_sha256() :
				   EVP_sha384();
}

/* The MAC of p over n bytes; in SSL 3.0 by its own construction. @return its length. */
static inline size_t seal_mac(const struct sealer *s, uint64_t seq, const uint8_t *hdr,
	const uint8_t *p, size_t n, uint8_t *out)
{
	const EVP_MD *md = seal_md(s->keys.suite->mac);
	const size_t len = md_len(s->keys.suite->mac), pad = len == 16 ? 48 : 40;
	static uint8_t buf[RECORD_MAX + 256];
	struct wr w = wr_init(buf, sizeof(buf));
	uint8_t inner[20], fill[2][48];
	unsigned out_len;

	memset(fill[0], 0x36, 48);
	memset(fill[1], 0x5c, 48);
	if (s->keys.version == SSL3) {
		wr_bytes(&w, s->keys.mac, len);
		wr_bytes(&w, fill[0], pad);
	}
	wr_u32(&w, (uint32_t)(seq >> 32));
	wr_u32(&w, (uint32_t)seq);
	wr_bytes(&w, hdr, s->keys.version == SSL3 ? 1 : 3);
	wr_u16(&w, (uint16_t)n);
	wr_bytes(&w, p, n);
	ck_assert(!w.full);
	if (s->keys.version > SSL3) {
		HMAC(md, s->keys.mac, (int)len, buf, wr_len(&w, buf), out, &out_len);
		return len;
	}
	EVP_Digest(buf, wr_len(&w, buf), inner, NULL, md, NULL);
	w = wr_init(buf, sizeof(buf));
	wr_bytes(&w, s->keys.mac, len);
	wr_bytes(&w, fill[1], pad);
	wr_bytes(&w, inner, len);
	EVP_Digest(buf, wr_len(&w, buf), out, NULL, md, NULL);
	return len;
}

static inline size_t seal_cbc(struct sealer *s, uint64_t seq, const uint8_t *hdr,
	const uint8_t *text, size_t n, uint8_t *body)
{
	const size_t block = s->cipher->block_len, explicit = s->keys.version >= TLS11 ? block : 0;
	const bool etm = s->keys.etm && s->keys.version > SSL3;
	uint8_t *p = body + explicit;
	size_t pad;
	int out;

	memcpy(body, s->iv, explicit);
	memcpy(p, text, n);
	if (!etm)
		n += seal_mac(s, seq, hdr, text, n, p + n);
	pad = (block - (n + 1) % block) % block + s->tail;
	memset(p + n, (int)pad, pad + 1);
	if (s->keys.version == SSL3)
		memset(p + n, 0xee, pad);
	n += pad + 1;
	EVP_EncryptInit_ex2(s->ctx, s->evp, s->keys.key, s->iv, NULL);
	EVP_CIPHER_CTX_set_padding(s->ctx, 0);
	ck_assert_int_eq(EVP_EncryptUpdate(s->ctx, p, &out, p, (int)n), 1);
	ck_assert_int_eq(out, (int)n);
	memcpy(s->iv, p + n - block, block);
	n += explicit;
	if (etm)
		n += seal_mac(s, seq, hdr, body, n, body + n);
	return n;
}

/* x = x * h in GF(2^128), bit by bit (NIST SP 800-38D, 6.3). */
static inline void seal_gf_mul(uint8_t x[16], const uint8_t h[16])
{
	uint8_t z[16] = { 0 }, v[16];

	memcpy(v, h, 16);
	for (int i = 0; i < 128; i++) {
		uint8_t low = v[15] & 1;

		for (int j = 0; j < 16 && (x[i / 8] >> (7 - i % 8) & 1); j++)
			z[j] ^= v[j];
		for (int j = 15; j >= 0; j--)
			v[j] = (uint8_t)(v[j] >> 1 | (j ? v[j - 1] << 7 : 0));
		if (low)
			v[0] ^= 0xe1;
	}
	memcpy(x, z, 16);
}

static inline void seal_ghash(uint8_t x[16], const uint8_t h[16], const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		x[i % 16] ^= p[i];
		if (i % 16 == 15 || i + 1 == n)
			seal_gf_mul(x, h);
	}
}

/* GCM from a block cipher, for Camellia: key stream block by block, then the tag. */
static inline void seal_gcm_by_hand(const struct sealer *s, const uint8_t nonce[12],
	const uint8_t aad[13], size_t aad_len, uint8_t *p, size_t n)
{
	uint8_t h[16] = { 0 }, ctr[16] = { 0 }, ks[16], x[16] = { 0 }, lens[16] = { 0 };
	int out;

	EVP_EncryptInit_ex2(s->ctx, s->evp, s->keys.key, NULL, NULL);
	EVP_CIPHER_CTX_set_padding(s->ctx, 0);
	EVP_EncryptUpdate(s->ctx, h, &out, h, 16);
	memcpy(ctr, nonce, 12);
	for (size_t i = 0; i < n; i++) {
		if (i % 16 == 0) {
			put_be32(ctr + 12, (uint32_t)(i / 16 + 2));
			EVP_EncryptUpdate(s->ctx, ks, &out, ctr, 16);
		}
		p[i] ^= ks[i % 16];
	}
	seal_ghash(x, h, aad, aad_len);
	seal_ghash(x, h, p, n);
	put_be64(lens, aad_len * 8);
	put_be64(lens + 8, n * 8);
	seal_ghash(x, h, lens, 16);
	put_be32(ctr + 12, 1);
	EVP_EncryptUpdate(s->ctx, ks, &out, ctr, 16);
	for (int i = 0; i < 16; i++)
		p[n + i] = x[i] ^ ks[i];
}

static inline void seal_message(const struct sealer *s, const uint8_t nonce[12],
	const uint8_t aad[13], size_t aad_len, uint8_t *p, size_t n)
{
	const int tag = s->cipher->tag_len;
	int out;

	if (s->cipher->evp == NULL) {
		seal_gcm_by_hand(s, nonce, aad, aad_len, p, n);
		return;
	}
	EVP_EncryptInit_ex2(s->ctx, s->evp, NULL, NULL, NULL);
	EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL);
	if (s->cipher->mode == MODE_CCM)
		EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_TAG, tag, NULL);
	EVP_EncryptInit_ex2(s->ctx, NULL, s->keys.key, nonce, NULL);
	if (s->cipher->mode == MODE_CCM)
		EVP_EncryptUpdate(s->ctx, NULL, &out, NULL, (int)n);
	if (aad_len)
		EVP_EncryptUpdate(s->ctx, NULL, &out, aad, (int)aad_len);
	ck_assert_int_eq(EVP_EncryptUpdate(s->ctx, p, &out, p, (int)n), 1);
	EVP_EncryptFinal_ex(s->ctx, p + n, &out);
	ck_assert_int_eq(EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_GET_TAG, tag, p + n), 1);
}

static inline size_t seal_aead(struct sealer *s, uint64_t seq, const uint8_t *hdr,
	const uint8_t *text, size_t n, uint8_t *body)
{
	const bool is_13 = version_is_13(s->keys.version), bare = s->keys.version == 0x7f17;
	const size_t explicit = is_13 || s->cipher->mode == MODE_CHACHA ? 0 : 8;
	uint8_t nonce[12], aad[13], number[8];

	put_be64(number, seq);
	memcpy(body + explicit, text, n);
	if (is_13) {
		body[n] = hdr[0];
		memset(body + n + 1, 0, s->tail);
		n += 1 + s->tail;
	}
	memcpy(nonce, s->keys.iv, 12);
	for (int i = 0; i < 8 && !explicit; i++)
		nonce[4 + i] ^= number[i];
	if (explicit) { /* any nonce that is not the record number will do */
		put_be64(body, seq * 0x9e3779b97f4a7c15ull);
		memcpy(nonce + 4, body, 8);
	}
	memcpy(aad, number, 8);
	memcpy(aad + 8, hdr, 3);
	put_be16(aad + 11, (uint16_t)n);
	if (is_13) {
		memcpy(aad, "\x17\x03\x03", 3);
		put_be16(aad + 3, (uint16_t)(n + s->cipher->tag_len));
	}
	seal_message(s, nonce, aad, bare ? 0 : is_13 ? 5 : 13, body + explicit, n);
	return explicit + n + s->cipher->tag_len;
}

/* One record with its header into rec. @return bytes of the body, which starts at rec + 5. */
static inline size_t seal(
	struct sealer *s, uint64_t seq, uint8_t type, const uint8_t *text, size_t n, uint8_t *rec)
{
	const bool is_13 = version_is_13(s->keys.version);
	uint8_t *body = rec + 5;
	int out;

	rec[0] = type;
	put_be16(rec + 1, is_13 ? TLS12 : s->keys.version);
	if (s->cipher->tag_len) {
		n = seal_aead(s, seq, rec, text, n, body);
		if (is_13)
			rec[0] = 23;
	} else if (s->cipher->mode == MODE_CBC) {
		n = seal_cbc(s, seq, rec, text, n, body);
	} else {
		memcpy(body, text, n);
		n += seal_mac(s, seq, rec, text, n, body + n);
		if (s->cipher->mode == MODE_STREAM)
			EVP_EncryptUpdate(s->ctx, body, &out, body, (int)n);
	}
	put_be16(rec + 3, (uint16_t)n);
	return n;
}
