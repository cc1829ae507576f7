/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "keybus/uri.h"

/** Files that let us in; each may be NULL. */
struct access_cfg {
	const char *ca;            /* PEM: who may have signed the server; NULL: the system's */
	const char *cert;          /* PEM: our certificate and its chain */
	const char *key;           /* PEM: its private key, no passphrase */
	const char *password_file; /* its first line; NULL: the next */
	const char *password;      /* NULL: CLEARTAP_REDIS_PASSWORD, if set */
};

/** What all connections of a process share: the password and the TLS settings. */
struct access {
	OSSL_LIB_CTX *lib; /* our own: the host's configuration and providers are not ours */
	SSL_CTX *tls;      /* NULL: no server needs it */
	char password[512];
	bool has_password;
};

/**
 * Read the files.
 * @param tls  A server will be spoken to over TLS.
 * @param why  On failure: what, and what to do; no secret.
 * @return 0 or -errno.
 */
int access_new(
	struct access **out, const struct access_cfg *cfg, bool tls, char *why, size_t why_size);

/** Cleanses the password. */
void access_free(struct access *a);
