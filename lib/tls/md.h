/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

/** Hash functions of TLS. */
enum md_alg { MD_NONE, MD_MD5, MD_SHA1, MD_SHA256, MD_SHA384, MD_COUNT };

#define MD_MAX 48    /* longest digest */
#define MD_BLOCK 128 /* longest block */

/**
 * A running hash on the stack. OpenSSL's EVP layer costs several times the hash itself for the
 * short inputs of a key schedule, and allocates; its low-level functions do neither.
 */
struct md {
	enum md_alg alg;
	union {
		MD5_CTX md5;
		SHA_CTX sha1;
		SHA256_CTX sha256;
		SHA512_CTX sha384;
	};
};

/** Bytes of a digest, of a block; 0 for MD_NONE. */
size_t md_len(enum md_alg alg);
size_t md_block(enum md_alg alg);

/** MD_NONE is a hash of no bytes: nothing is read, nothing is written. */
void md_init(struct md *m, enum md_alg alg);
void md_update(struct md *m, const void *data, size_t len);
/** @param out  md_len() bytes. The state is spent. */
void md_final(struct md *m, uint8_t *out);

/** HMAC (RFC 2104). After hmac_init() the struct may be copied to reuse the key. */
struct hmac {
	struct md inner;
	struct md outer;
};
void hmac_init(struct hmac *h, enum md_alg alg, const void *key, size_t len);
void hmac_update(struct hmac *h, const void *data, size_t len);
void hmac_final(struct hmac *h, uint8_t *out);
/** HMAC of one message; @p key is as after hmac_init(), and stays so. */
void hmac_once(const struct hmac *key, const void *data, size_t len, uint8_t *out);
