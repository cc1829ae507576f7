/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/ssl.h>

/**
 * Follow the connections of a context: their secrets go to the key cache that the environment names
 * (CLEARTAP_REDIS and others, as they were when the process began; see cleartap-shim(7)).
 *
 * Needed only where SSL_CTX_new() was not reached through the shim. Call it before a message callback
 * is set, and before the first SSL_new(). Link with -lcleartap-shim before -lssl and -lcrypto, or the
 * secrets of TLS 1.3 come after the server's first flight instead of before it.
 *
 * @return 0, also if it is followed already; -ENOENT: the environment asks for nothing, or the shim
 *         could not do it (CLEARTAP_DEBUG says why); -ENOMEM.
 *
 * Context: any thread.
 */
int cleartap_shim_attach(SSL_CTX *ctx);
