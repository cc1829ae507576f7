/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "unit.h"

#include "tls/env.h"
#include "tls/negotiation.h"
#include "tls/session.h"

/** An environment on the heap, with its key table: what the tests of one session's parts stand in. */
struct tlsenv {
	struct tls_env_cfg cfg;
	struct keytab *keys;
	struct tls_env *env;
	void *mem[2];
};

static inline void *tlsenv_zeros(size_t n)
{
	void *m = aligned_alloc(64, (n + 63) & ~(size_t)63);

	return memset(m, 0, n);
}

static inline struct tls_env_cfg tlsenv_cfg(void)
{
	return (struct tls_env_cfg){ .max_sessions = 2,
		.max_handshakes = 1,
		.max_buffers = 2,
		.max_openers = 2,
		.max_resumed = 64,
		.max_inflaters = 1,
		.seed = 7 };
}

static inline void tlsenv_init(struct tlsenv *t, const struct tls_env_cfg *cfg)
{
	const struct keytab_cfg keys = { .max_entries = 64, .seed = 7 };

	t->cfg = *cfg;
	t->mem[0] = tlsenv_zeros(keytab_bytes(&keys));
	t->mem[1] = tlsenv_zeros(tls_env_bytes(cfg));
	t->keys = keytab_init(t->mem[0], &keys);
	t->env = tls_env_init(t->mem[1], cfg, t->keys);
	ck_assert_ptr_nonnull(t->env);
}

static inline void tlsenv_fini(struct tlsenv *t)
{
	ck_assert_uint_eq(t->env->sessions.used, 0);
	ck_assert_uint_eq(t->env->handshakes.used, 0);
	ck_assert_uint_eq(t->env->messages.used, 0);
	tls_env_fini(t->env);
	keytab_fini(t->keys);
	free(t->mem[0]);
	free(t->mem[1]);
}

/** Put a secret of @p len bytes, the i-th of which is first + i, under an id of its kind's length. */
static inline void tlsenv_put(struct keytab *keys, enum key_label label, enum key_id kind,
	const void *id, uint8_t first, uint16_t len)
{
	struct keylog_line line = { .label = label,
		.id_kind = kind,
		.id_len = kind == KEY_BY_EPMS ? 8 : 32,
		.secret_len = len };

	memcpy(line.id, id, line.id_len);
	for (uint16_t i = 0; i < len; i++)
		line.secret[i] = (uint8_t)(first + i);
	ck_assert_int_eq(keytab_put(keys, &line, 0), V_OK);
}
