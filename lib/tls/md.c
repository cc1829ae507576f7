/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes and HMAC on the stack, for the key schedule and for record MACs: inputs of a few blocks,
 * where EVP's set-up and allocation would cost more than the hashing.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* the low-level functions are the point, see md.h */
#include "tls/md.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/keytab.h"

size_t md_len(enum md_alg alg)
{
	static const uint8_t len[MD_COUNT] = { 0, 16, 20, 32, 48 };

	return len[alg];
}

size_t md_block(enum md_alg alg)
{
	static const uint8_t block[MD_COUNT] = { 0, 64, 64, 64, 128 };

	return block[alg];
}

void md_init(struct md *m, enum md_alg alg)
{
	m->alg = alg;
	switch (alg) {
	case MD_MD5:
		MD5_Init(&m->md5);
		break;
	case MD_SHA1:
		SHA1_Init(&m->sha1);
		break;
	case MD_SHA256:
		SHA256_Init(&m->sha256);
		break;
	case MD_SHA384:
		SHA384_Init(&m->sha384);
		break;
	default:
		break;
	}
}

void md_update(struct md *m, const void *data, size_t len)
{
	switch (m->alg) {
	case MD_MD5:
		MD5_Update(&m->md5, data, len);
		break;
	case MD_SHA1:
		SHA1_Update(&m->sha1, data, len);
		break;
	case MD_SHA256:
		SHA256_Update(&m->sha256, data, len);
		break;
	case MD_SHA384:
		SHA384_Update(&m->sha384, data, len);
		break;
	default:
		break;
	}
}

void md_final(struct md *m, uint8_t *out)
{
	switch (m->alg) {
	case MD_MD5:
		MD5_Final(out, &m->md5);
		break;
	case MD_SHA1:
		SHA1_Final(out, &m->sha1);
		break;
	case MD_SHA256:
		SHA256_Final(out, &m->sha256);
		break;
	case MD_SHA384:
		SHA384_Final(out, &m->sha384);
		break;
	default:
		break;
	}
}

void hmac_init(struct hmac *h, enum md_alg alg, const void *key, size_t len)
{
	uint8_t pad[MD_BLOCK] = { 0 };
	size_t block = md_block(alg);

	md_init(&h->inner, alg);
	h->outer = h->inner;
	if (len > block) {
		struct md m = h->inner;

		md_update(&m, key, len);
		md_final(&m, pad);
	} else if (len) {
		memcpy(pad, key, len);
	}
	for (size_t i = 0; i < block; i++)
		pad[i] ^= 0x36;
	md_update(&h->inner, pad, block);
	for (size_t i = 0; i < block; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	md_update(&h->outer, pad, block);
	OPENSSL_cleanse(pad, block);
}

void hmac_update(struct hmac *h, const void *data, size_t len)
{
	md_update(&h->inner, data, len);
}

void hmac_final(struct hmac *h, uint8_t *out)
{
	uint8_t digest[MD_MAX];

	md_final(&h->inner, digest);
	md_update(&h->outer, digest, md_len(h->inner.alg));
	md_final(&h->outer, out);
}

/* Most that fits into a block with its padding. */
#define SHA256_LAST (SHA256_CBLOCK - 9)

/* The digest, where one block has been read and what is left is at most one more. */
static void sha256_last(const SHA256_CTX *first, const void *data, size_t len, uint8_t *out)
{
	uint8_t block[SHA256_CBLOCK] = { 0 };
	SHA256_CTX c;

	memcpy(c.h, first->h, sizeof(c.h));
	memcpy(block, data, len);
	block[len] = 0x80;
	put_be16(block + sizeof(block) - 2, (uint16_t)((SHA256_CBLOCK + len) * 8));
	SHA256_Transform(&c, block);
	for (int i = 0; i < 8; i++)
		put_be32(out + 4 * i, c.h[i]);
	key_cleanse(c.h, sizeof(c.h));
}

void hmac_once(const struct hmac *key, const void *data, size_t len, uint8_t *out)
{
	uint8_t digest[32];
	struct hmac h;

	if (key->inner.alg == MD_SHA256 && len <= SHA256_LAST) {
		sha256_last(&key->inner.sha256, data, len, digest);
		sha256_last(&key->outer.sha256, digest, sizeof(digest), out);
		key_cleanse(digest, sizeof(digest));
		return;
	}
	h = *key;
	hmac_update(&h, data, len);
	hmac_final(&h, out);
}
