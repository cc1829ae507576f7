/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "keys/keytab.h"
#include "tls/opener.h"

struct lease;

struct tls_env_cfg {
	uint32_t max_sessions;
	uint32_t max_handshakes; /* handshakes under way at once */
	uint32_t max_buffers;    /* records in flight at once */
	uint32_t max_openers;    /* directions with expanded keys at once */
	uint32_t max_resumed;    /* sessions remembered for resumption without a key-log line */
	uint32_t max_inflaters;  /* directions with DEFLATE */
	uint32_t trial_rate;  /* bytes a millisecond for trials of record numbers; 0: no bound, */
	uint16_t trial_share; /* and KB a second for those of one connection */
	uint64_t seed;
	const char *backend; /* opener_env_init() */
};

/** What a connection spent on trials, in the second that it last did so. */
struct trial_spent {
	uint16_t kb;    /* each trial is one or more */
	uint8_t second; /* of packet time, modulo 256 */
};

/**
 * What the TLS sessions of one worker share: memory pools, openers, keys. A session owns nothing but
 * what it has taken from here.
 */
struct tls_env {
	struct tls_env_cfg cfg;
	struct pool sessions;   /* struct session */
	struct pool macs;       /* MAC keys, where a suite has a MAC of its own: one a direction */
	struct pool handshakes; /* struct negotiation */
	struct pool messages;   /* struct handshake_buf */
	struct pool buffers;    /* RECORD_MAX bytes */
	struct pool inflaters;  /* struct inflater */
	struct opener_env *openers;
	struct lease *lease; /* cfg.max_openers */
	uint8_t *opener_mem;
	uint32_t opener_stride;
	uint32_t lease_hand;
	uint32_t pinned;   /* leases that are */
	uint8_t *scratch;  /* RECORD_MAX bytes: plaintext of the record just opened */
	uint8_t *inflated; /* plaintext after DEFLATE */
	uint8_t *lent;     /* buffer that the last text lies in, or NULL */
	const struct keytab *keys;
	/** Decrypt an RSA premaster secret with a key the caller holds; NULL: it holds none. */
	bool (*decrypt)(void *arg, const uint8_t *in, size_t len, uint8_t premaster[48]);
	void *decrypt_arg;
	/** A connection's secrets are not in the table: said once for each. NULL: nobody cares. */
	void (*miss)(void *arg, const uint8_t client_random[32]);
	void *miss_arg;
	struct keytab *resumed;    /* master secrets of full handshakes by session id and ticket */
	uint32_t now_s;            /* packet time, for `resumed` */
	uint32_t now_ms;           /* packet time, wrapping */
	uint64_t trial_bytes;      /* what may still be read in trials */
	uint64_t trials_refused;   /* for lack of them */
	struct trial_spent *spent; /* by index of the session: few ever need it */
	bool printless; /* nobody shows JA3, JA4 and certificates: tls_meta goes without */
	bool late_keys; /* a direction whose key is missing waits for it, until forced */
};

/** Bytes for an environment of this configuration. */
size_t tls_env_bytes(const struct tls_env_cfg *cfg);

/**
 * @param mem   tls_env_bytes() bytes of zeros, aligned to 64, locked and left out of core dumps: keys
 *              and plaintext live here. Kept until tls_env_fini().
 * @param keys  The key table; kept until tls_env_fini().
 * @return NULL if cfg->backend is not in this build.
 */
struct tls_env *tls_env_init(void *mem, const struct tls_env_cfg *cfg, const struct keytab *keys);
void tls_env_fini(struct tls_env *env);

/**
 * Packet time goes on, and with it comes new work that may be spent on records whose number is not
 * known: who forges them gets no more than that, however many connections it opens, and of that no
 * more than a share with each of them.
 */
void tls_env_clock(struct tls_env *env, uint64_t now_ns);

static inline uint64_t trial_kb(
	const struct tls_env *env, const struct trial_spent *t, uint64_t bytes)
{
	return (bytes >> 10) + 1 + (t->second == (uint8_t)env->now_s ? t->kb : 0);
}

/** Are there so many bytes left, of all trials and of this connection's? */
static inline bool tls_env_affords(
	const struct tls_env *env, const struct trial_spent *t, uint64_t bytes)
{
	return env->trial_bytes >= bytes &&
		(!env->cfg.trial_rate || trial_kb(env, t, bytes) <= env->cfg.trial_share);
}

/** Spend @p bytes of that. @return false: there are not so many; the trial is refused. */
static inline bool tls_env_try(struct tls_env *env, struct trial_spent *t, uint64_t bytes)
{
	if (!tls_env_affords(env, t, bytes)) {
		env->trials_refused++;
		return false;
	}
	env->trial_bytes -= bytes;
	*t = (struct trial_spent){ (uint16_t)trial_kb(env, t, bytes), (uint8_t)env->now_s };
	return true;
}

/**
 * A buffer of RECORD_MAX bytes. Whose keys are known has a quarter of them for itself: the first bytes
 * of hellos are cheap.
 * @return NULL if there is none; the caller gives it back to env->buffers.
 */
uint8_t *tls_env_buffer(struct tls_env *env, bool keyed);

/**
 * An opener lent to one direction. Openers are large, directions are many: who used one longest ago
 * loses it and expands the keys again when the next record comes.
 */
struct lease {
	struct opener *opener; /* made when first lent */
	const void *holder;
	bool used;   /* since the hand last passed */
	bool pinned; /* a record is in flight, or a key stream runs on */
};

/**
 * The holder's opener, or one that has to be keyed.
 *
 * @param hint  Index of the lease that the holder had last; updated.
 * @param fresh Set to true if the opener holds no keys of this holder.
 * @return NULL if all are pinned.
 */
struct lease *tls_env_lease(struct tls_env *env, const void *holder, uint32_t *hint, bool *fresh);

/** Start loading the opener of a lease. */
static inline void tls_env_load(const struct tls_env *env, uint32_t at)
{
	const uint8_t *opener = env->opener_mem + (size_t)at * env->opener_stride;

	for (uint32_t i = 0; i < env->opener_stride; i += 64)
		__builtin_prefetch(opener + i);
}

/** Start loading a holder's opener. @return false: it has none, and will have to be lent one. */
static inline bool tls_env_prefetch(const struct tls_env *env, const void *holder, uint32_t hint)
{
	if (hint >= env->cfg.max_openers || env->lease[hint].holder != holder)
		return false;
	tls_env_load(env, hint);
	return true;
}

/** Keep a lease from being lent to another holder, or no longer. */
static inline void tls_env_pin(struct tls_env *env, struct lease *l, bool pin)
{
	env->pinned += (uint32_t)pin - (uint32_t)l->pinned;
	l->pinned = pin;
}

/** May a record in flight pin a lease? A quarter is left to those that are opened at once. */
static inline bool tls_env_may_pin(const struct tls_env *env)
{
	return env->pinned < (uint64_t)env->cfg.max_openers * 3 / 4;
}

/** The holder has new keys or is gone. */
void tls_env_release(struct tls_env *env, const void *holder, uint32_t hint);
