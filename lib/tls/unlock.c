/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys for the record at hand. Usually they are those of the record before it. TLS 1.3 does not say on
 * the wire when its keys change: where the next epoch may have begun unseen (0-RTT without its secret,
 * handshake secrets unknown) the record is tried with each candidate at number 0. After a hole neither
 * number nor epoch are known: the number is computed where it can be, and looked for where it cannot;
 * in both cases it counts only when the record's tag has matched under it.
 */
#include "tls/unlock.h"

#include "tls/chain.h"
#include "tls/kdf.h"
#include "tls/material.h"
#include "tls/number.h"
#include "tls/secrets.h"

/* Records tried in vain with every candidate before a direction is no longer tried. */
#define TRIALS_MAX 256
/* And before a session that was taken up in the middle is, if no suite opens it. */
#define SUITE_TRIALS 8

/* Keys of TLS <= 1.2 once the master secret is known. */
static enum verdict block_keys(struct tls_env *env, struct session *s, enum tls_dir d)
{
	const struct kdf_randoms randoms = { s->client_random, s->material[d].server_random };
	struct record_keys both[2];
	uint8_t master[48];

	TRY(secrets_master(env, s, master));
	kdf_key_block(session_suite(s), s->version, s->etm, master, &randoms, both);
	if (s->dir[d].adrift &&
		chain_is_iv(s, &s->dir[d])) /* the key block's is another record's */
		memcpy(both[d].iv, s->material[d].iv, sizeof(both[d].iv));
	material_put(env, s, d, &both[d]);
	key_cleanse(both, sizeof(both));
	key_cleanse(master, sizeof(master));
	return V_OK;
}

static enum verdict look_up(struct tls_env *env, struct session *s, enum tls_dir d)
{
	const struct era era = { s->dir[d].epoch, s->dir[d].generation };
	struct record_keys keys;
	uint8_t secret[48];

	if (!version_is_13(s->version))
		return block_keys(env, s, d);
	TRY(secrets_traffic(env, s, d, &era, secret));
	kdf_traffic_keys(session_suite(s), s->version, secret, &keys);
	key_cleanse(secret, sizeof(secret));
	material_put(env, s, d, &keys);
	key_cleanse(&keys, sizeof(keys));
	return V_OK;
}

/* Epochs in order, the second generation of the last among them: a key log may know only that. */
#define EPOCHS_END (EPOCH_DATA + 2)

static struct era era_at(int e)
{
	return (struct era){ (uint8_t)(e > EPOCH_DATA ? EPOCH_DATA : e), e > EPOCH_DATA };
}

/* Is there a key of a later epoch, which a record may turn out to be protected by? */
static bool has_candidates(struct tls_env *env, const struct session *s, enum tls_dir d)
{
	const struct session_dir *dir = &s->dir[d];
	uint8_t secret[48];
	bool found = false;

	if (!version_is_13(s->version) || dir->opened || dir->trials >= TRIALS_MAX)
		return false;
	for (int e = dir->epoch + 1; e < EPOCHS_END && !found; e++) {
		const struct era era = era_at(e);

		found = secrets_traffic(env, s, d, &era, secret) == V_OK;
	}
	key_cleanse(secret, sizeof(secret));
	return found;
}

/* The names of what is missing: only a candidate may open such a record. */
static bool is_candidate(const struct session_dir *dir)
{
	return dir->missing == V_EARLY_DATA || dir->missing == V_HANDSHAKE_KEY;
}

/* Said once: whoever can find the secrets elsewhere has been asked then. */
static void miss(const struct tls_env *env, struct session *s)
{
	if (!s->missed && s->has_random && !s->by_tuple && env->miss)
		env->miss(env->miss_arg, s->client_random);
	s->missed = true;
}

static void find_keys(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];

	dir->tried = keytab_version(env->keys) + 1;
	dir->missing = (uint8_t)look_up(env, s, d);
	if (dir->missing == V_NO_KEY && has_candidates(env, s, d))
		dir->missing = dir->epoch == EPOCH_EARLY ? V_EARLY_DATA : V_HANDSHAKE_KEY;
	if (dir->missing == V_OK)
		s->keyed = true;
	else if (dir->missing == V_NO_KEY)
		miss(env, s);
}

enum verdict unlock_ready(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];
	const struct suite *suite;

	if (dir->known)
		return V_OK;
	if (s->withheld)
		return V_POLICY;
	if (!s->version || dir->epoch == EPOCH_CLEAR)
		return V_NO_HELLO;
	if (s->version >> 8 == 0x7f && s->version < 0x7f17)
		return V_VERSION;
	suite = session_suite(s);
	if (s->by_tuple && !suite)
		return dir->trials < SUITE_TRIALS ? V_MORE : V_NO_HELLO;
	if (!suite || !opener_backend(env->openers, suite->cipher))
		return V_SUITE;
	if (s->compression > 1)
		return V_COMPRESSION;
	if (dir->tried != keytab_version(env->keys) + 1)
		find_keys(env, s, d);
	if (is_candidate(dir) && dir->trials < TRIALS_MAX)
		return V_MORE;
	return (enum verdict)dir->missing;
}

/* Key an opener that was just lent to `holder`. */
static struct opener *key_opener(struct tls_env *env, struct lease *l, const void *holder,
	uint32_t hint, const struct record_keys *keys)
{
	tls_env_pin(env, l, opener_runs_on(keys));
	if (opener_key(l->opener, keys) == V_OK)
		return l->opener;
	tls_env_release(env, holder, hint);
	return NULL;
}

struct opener *unlock_opener(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];
	struct record_keys keys;
	struct opener *o;
	bool fresh;
	struct lease *l = tls_env_lease(env, dir, &dir->lease, &fresh);

	if (!l || !fresh)
		return l ? l->opener : NULL;
	material_get(env, s, d, &keys);
	o = key_opener(env, l, dir, dir->lease, &keys);
	key_cleanse(&keys, sizeof(keys));
	return o;
}

/* Bytes that may be decrypted in trials of record numbers for one record. */
#define SPAN_BYTES (4u << 20)
/* Record numbers tried where they cannot be computed. */
#define SPAN_MAX 1024u
/* KeyUpdates that a hole may have swallowed. */
#define GENERATIONS_AHEAD 4

static struct trial_spent *spent_by(const struct tls_env *env, const struct session *s)
{
	return &env->spent[pool_index(&env->sessions, s)];
}

/* The record at hand, and where it goes. */
struct attempt {
	struct trial_spent *spent;
	struct opener_record record; /* its number is a candidate's */
	size_t *len;
	uint8_t *type;
};

/* Keys that it may be sealed with, and the first number it can have under them. */
struct candidate {
	struct record_keys keys;
	struct era era;
	uint64_t seq;
	uint32_t span; /* numbers to try beginning with seq; 1: only that */
};

/* Most holes are shorter: so many numbers are sooner tried than one is computed. */
#define NEAR 3u
/* What a record costs beyond its bytes; the number is computed as slowly as so many are opened. */
#define TRIAL_HEAD 64u
#define SOLVE_COST 4u

static bool opens(struct tls_env *env, struct opener *o, const struct attempt *a, uint64_t seq)
{
	struct opener_record r = a->record;

	r.seq = seq;
	return tls_env_try(env, a->spent, r.len + TRIAL_HEAD) &&
		opener_open(o, &r, a->len, a->type) == V_OK;
}

static bool opens_within(
	struct tls_env *env, struct opener *o, const struct attempt *a, struct candidate *c)
{
	uint32_t most = SPAN_BYTES / ((uint32_t)a->record.len + TRIAL_HEAD);

	for (uint32_t n = NEAR; n < c->span && n < most; n++) {
		if (!tls_env_affords(env, a->spent, a->record.len + TRIAL_HEAD))
			most = 0; /* the next one is refused, and is the last */
		if (!opens(env, o, a, c->seq + n))
			continue;
		c->seq += n;
		return true;
	}
	return false;
}

/* The number is the next one, or can be computed, or is looked for nearby. */
static bool fits(struct tls_env *env, const struct attempt *a, struct candidate *c)
{
	uint32_t hint = POOL_NONE;
	bool fresh, found = false;
	struct lease *l = tls_env_lease(env, c, &hint, &fresh);
	struct opener *o = l ? key_opener(env, l, c, hint, &c->keys) : NULL;
	uint64_t seq;

	for (uint32_t n = 0; o && !found && n < NEAR && n < c->span; n++) {
		found = opens(env, o, a, c->seq + n);
		c->seq += found ? n : 0;
	}
	if (o && !found && c->span > 1 && tls_env_try(env, a->spent, a->record.len * SOLVE_COST)) {
		switch (number_solve(&c->keys, a->record.hdr, a->record.in, a->record.len, &seq)) {
		case V_OK:
			found = opens(env, o, a, seq);
			c->seq = seq;
			break;
		case V_SUITE:
			found = opens_within(env, o, a, c);
			break;
		default:
			break;
		}
	}
	tls_env_release(env, c, hint);
	return found;
}

static void adopt(struct tls_env *env, struct session *s, enum tls_dir d, const struct candidate *c,
	const struct attempt *a)
{
	struct session_dir *dir = &s->dir[d];

	tls_env_release(env, dir, dir->lease);
	material_put(env, s, d, &c->keys);
	chain_keep(env, s, dir, a->record.in, a->record.len);
	dir->epoch = c->era.epoch & 3;
	dir->generation = c->era.generation;
	dir->seq = c->seq;
	dir->trials = 0;
	dir->lost = dir->adrift = false;
	s->keyed = true;
}

/* The keys of an era, if its secret is there. */
static bool expand(
	struct tls_env *env, const struct session *s, enum tls_dir d, struct candidate *c)
{
	uint8_t secret[48];

	if (secrets_traffic(env, s, d, &c->era, secret) != V_OK)
		return false;
	kdf_traffic_keys(session_suite(s), s->version, secret, &c->keys);
	key_cleanse(secret, sizeof(secret));
	return true;
}

/* The epochs that may have begun unseen. */
static bool later_epoch(struct tls_env *env, struct session *s, enum tls_dir d,
	const struct attempt *a, struct candidate *c)
{
	const struct session_dir *dir = &s->dir[d];

	for (int e = dir->epoch + 1; e < EPOCHS_END; e++) {
		c->era = era_at(e);
		c->seq = 0;
		c->span = dir->lost ? SPAN_MAX : dir->adrift ? (uint32_t)dir->seq + 1 : 1;
		if (expand(env, s, d, c) && fits(env, a, c))
			return true;
	}
	return false;
}

/* The present keys, at another number. */
static void present(
	const struct tls_env *env, const struct session *s, enum tls_dir d, struct candidate *c)
{
	const struct session_dir *dir = &s->dir[d];

	material_get(env, s, d, &c->keys);
	c->era = (struct era){ dir->epoch, dir->generation };
	c->seq = dir->seq;
	c->span = SPAN_MAX;
}

/* The generations that KeyUpdates in a hole may have brought. */
static bool later_generation(struct tls_env *env, const struct session *s, enum tls_dir d,
	const struct attempt *a, struct candidate *c)
{
	present(env, s, d, c);
	for (int i = 0; i < GENERATIONS_AHEAD; i++) {
		const struct suite *suite = c->keys.suite;

		c->era.generation++;
		c->seq = 0;
		kdf_traffic_update(suite, c->keys.secret);
		kdf_traffic_keys(suite, s->version, c->keys.secret, &c->keys);
		if (fits(env, a, c))
			return true;
	}
	return false;
}

/* A session taken up in the middle has any suite that its secret is long enough for. */
static bool any_suite(struct tls_env *env, struct session *s, enum tls_dir d,
	const struct attempt *a, struct candidate *c)
{
	for (uint16_t id = 0x1301; id <= 0x1305; id++) {
		const struct suite *suite = suite_find(id);

		s->suite_id = id;
		c->era = era_at(EPOCH_DATA);
		c->seq = 0;
		c->span = SPAN_MAX;
		if (suite && opener_backend(env->openers, suite->cipher) && expand(env, s, d, c) &&
			fits(env, a, c))
			return true;
	}
	s->suite_id = 0;
	return false;
}

static bool try_candidates(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct attempt *a)
{
	struct session_dir *dir = &s->dir[d];
	const bool again = dir->lost && dir->known, is_13 = version_is_13(s->version);
	struct candidate c;
	bool found = false;

	if (s->by_tuple && !session_suite(s)) {
		found = any_suite(env, s, d, a, &c);
	} else if (again) {
		present(env, s, d, &c);
		found = fits(env, a, &c);
	}
	if (!found && is_13 && dir->epoch < EPOCH_DATA)
		found = later_epoch(env, s, d, a, &c);
	else if (!found && is_13 && again)
		found = later_generation(env, s, d, a, &c);
	if (found)
		adopt(env, s, d, &c, a);
	else
		dir->trials++;
	key_cleanse(&c, sizeof(c));
	return found;
}

static uint32_t span_of_stream(uint32_t passed)
{
	return passed / 5 < SPAN_MAX ? passed / 5 : SPAN_MAX - 1;
}

/*
 * A key stream counts the bytes it covers. A hole tells how many are missing, but not how many headers
 * were among them: each would be one record more, and five bytes of key stream fewer.
 */
static enum verdict open_stream(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct attempt *a)
{
	struct session_dir *dir = &s->dir[d];
	uint32_t *passed = &s->material[d].passed;
	const bool lost = dir->lost;
	const uint32_t most = lost ? span_of_stream(*passed) : 0;
	struct opener *o = unlock_opener(env, s, d);
	size_t ahead = *passed - 5 * most, spent = 0;
	struct trial_spent *budget = lost || ahead ? spent_by(env, s) : NULL;
	enum verdict v = V_CUT;

	if (!o)
		return V_BUFFERS;
	if (*passed == UINT32_MAX || dir->trials >= TRIALS_MAX)
		return V_CUT;
	if (ahead && !tls_env_try(env, budget, ahead * SOLVE_COST))
		return V_CUT;
	opener_skip(o, ahead);
	*passed -= (uint32_t)ahead;
	for (uint32_t n = 0; n <= most; n++) {
		struct opener_record r = a->record;

		r.seq += n;
		r.skip = *passed - 5 * n;
		spent += r.skip + r.len + TRIAL_HEAD;
		if (lost &&
			(spent > SPAN_BYTES ||
				!tls_env_try(env, budget, r.skip + r.len + TRIAL_HEAD)))
			break;
		v = opener_open(o, &r, a->len, a->type);
		if (v != V_OK)
			continue;
		dir->seq = r.seq;
		*passed = dir->trials = 0;
		dir->lost = dir->adrift = false;
		return V_OK;
	}
	dir->trials += lost;
	return lost ? V_CUT : v;
}

/* Is a record to be tried? One that is refused outright costs nothing, and does not count as tried. */
static bool worth_trying(struct tls_env *env, const struct session *s,
	const struct session_dir *dir, struct attempt *a)
{
	if (dir->trials >= TRIALS_MAX ||
		!(dir->lost || (version_is_13(s->version) && dir->epoch < EPOCH_DATA)))
		return false;
	a->spent = spent_by(env, s);
	if (tls_env_affords(env, a->spent, dir->body_len + TRIAL_HEAD))
		return true;
	env->trials_refused++;
	return false;
}

enum verdict unlock_open(struct tls_env *env, struct session *s, enum tls_dir d,
	const uint8_t *body, size_t *len, uint8_t *type)
{
	struct session_dir *dir = &s->dir[d];
	struct attempt a = {
		.record = { dir->seq, dir->hdr, body, dir->body_len, env->scratch, 0 },
		.len = len,
		.type = type,
	};
	enum verdict v = V_TAG;

	if (dir->known && dir->runs_on)
		return open_stream(env, s, d, &a);
	if (dir->unchained) {
		chain_keep(env, s, dir, body, dir->body_len);
		return V_CUT;
	}
	if (dir->known && !dir->lost) {
		struct opener *o = unlock_opener(env, s, d);

		if (!o) {
			chain_keep(env, s, dir, body, dir->body_len);
			return V_BUFFERS;
		}
		v = opener_open(o, &a.record, len, type);
		if (v == V_OK) {
			chain_note(s, dir, body, dir->body_len);
			return V_OK;
		}
	}
	if (worth_trying(env, s, dir, &a) && try_candidates(env, s, d, &a))
		return V_OK;
	if (!dir->known)
		return s->by_tuple ? V_NO_HELLO : (enum verdict)dir->missing;
	chain_keep(env, s, dir, body, dir->body_len);
	return dir->lost ? V_CUT : v;
}
