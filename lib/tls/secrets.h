/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "tls/session.h"

/** Which traffic secret of a direction: its epoch, and how many KeyUpdates after the first. */
struct era {
	uint8_t epoch; /* enum epoch */
	uint16_t generation;
};

/**
 * Find a TLS 1.3 traffic secret.
 *
 * @param secret  Set on V_OK; as long as the suite's hash; the caller cleanses it.
 * @return V_OK, V_NO_KEY, V_NO_HELLO, V_SUITE.
 */
enum verdict secrets_traffic(struct tls_env *env, const struct session *s, enum tls_dir d,
	const struct era *era, uint8_t secret[48]);

/**
 * Find the master secret of a TLS <= 1.2 session: by ClientHello.random, and while its handshake is
 * under way also by the encrypted premaster secret, or by session id or ticket of an earlier
 * connection. What is found is remembered under the session id and ticket that the server gave out.
 *
 * @param master  48 bytes; the caller cleanses them.
 * @return V_OK, V_NO_KEY, V_NO_HELLO, V_SUITE.
 */
enum verdict secrets_master(struct tls_env *env, const struct session *s, uint8_t master[48]);

/**
 * The encrypted premaster secret of an RSA key exchange went by: decrypt it, if the environment can, and
 * keep it under its name (KEY_BY_EPMS) for secrets_master().
 *
 * @param in  The EncryptedPreMasterSecret (RFC 5246, 7.4.7.1), borrowed.
 */
void secrets_rsa(struct tls_env *env, const struct session *s, struct rd in);
