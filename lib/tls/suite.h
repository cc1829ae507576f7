/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tls/md.h"

/** How a bulk cipher protects a record. */
enum cipher_mode { MODE_NULL, MODE_STREAM, MODE_CBC, MODE_GCM, MODE_CCM, MODE_CHACHA };

/** Bulk ciphers, from cipher.def. */
enum cipher_alg {
#define CIPHER(name, ...) CIPHER_##name,
#include "tls/cipher.def"
#undef CIPHER
	CIPHER_COUNT
};

struct cipher {
	const char *name; /* for people: "AES-128-CCM-8" */
	const char *evp;  /* the name OpenSSL fetches it by; NULL: it has none */
	enum cipher_mode mode;
	uint8_t key_len;    /* bytes */
	uint8_t iv_len;     /* CBC: block; AEAD: fixed part of the nonce (TLS 1.2) */
	uint8_t block_len;  /* CBC block; else 0 */
	uint8_t tag_len;    /* AEAD; else 0 */
	uint8_t export_len; /* secret key bytes of an export cipher; else 0 */
};

/** A cipher suite, from suite.def (IANA TLS Cipher Suites). */
struct suite {
	uint16_t id;
	const char *name; /* IANA: "TLS_AES_128_GCM_SHA256" */
	enum cipher_alg cipher;
	enum md_alg mac; /* MD_NONE for AEAD */
	enum md_alg prf; /* hash of the TLS 1.2 PRF, of the TLS 1.3 key schedule */
};

/** @return static; NULL for a suite this table does not know. */
const struct suite *suite_find(uint16_t id);

/** Static table, ascending by id; @p n set to its length. */
const struct suite *suite_table(uint32_t *n);

const struct cipher *suite_cipher(enum cipher_alg alg);
