/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "tls/session.h"

/*
 * Keys of a direction, as a session keeps them: half of struct record_keys, which is made from it again
 * whenever an opener is lent.
 */

/** Keep @p k, of TLS 1.3 with its secret, as the keys of a direction. */
void material_put(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct record_keys *k);

/** The keys of a direction that are known. @param out  Set; the caller cleanses it. */
void material_get(const struct tls_env *env, const struct session *s, enum tls_dir d,
	struct record_keys *out);

/** A direction's keys, if known, are no longer, and are cleansed. */
void material_drop(struct tls_env *env, struct session *s, enum tls_dir d);
