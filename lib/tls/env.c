/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory, openers and keys that the sessions of one worker share, carved out of one block. */
#include "tls/env.h"

#include "tls/handshake.h"
#include "tls/inflate.h"
#include "tls/negotiation.h"
#include "tls/session.h"

static void carve_pool(uint8_t *mem, size_t *at, struct pool *p, uint32_t max, size_t size)
{
	void *part = pool_carve(mem, at, pool_bytes(max, size));

	if (mem)
		pool_init(p, part, max, size);
}

/* The one place that knows what an environment consists of. @return bytes. */
static size_t layout(const struct tls_env_cfg *cfg, uint8_t *mem, struct tls_env *env)
{
	struct keytab_cfg resumed = { cfg->max_resumed, 0, cfg->seed };
	size_t at = 0;

	pool_carve(mem, &at, sizeof(*env));
	carve_pool(mem, &at, &env->sessions, cfg->max_sessions, sizeof(struct session));
	carve_pool(mem, &at, &env->macs, 2 * cfg->max_sessions,
		sizeof(((struct record_keys *)0)->mac));
	carve_pool(mem, &at, &env->handshakes, cfg->max_handshakes, sizeof(struct negotiation));
	carve_pool(mem, &at, &env->messages, cfg->max_handshakes, sizeof(struct handshake_buf));
	carve_pool(mem, &at, &env->buffers, cfg->max_buffers, RECORD_MAX);
	carve_pool(mem, &at, &env->inflaters, cfg->max_inflaters, sizeof(struct inflater));
	env->spent = pool_carve(mem, &at, cfg->max_sessions * sizeof(struct trial_spent));
	env->lease = pool_carve(mem, &at, cfg->max_openers * sizeof(struct lease));
	env->opener_mem = pool_carve(mem, &at, cfg->max_openers * opener_bytes(NULL));
	env->scratch = pool_carve(mem, &at, RECORD_MAX);
	env->inflated = pool_carve(mem, &at, INFLATE_MAX);
	env->openers = pool_carve(mem, &at, opener_env_bytes());
	env->resumed = pool_carve(mem, &at, keytab_bytes(&resumed));
	return at;
}

size_t tls_env_bytes(const struct tls_env_cfg *cfg)
{
	struct tls_env unused = { 0 };

	return layout(cfg, NULL, &unused);
}

/* What is not used is saved up for so long. */
#define TRIAL_SAVED_MS 256

void tls_env_clock(struct tls_env *env, uint64_t now_ns)
{
	uint32_t now_ms = (uint32_t)(now_ns >> 20), passed = now_ms - env->now_ms;

	env->now_s = (uint32_t)(now_ns / 1000000000);
	env->now_ms = now_ms;
	if (!env->cfg.trial_rate || !passed)
		return;
	passed = passed < TRIAL_SAVED_MS ? passed : TRIAL_SAVED_MS;
	env->trial_bytes += (uint64_t)passed * env->cfg.trial_rate;
	if (env->trial_bytes > (uint64_t)TRIAL_SAVED_MS * env->cfg.trial_rate)
		env->trial_bytes = (uint64_t)TRIAL_SAVED_MS * env->cfg.trial_rate;
}

struct tls_env *tls_env_init(void *mem, const struct tls_env_cfg *cfg, const struct keytab *keys)
{
	struct keytab_cfg resumed = { cfg->max_resumed, 0, cfg->seed };
	struct tls_env *env = mem;

	env->cfg = *cfg;
	env->keys = keys;
	env->trial_bytes = cfg->trial_rate ? 0 : UINT64_MAX;
	layout(cfg, mem, env);
	env->resumed = keytab_init(env->resumed, &resumed);
	env->openers = opener_env_init(env->openers, cfg->backend);
	if (!env->openers)
		return NULL;
	env->opener_stride = (uint32_t)opener_bytes(env->openers);
	return env;
}

void tls_env_fini(struct tls_env *env)
{
	for (uint32_t i = 0; i < env->cfg.max_openers; i++)
		if (env->lease[i].opener)
			opener_fini(env->lease[i].opener);
	opener_env_fini(env->openers);
	keytab_fini(env->resumed);
	key_cleanse(env->scratch, RECORD_MAX);
	key_cleanse(env->inflated, INFLATE_MAX);
	key_cleanse(env->buffers.mem, (size_t)env->buffers.fresh * env->buffers.size);
}

uint8_t *tls_env_buffer(struct tls_env *env, bool keyed)
{
	if (!keyed && env->buffers.used >= env->buffers.max - env->buffers.max / 4)
		return NULL;
	return pool_get(&env->buffers);
}

static bool is_free(const struct lease *l)
{
	return l->opener && !l->holder && !l->pinned;
}

static struct lease *lend(struct lease *l, const void *holder)
{
	l->holder = holder;
	l->used = true;
	return l;
}

struct lease *tls_env_lease(struct tls_env *env, const void *holder, uint32_t *hint, bool *fresh)
{
	uint32_t n = env->cfg.max_openers;

	*fresh = false;
	if (*hint < n && env->lease[*hint].holder == holder) {
		env->lease[*hint].used = true;
		return &env->lease[*hint];
	}
	*fresh = true;
	/* Its last one, for the next keys of the same direction. */
	if (*hint < n && is_free(&env->lease[*hint]))
		return lend(&env->lease[*hint], holder);
	for (uint32_t i = 0; i < 2 * n; i++) {
		uint32_t at = env->lease_hand;
		struct lease *l = &env->lease[at];

		env->lease_hand = at + 1 < n ? at + 1 : 0;
		if (l->pinned)
			continue;
		if (l->holder && l->used) { /* a second chance */
			l->used = false;
			continue;
		}
		if (!l->opener) /* once each: a short replay does not pay for what it never uses */
			l->opener = opener_init(
				env->opener_mem + (size_t)at * env->opener_stride, env->openers);
		*hint = at;
		tls_env_load(env, env->lease_hand); /* likely the next that is lent */
		return lend(l, holder);
	}
	return NULL;
}

void tls_env_release(struct tls_env *env, const void *holder, uint32_t hint)
{
	struct lease *l;

	if (hint >= env->cfg.max_openers)
		return;
	l = &env->lease[hint];
	if (l->holder == holder) {
		l->holder = NULL;
		tls_env_pin(env, l, false);
	}
}
