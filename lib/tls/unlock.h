/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "tls/session.h"

/**
 * Have keys for the protected record at hand.
 *
 * @return V_OK; V_MORE: not those of its epoch, but a candidate may open it: collect it whole; or a
 *         STAGE_REC verdict: why it cannot be opened.
 */
enum verdict unlock_ready(struct tls_env *env, struct session *s, enum tls_dir d);

/** The direction's opener with its present keys; NULL if all are lent out. */
struct opener *unlock_opener(struct tls_env *env, struct session *s, enum tls_dir d);

/**
 * Open the record at hand, whose body is in one piece, into env->scratch.
 *
 * @param body  dir->body_len bytes, borrowed, apart from env->scratch.
 * @return V_OK or a STAGE_REC verdict.
 */
enum verdict unlock_open(struct tls_env *env, struct session *s, enum tls_dir d,
	const uint8_t *body, size_t *len, uint8_t *type);
