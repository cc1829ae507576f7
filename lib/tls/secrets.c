/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From what a session knows of itself (randoms, session id, ticket, encrypted premaster) to the keys
 * of its records: look up, derive, cleanse.
 */
#include "tls/secrets.h"

#include <string.h>

#include "tls/kdf.h"
#include "tls/negotiation.h"

static struct key_name name_of(enum key_id kind, const uint8_t *id, size_t len)
{
	struct key_name name = { .id_len = (uint8_t)len, .kind = (uint8_t)kind };

	memcpy(name.id, id, len);
	return name;
}

static const struct key_secret *pick(const struct key_entry *e, enum tls_dir d, enum epoch epoch)
{
	switch (epoch) {
	case EPOCH_EARLY:
		return &e->client_early;
	case EPOCH_HANDSHAKE:
		return &e->handshake[d];
	default:
		return &e->traffic[d];
	}
}

enum verdict secrets_traffic(struct tls_env *env, const struct session *s, enum tls_dir d,
	const struct era *era, uint8_t secret[48])
{
	struct key_name name =
		name_of(s->by_tuple ? KEY_BY_TUPLE : KEY_BY_RANDOM, s->client_random, 32);
	const struct suite *suite = session_suite(s);
	const struct key_secret *found;
	struct key_entry e;
	enum verdict v = V_NO_KEY;

	if (!suite)
		return V_SUITE;
	if (!s->has_random)
		return V_NO_HELLO;
	name.generation = era->generation;
	if (keytab_get(env->keys, &name, &e) == V_OK) {
		found = pick(&e, d, (enum epoch)era->epoch);
		if (found->len && found->len == md_len(suite->prf)) {
			memcpy(secret, found->data, found->len);
			v = V_OK;
		}
		key_cleanse(&e, sizeof(e));
	}
	return v;
}

/* The session hash so far; a copy of the running hashes is closed. @return its length. */
static size_t session_hash(const struct session *s, const struct transcript *t, uint8_t *out)
{
	struct md md = t->md[0];
	size_t n = md_len(md.alg);

	md_final(&md, out);
	if (s->version >= TLS12)
		return n;
	md = t->md[1];
	md_final(&md, out + n);
	return n + md_len(md.alg);
}

static bool from_premaster(const struct session *s, const struct key_entry *e, uint8_t master[48])
{
	const struct negotiation *neg = s->neg;
	const struct kdf_secret premaster = { s->version, session_suite(s)->prf,
		rd_init(e->premaster, e->premaster_len) };
	uint8_t hash[2 * MD_MAX];

	if (!neg || (neg->ems && !neg->transcript.closed))
		return false;
	if (neg->ems)
		kdf_master_ems(
			&premaster, rd_init(hash, session_hash(s, &neg->transcript, hash)), master);
	else
		kdf_master(&premaster,
			&(struct kdf_randoms){ s->client_random, neg->server_random }, master);
	return true;
}

/* The master secret under one name, or made of the premaster secret there. */
static bool take(const struct session *s, const struct keytab *t, const struct key_name *name,
	uint8_t master[48])
{
	struct key_entry e;
	bool found = false;

	if (!name->id_len || keytab_get(t, name, &e) != V_OK)
		return false;
	if (e.master.len == 48) {
		memcpy(master, e.master.data, 48);
		found = true;
	} else if (e.premaster_len) {
		found = from_premaster(s, &e, master);
	}
	key_cleanse(&e, sizeof(e));
	return found;
}

static bool same_session_id(const struct negotiation *neg)
{
	return neg->server_session_len == neg->client_session_len &&
		!memcmp(neg->server_session_id, neg->client_session_id, neg->server_session_len);
}

/* By what only the handshake under way tells. */
static bool search(struct tls_env *env, const struct session *s, uint8_t master[48])
{
	const struct negotiation *neg = s->neg;
	struct key_name epms = name_of(KEY_BY_EPMS, neg->epms, neg->has_epms ? 8 : 0);
	struct key_name id =
		name_of(KEY_BY_SESSION_ID, neg->server_session_id, neg->server_session_len);
	struct key_name ticket = name_of(KEY_BY_TICKET, neg->ticket, neg->has_ticket ? 32 : 0);

	return take(s, env->keys, &epms, master) || take(s, env->resumed, &epms, master) ||
		take(s, env->keys, &id, master) ||
		(same_session_id(neg) && take(s, env->resumed, &id, master)) ||
		(!neg->hello_done && take(s, env->resumed, &ticket, master));
}

/* The version in a premaster secret is the one the client offered; only its length is certain. */
void secrets_rsa(struct tls_env *env, const struct session *s, struct rd in)
{
	struct keylog_line line = {
		.label = KEY_PREMASTER, .id_kind = KEY_BY_EPMS, .id_len = 8, .secret_len = 48
	};

	if (!env->decrypt || s->withheld || rd_left(&in) < 8)
		return;
	memcpy(line.id, in.p, 8);
	if (env->decrypt(env->decrypt_arg, in.p, rd_left(&in), line.secret))
		keytab_put(env->resumed, &line, env->now_s);
	key_cleanse(&line, sizeof(line));
}

static void remember(struct tls_env *env, struct key_name name, const uint8_t master[48])
{
	struct keylog_line line = { .label = KEY_MASTER,
		.id_kind = (enum key_id)name.kind,
		.id_len = name.id_len,
		.secret_len = 48 };

	memcpy(line.id, name.id, sizeof(line.id));
	memcpy(line.secret, master, 48);
	keytab_put(env->resumed, &line, env->now_s);
	key_cleanse(&line, sizeof(line));
}

/* A later connection may resume this one without a line of its own in the key log. */
static void remember_all(
	struct tls_env *env, const struct negotiation *neg, const uint8_t master[48])
{
	if (neg->server_session_len)
		remember(env,
			name_of(KEY_BY_SESSION_ID, neg->server_session_id, neg->server_session_len),
			master);
	if (neg->has_new_ticket)
		remember(env, name_of(KEY_BY_TICKET, neg->new_ticket, 32), master);
}

enum verdict secrets_master(struct tls_env *env, const struct session *s, uint8_t master[48])
{
	struct key_name random = name_of(KEY_BY_RANDOM, s->client_random, 32);

	if (!session_suite(s))
		return V_SUITE;
	if (!s->has_random)
		return V_NO_HELLO;
	if (!take(s, env->keys, &random, master) && (!s->neg || !search(env, s, master)))
		return V_NO_KEY;
	if (s->neg)
		remember_all(env, s->neg, master);
	return V_OK;
}
