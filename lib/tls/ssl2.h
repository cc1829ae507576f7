/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "base/bytes.h"
#include "tls/handshake.h"

/** Bytes of the longest ClientHello that ssl2_hello() writes. */
#define SSL2_HELLO_MAX (4 + 2 + 32 + 1 + 32 + 2 + 2 * 1024 + 2)

/**
 * Rewrite a ClientHello in SSL 2.0 framing (RFC 5246, E.2) as the handshake message it stands for:
 * the challenge, padded on the left, is the random; suites of SSL 2.0 proper are left out.
 *
 * @param in       Holds the hello whole (sniff_at() said so); advanced behind it.
 * @param message  SSL2_HELLO_MAX bytes; @p msg points into it.
 * @return V_OK, V_SHORT, V_TLS_HANDSHAKE.
 */
enum verdict ssl2_hello(struct rd *in, uint8_t *message, struct handshake_msg *msg);
