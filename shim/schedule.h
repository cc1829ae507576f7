/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "tls/md.h"

/**
 * The transcript of a TLS 1.3 handshake and what is derived from it (RFC 8446, sections 4.4.1 and
 * 7.1). Holds no secret; may be copied.
 */
struct schedule {
	enum md_alg alg; /* MD_NONE: not agreed yet, so both hashes run */
	struct md sha256;
	struct md sha384;
};

/** Secrets of both directions; md_len(alg) bytes of each count. */
struct schedule_pair {
	uint8_t client[MD_MAX];
	uint8_t server[MD_MAX];
};

void schedule_init(struct schedule *s);

/** Append one handshake message, header included. */
void schedule_add(struct schedule *s, struct rd message);

/** The hash that the suite brings. @param alg  MD_SHA256 or MD_SHA384. */
void schedule_agree(struct schedule *s, enum md_alg alg);

/** Before HelloRetryRequest is added: message_hash takes the place of ClientHello. */
void schedule_retry(struct schedule *s);

/** "c hs traffic" and "s hs traffic"; the last message is ServerHello. */
void schedule_handshake(
	const struct schedule *s, const uint8_t *handshake_secret, struct schedule_pair *out);

/** "c ap traffic" and "s ap traffic"; the last message is the server's Finished. */
void schedule_application(
	const struct schedule *s, const uint8_t *handshake_secret, struct schedule_pair *out);
