/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/crypto.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "keybus/b64url.h"
#include "keybus/hpke.h"

#define SEAL_PREFIX "sealed:v1:"
#define SEAL_INFO "cleartap key v1"
#define SEAL_ID_LEN 16
/** Longest that @p len bytes of text become, with the terminating 0. */
#define SEAL_SIZE(len)                                                                             \
	(sizeof(SEAL_PREFIX) + SEAL_ID_LEN + 1 + B64URL_LEN(HPKE_ENC_LEN + (len) + HPKE_TAG_LEN) + \
		21)

/**
 * Seals to a sensor's public key: `sealed:v1:<key id>:<base64url of enc || ciphertext>[.<s>]`, where
 * s is the HPKE sequence number if it is not 0. One encapsulation serves for many payloads: until
 * seal_renew(), 2^20 of them, or an hour.
 */
struct seal;

/**
 * @param lib   Kept until seal_free().
 * @param path  PEM file with an X25519 public key.
 * @param why   On failure: what, and what to do.
 * @return 0 or -errno.
 */
int seal_new(struct seal **out, OSSL_LIB_CTX *lib, const char *path, char *why, size_t why_size);
void seal_free(struct seal *s);

/** Forget the encapsulation: after a fork, two processes must not go on with the same one. */
void seal_renew(struct seal *s);

/** The same, if another thread may have been in the middle of it: nothing is freed. */
void seal_forget(struct seal *s);

/**
 * @param out  @p size bytes; SEAL_SIZE(@p len) is enough. Terminated.
 * @return length, or -errno.
 */
ssize_t seal_text(struct seal *s, const uint8_t client_random[32], struct hpke_bytes text,
	char *out, size_t size);

/** The name of a public key: the first 16 hexadecimal digits of its SHA-256. */
void seal_key_id(OSSL_LIB_CTX *lib, const uint8_t pk[32], char id[SEAL_ID_LEN + 1]);
