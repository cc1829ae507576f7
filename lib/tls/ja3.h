/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "base/bytes.h"
#include "tls/hello.h"

/** Room for the hexadecimal MD5 of a JA3 text, with its terminating 0. */
#define JA3_HASH_SIZE 33

/**
 * JA3 text of a client: version, suites, extensions, groups and point formats as they stand in the
 * ClientHello, decimal; '-' between values, ',' between fields; GREASE left out.
 *
 * @param text  Not terminated. If it does not fit, text->full is set and what was written is no
 *              fingerprint.
 *
 * Context: any; no allocation.
 */
void ja3_client(const struct client_hello *h, struct wr *text);

/** JA3S text of a server: version, suite, extensions; otherwise as ja3_client(). */
void ja3_server(const struct server_hello *h, struct wr *text);

/** The MD5 by which a JA3 or JA3S text of @p len bytes is known. */
void ja3_hash(const void *text, size_t len, char out[JA3_HASH_SIZE]);
