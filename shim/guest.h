/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>

#include <openssl/kdf.h>
#include <openssl/ssl.h>

#include "shim/settings.h"

/*
 * The shim is two libraries. libcleartap-shim.so is preloaded into everything that a service starts,
 * so it needs nothing but libc, and stands in front of a few functions of OpenSSL (real.def).
 * libcleartap-guest.so needs OpenSSL and hiredis; it is loaded when a process that has libssl.so.3
 * makes its first SSL_CTX, and does the work. This header is all that they know of each other.
 */

typedef void (*guest_msg_cb)(int, int, int, const void *, size_t, SSL *, void *);

/** What the guest gets from the preloaded part; kept for ever. */
struct guest_host {
	const char *const
		*values; /* SETTINGS of them, as the environment was when the process began */
	/* The functions behind those that are interposed. */
	__typeof__(SSL_CTX_set_keylog_callback) *set_keylog;
	__typeof__(SSL_CTX_callback_ctrl) *ctx_callback_ctrl;
};

/** What the preloaded part calls. Those that return false leave the call to OpenSSL. */
struct guest {
	/** Follow all connections of a context; a second time changes nothing. */
	int (*attach)(SSL_CTX *ctx);
	/** A key derivation of this thread is done. */
	void (*derived)(const uint8_t *out, size_t len, const OSSL_PARAM params[]);
	bool (*set_keylog)(SSL_CTX *ctx, SSL_CTX_keylog_cb_func cb);
	bool (*get_keylog)(const SSL_CTX *ctx, SSL_CTX_keylog_cb_func *cb);
	bool (*set_ctx_msg)(SSL_CTX *ctx, guest_msg_cb cb);
	bool (*set_msg)(SSL *ssl, guest_msg_cb cb);
	/** Is this thread on an errand of the guest's own? */
	bool (*busy)(void);
};

/**
 * Begin; called once a process.
 * @return NULL if there is nothing to do, or it cannot be done: CLEARTAP_DEBUG says why.
 */
const struct guest *guest_enter(const struct guest_host *host);
