/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tls/opener.h"

/** HKDF-Expand-Label (RFC 8446, section 7.1) with an empty or given context. */
void kdf_expand_label(enum md_alg md, const uint8_t *secret, size_t secret_len, const char *label,
	const uint8_t *context, size_t context_len, uint8_t *out, size_t out_len);

/** PRF of TLS 1.0/1.1 (RFC 2246, 5) and 1.2 (RFC 5246, 5); the seed is @p a followed by @p b. */
void kdf_prf(uint16_t version, enum md_alg md, const uint8_t *secret, size_t secret_len,
	const char *label, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
	uint8_t *out, size_t out_len);

/** Master secret from a premaster secret (SSL 3.0: RFC 6101, 6.1). @param out 48 bytes. */
void kdf_master(uint16_t version, enum md_alg md, const uint8_t *premaster, size_t len,
	const uint8_t client_random[32], const uint8_t server_random[32], uint8_t out[48]);

/** Extended master secret (RFC 7627). */
void kdf_master_ems(uint16_t version, enum md_alg md, const uint8_t *premaster, size_t len,
	const uint8_t *session_hash, size_t hash_len, uint8_t out[48]);

/**
 * Keys of both directions from the master secret (RFC 5246, 6.3; SSL 3.0; export suites).
 * @param out  [0] client write, [1] server write; suite, version and etm are filled in.
 */
void kdf_key_block(const struct suite *suite, uint16_t version, bool etm, const uint8_t master[48],
	const uint8_t client_random[32], const uint8_t server_random[32],
	struct record_keys out[2]);

/** Keys of one direction from a traffic secret of TLS 1.3 (RFC 8446, 7.3). */
void kdf_traffic_keys(const struct suite *suite, uint16_t version, const uint8_t *secret,
	struct record_keys *out);

/** The next generation of a traffic secret, in place (RFC 8446, 7.2). */
void kdf_traffic_update(const struct suite *suite, uint8_t *secret);
