/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define HPKE_ENC_LEN 32
#define HPKE_TAG_LEN 16

/**
 * RFC 9180, base mode, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM. OpenSSL 3.0
 * has the primitives but not the scheme. Zeroed, it may be freed.
 */
struct hpke {
	EVP_CIPHER_CTX *aead; /* holds the key */
	uint8_t base_nonce[12];
};

/** Bytes that a party binds the context to. */
struct hpke_bytes {
	const void *data;
	size_t len;
};

/**
 * SetupBaseS (section 5.1.1): encapsulate to a public key.
 * @param lib    OpenSSL's library context; NULL: the default one.
 * @param pk     32 bytes.
 * @param sk_e   The ephemeral private key, for test vectors; NULL: a fresh one.
 * @param enc    Out: the encapsulated key.
 * @return 0; -EINVAL for a public key of small order; -ENOMEM.
 */
int hpke_seal_setup(struct hpke *h, OSSL_LIB_CTX *lib, const uint8_t pk[32], struct hpke_bytes info,
	const uint8_t *sk_e, uint8_t enc[HPKE_ENC_LEN]);

/** SetupBaseR. @param sk  An X25519 private key. @return as hpke_seal_setup(). */
int hpke_open_setup(struct hpke *h, OSSL_LIB_CTX *lib, EVP_PKEY *sk, struct hpke_bytes info,
	const uint8_t enc[HPKE_ENC_LEN]);

/**
 * Seal message number @p seq; a number is used once.
 * @param out  pt.len + HPKE_TAG_LEN bytes.
 * @return 0 or -EIO.
 */
int hpke_seal(
	struct hpke *h, uint64_t seq, struct hpke_bytes aad, struct hpke_bytes pt, uint8_t *out);

/**
 * Open message number @p seq.
 * @param out  ct.len - HPKE_TAG_LEN bytes; cleansed if the tag does not match.
 * @return 0 or -EBADMSG.
 */
int hpke_open(
	struct hpke *h, uint64_t seq, struct hpke_bytes aad, struct hpke_bytes ct, uint8_t *out);

/**
 * Decipher without checking anything, to find in the text what it is bound to.
 * What comes out is not to be used before hpke_open() has been called with that.
 */
int hpke_peek(struct hpke *h, uint64_t seq, struct hpke_bytes ct, uint8_t *out);

/** Cleanses the key. */
void hpke_fini(struct hpke *h);
