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
#include "tls/number.h"
#include "tls/secrets.h"

/* Records tried in vain with every candidate before a direction is no longer tried. */
#define TRIALS_MAX 256
/* And before a session that was taken up in the middle is, if no suite opens it. */
#define SUITE_TRIALS 8

/* Keys of TLS <= 1.2 once the master secret is known. */
static enum verdict block_keys(struct tls_env *env, struct session *s, struct session_dir *dir)
{
	const struct kdf_randoms randoms = { s->client_random, s->server_random };
	struct record_keys both[2];
	uint8_t master[48];

	TRY(secrets_master(env, s, master));
	kdf_key_block(s->suite, s->version, s->etm, master, &randoms, both);
	if (dir->adrift && chain_is_iv(s, dir)) /* the IV of the key block was for another record */
		memcpy(both[dir - s->dir].iv, dir->keys.iv, sizeof(dir->keys.iv));
	dir->keys = both[dir - s->dir];
	key_cleanse(both, sizeof(both));
	key_cleanse(master, sizeof(master));
	return V_OK;
}

static enum verdict look_up(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];

	if (!version_is_13(s->version))
		return block_keys(env, s, dir);
	return secrets_traffic(env, s, d, dir);
}

/* Epochs in order, the second generation of the last among them: a key log may know only that. */
#define EPOCHS_END (EPOCH_DATA + 2)

static void at_epoch(struct session_dir *as, int e)
{
	as->generation = e > EPOCH_DATA;
	as->epoch = (uint8_t)(e > EPOCH_DATA ? EPOCH_DATA : e);
}

/* Is there a key of a later epoch, which a record may turn out to be protected by? */
static bool has_candidates(struct tls_env *env, const struct session *s, enum tls_dir d)
{
	const struct session_dir *dir = &s->dir[d];
	struct session_dir as = { 0 };
	bool found = false;

	if (!version_is_13(s->version) || dir->opened || dir->trials >= TRIALS_MAX)
		return false;
	for (int e = dir->epoch + 1; e < EPOCHS_END && !found; e++) {
		at_epoch(&as, e);
		found = secrets_traffic(env, s, d, &as) == V_OK;
	}
	key_cleanse(&as, sizeof(as));
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

	if (dir->keys.suite)
		return V_OK;
	if (!s->version || dir->epoch == EPOCH_CLEAR)
		return V_NO_HELLO;
	if (s->version >> 8 == 0x7f && s->version < 0x7f17)
		return V_VERSION;
	if (s->by_tuple && !s->suite)
		return dir->trials < SUITE_TRIALS ? V_MORE : V_NO_HELLO;
	if (!s->suite || !opener_backend(env->openers, s->suite->cipher))
		return V_SUITE;
	if (s->compression > 1)
		return V_COMPRESSION;
	if (dir->tried != keytab_version(env->keys) + 1)
		find_keys(env, s, d);
	if (is_candidate(dir) && dir->trials < TRIALS_MAX)
		return V_MORE;
	return (enum verdict)dir->missing;
}

struct opener *unlock_opener(struct tls_env *env, struct session_dir *dir)
{
	bool fresh;
	struct lease *l = tls_env_lease(env, dir, &dir->lease, &fresh);

	if (!l)
		return NULL;
	if (fresh) {
		l->pinned = opener_runs_on(&dir->keys);
		if (opener_key(l->opener, &dir->keys) != V_OK) {
			tls_env_release(env, dir, dir->lease);
			return NULL;
		}
	}
	return l->opener;
}

/* Bytes that may be decrypted in trials of record numbers for one record. */
#define SPAN_BYTES (4u << 20)
/* Record numbers tried where they cannot be computed. */
#define SPAN_MAX 1024u
/* KeyUpdates that a hole may have swallowed. */
#define GENERATIONS_AHEAD 4

/* The record at hand, and where it goes. */
struct attempt {
	struct opener_record record; /* its number is a candidate's */
	size_t *len;
	uint8_t *type;
};

/* Keys that it may be sealed with, and the first number it can have under them. */
struct candidate {
	struct session_dir as; /* keys, secret, epoch, generation, seq */
	uint32_t span;         /* numbers to try beginning with as.seq; 1: only that */
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
	return tls_env_try(env, r.len + TRIAL_HEAD) && opener_open(o, &r, a->len, a->type) == V_OK;
}

static bool opens_within(
	struct tls_env *env, struct opener *o, const struct attempt *a, struct candidate *c)
{
	uint32_t most = SPAN_BYTES / ((uint32_t)a->record.len + TRIAL_HEAD);

	for (uint32_t n = NEAR; n < c->span && n < most; n++) {
		if (env->trial_bytes < a->record.len + TRIAL_HEAD)
			most = 0; /* the next one is refused, and is the last */
		if (!opens(env, o, a, c->as.seq + n))
			continue;
		c->as.seq += n;
		return true;
	}
	return false;
}

/* The number is the next one, or can be computed, or is looked for nearby. */
static bool fits(struct tls_env *env, const struct attempt *a, struct candidate *c)
{
	struct opener *o = unlock_opener(env, &c->as);
	bool found = false;
	uint64_t seq;

	for (uint32_t n = 0; o && !found && n < NEAR && n < c->span; n++) {
		found = opens(env, o, a, c->as.seq + n);
		c->as.seq += found ? n : 0;
	}
	if (o && !found && c->span > 1 && tls_env_try(env, a->record.len * SOLVE_COST)) {
		switch (number_solve(
			&c->as.keys, a->record.hdr, a->record.in, a->record.len, &seq)) {
		case V_OK:
			found = opens(env, o, a, seq);
			c->as.seq = seq;
			break;
		case V_SUITE:
			found = opens_within(env, o, a, c);
			break;
		default:
			break;
		}
	}
	tls_env_release(env, &c->as, c->as.lease);
	return found;
}

static void adopt(struct tls_env *env, struct session *s, struct session_dir *dir,
	const struct candidate *c, const struct attempt *a)
{
	tls_env_release(env, dir, dir->lease);
	dir->keys = c->as.keys;
	chain_keep(env, s, dir, a->record.in, a->record.len);
	dir->epoch = c->as.epoch;
	dir->generation = c->as.generation;
	dir->seq = c->as.seq;
	dir->trials = 0;
	dir->lost = dir->adrift = false;
	s->keyed = true;
}

/* The epochs that may have begun unseen. */
static bool later_epoch(struct tls_env *env, struct session *s, enum tls_dir d,
	const struct attempt *a, struct candidate *c)
{
	const struct session_dir *dir = &s->dir[d];

	for (int e = dir->epoch + 1; e < EPOCHS_END; e++) {
		at_epoch(&c->as, e);
		c->as.seq = 0;
		c->span = dir->lost ? SPAN_MAX : dir->adrift ? (uint32_t)dir->seq + 1 : 1;
		if (secrets_traffic(env, s, d, &c->as) == V_OK && fits(env, a, c))
			return true;
	}
	return false;
}

/* The generations that KeyUpdates in a hole may have brought. */
static bool later_generation(struct tls_env *env, const struct session *s,
	const struct session_dir *dir, const struct attempt *a, struct candidate *c)
{
	c->as = *dir;
	c->as.lease = POOL_NONE;
	c->span = SPAN_MAX;
	for (int i = 0; i < GENERATIONS_AHEAD; i++) {
		c->as.generation++;
		c->as.seq = 0;
		kdf_traffic_update(s->suite, c->as.keys.secret);
		kdf_traffic_keys(s->suite, s->version, c->as.keys.secret, &c->as.keys);
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
		s->suite = suite_find(id);
		s->suite_id = id;
		c->as.epoch = EPOCH_DATA;
		c->as.seq = 0;
		c->span = SPAN_MAX;
		if (s->suite && opener_backend(env->openers, s->suite->cipher) &&
			secrets_traffic(env, s, d, &c->as) == V_OK && fits(env, a, c))
			return true;
	}
	s->suite = NULL;
	s->suite_id = 0;
	return false;
}

static bool try_candidates(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct attempt *a)
{
	struct session_dir *dir = &s->dir[d];
	struct candidate c = { .as = { .lease = POOL_NONE } };
	bool found = false;

	if (s->by_tuple && !s->suite) {
		found = any_suite(env, s, d, a, &c);
	} else if (dir->lost && dir->keys.suite) {
		c.as = *dir;
		c.as.lease = POOL_NONE;
		c.span = SPAN_MAX;
		found = fits(env, a, &c);
	}
	if (!found && version_is_13(s->version) && dir->epoch < EPOCH_DATA)
		found = later_epoch(env, s, d, a, &c);
	else if (!found && version_is_13(s->version) && dir->lost && dir->keys.suite)
		found = later_generation(env, s, dir, a, &c);
	if (found)
		adopt(env, s, dir, &c, a);
	else
		dir->trials++;
	key_cleanse(&c, sizeof(c));
	return found;
}

static uint32_t span_of_stream(const struct session_dir *dir)
{
	return dir->passed / 5 < SPAN_MAX ? dir->passed / 5 : SPAN_MAX - 1;
}

/*
 * A key stream counts the bytes it covers. A hole tells how many are missing, but not how many headers
 * were among them: each would be one record more, and five bytes of key stream fewer.
 */
static enum verdict open_stream(
	struct tls_env *env, struct session_dir *dir, const struct attempt *a)
{
	const uint32_t most = dir->lost ? span_of_stream(dir) : 0;
	struct opener *o = unlock_opener(env, dir);
	size_t ahead = dir->passed - 5 * most;
	enum verdict v = V_CUT;
	size_t spent = 0;

	if (!o)
		return V_BUFFERS;
	if (dir->passed == UINT32_MAX || dir->trials >= TRIALS_MAX)
		return V_CUT;
	if (!tls_env_try(env, ahead * SOLVE_COST))
		return V_CUT;
	opener_skip(o, ahead);
	dir->passed -= (uint32_t)ahead;
	for (uint32_t n = 0; n <= most; n++) {
		struct opener_record r = a->record;

		r.seq += n;
		r.skip = dir->passed - 5 * n;
		spent += r.skip + r.len + TRIAL_HEAD;
		if (dir->lost &&
			(spent > SPAN_BYTES || !tls_env_try(env, r.skip + r.len + TRIAL_HEAD)))
			break;
		v = opener_open(o, &r, a->len, a->type);
		if (v != V_OK)
			continue;
		dir->seq = r.seq;
		dir->passed = dir->trials = 0;
		dir->lost = dir->adrift = false;
		return V_OK;
	}
	dir->trials += dir->lost;
	return dir->lost ? V_CUT : v;
}

enum verdict unlock_open(struct tls_env *env, struct session *s, enum tls_dir d,
	const uint8_t *body, size_t *len, uint8_t *type)
{
	struct session_dir *dir = &s->dir[d];
	struct attempt a = {
		.record = { dir->seq, dir->hdr, body, dir->body_len, env->scratch },
		.len = len,
		.type = type,
	};
	enum verdict v = V_TAG;

	if (dir->keys.suite && suite_cipher(dir->keys.suite->cipher)->mode == MODE_STREAM)
		return open_stream(env, dir, &a);
	if (dir->unchained) {
		chain_keep(env, s, dir, body, dir->body_len);
		return V_CUT;
	}
	if (dir->keys.suite && !dir->lost) {
		struct opener *o = unlock_opener(env, dir);

		if (!o) {
			chain_keep(env, s, dir, body, dir->body_len);
			return V_BUFFERS;
		}
		v = opener_open(o, &a.record, len, type);
		if (v == V_OK) {
			if (s->version <= TLS10)
				chain_note(s, dir, body, dir->body_len);
			return V_OK;
		}
	}
	if (dir->trials < TRIALS_MAX &&
		(dir->lost || (version_is_13(s->version) && dir->epoch < EPOCH_DATA)) &&
		try_candidates(env, s, d, &a))
		return V_OK;
	if (!dir->keys.suite)
		return s->by_tuple ? V_NO_HELLO : (enum verdict)dir->missing;
	chain_keep(env, s, dir, body, dir->body_len);
	return dir->lost ? V_CUT : v;
}
