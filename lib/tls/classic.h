/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/md.h"
#include "tls/opener.h"

/** RC4 in a quarter of the memory of RC4_KEY, which would be the largest state of an opener. */
struct rc4 {
	uint8_t s[256];
	uint8_t i, j;
};

/** Inside of the opener: one direction under a cipher with a MAC of its own. Secret. */
struct classic {
	EVP_CIPHER_CTX *evp;
	const struct cipher *cipher;
	uint16_t version;
	bool etm;
	uint8_t mac_len;
	enum md_alg mac;
	uint8_t mac_key[MD_MAX]; /* two blocks to hash for a record, and not 448 bytes of state */
	uint8_t iv[16];          /* of the next record where IVs are chained */
	struct rc4 stream;
};

/** Is a cipher of OpenSSL not needed for this one: no cipher at all, or RC4? */
bool classic_alone(enum cipher_alg alg);

/**
 * Set keys.
 * @param evp     Borrowed while the keys are in use; NULL if the cipher is alone.
 * @param cipher  OpenSSL's cipher; NULL if it has none.
 * @return V_OK, or V_SUITE: nobody opens this cipher, or not in this version.
 */
enum verdict classic_key(
	struct classic *c, EVP_CIPHER_CTX *evp, EVP_CIPHER *cipher, const struct record_keys *keys);

/** Key stream of RC4 that is not used. */
void classic_skip(struct classic *c, size_t n);

/** Forget the keys, after any outcome of classic_key(). */
void classic_wipe(struct classic *c);

/**
 * Open one record. After an error a chained IV and a key stream are as before.
 * @return V_OK, V_MAC or V_PADDING.
 */
enum verdict classic_open(struct classic *c, const struct opener_record *r, size_t *out_len);
