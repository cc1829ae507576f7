/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tls/opener.h"

/** A secret before TLS 1.3, and what the PRF that it keys depends on. Borrowed. */
struct kdf_secret {
	uint16_t version;
	enum md_alg md; /* the suite's; only TLS 1.2 has a choice */
	struct rd bytes;
};

/** Randoms of ClientHello and ServerHello, 32 bytes each. Borrowed. */
struct kdf_randoms {
	const uint8_t *client;
	const uint8_t *server;
};

/** HKDF-Expand-Label (RFC 8446, section 7.1). @param context  May be empty. */
void kdf_expand_label(enum md_alg md, struct rd secret, const char *label, struct rd context,
	uint8_t *out, size_t out_len);

/** PRF of TLS 1.0/1.1 (RFC 2246, 5) and 1.2 (RFC 5246, 5); the seed is @p a followed by @p b. */
void kdf_prf(const struct kdf_secret *s, const char *label, struct rd a, struct rd b, uint8_t *out,
	size_t out_len);

/** Master secret from a premaster secret (SSL 3.0: RFC 6101, 6.1). @param out 48 bytes. */
void kdf_master(
	const struct kdf_secret *premaster, const struct kdf_randoms *randoms, uint8_t out[48]);

/** Extended master secret (RFC 7627). */
void kdf_master_ems(const struct kdf_secret *premaster, struct rd session_hash, uint8_t out[48]);

/**
 * Keys of both directions from the master secret (RFC 5246, 6.3; SSL 3.0; export suites).
 * @param out  [0] client write, [1] server write; suite, version and etm are filled in.
 */
void kdf_key_block(const struct suite *suite, uint16_t version, bool etm, const uint8_t master[48],
	const struct kdf_randoms *randoms, struct record_keys out[2]);

/** Keys of one direction from a traffic secret of TLS 1.3 (RFC 8446, 7.3), which may be out->secret. */
void kdf_traffic_keys(const struct suite *suite, uint16_t version, const uint8_t *secret,
	struct record_keys *out);

/** Of these only the key. */
void kdf_traffic_key(const struct suite *suite, const uint8_t *secret, uint8_t key[32]);

/** The next generation of a traffic secret, in place (RFC 8446, 7.2). */
void kdf_traffic_update(const struct suite *suite, uint8_t *secret);
