/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys for the record at hand. Usually they are those of the record before it. TLS 1.3 does not say on
 * the wire when its keys change: where the next epoch may have begun unseen (0-RTT without its secret,
 * handshake secrets unknown) the record is tried with each candidate at number 0.
 */
#include "tls/unlock.h"

#include "tls/kdf.h"
#include "tls/secrets.h"

/* Records tried in vain with every candidate before a direction is no longer tried. */
#define TRIALS_MAX 256

/* Keys of TLS <= 1.2 once the master secret is known. */
static enum verdict block_keys(struct tls_env *env, struct session *s, struct session_dir *dir)
{
	struct record_keys both[2];
	uint8_t master[48];

	TRY(secrets_master(env, s, master));
	kdf_key_block(
		s->suite, s->version, s->etm, master, s->client_random, s->server_random, both);
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
	return secrets_traffic(env, s, d, (enum epoch)dir->epoch, 0, &dir->keys, dir->secret);
}

/* Is there a key of a later epoch, which a record may turn out to be protected by? */
static bool has_candidates(struct tls_env *env, const struct session *s, enum tls_dir d)
{
	const struct session_dir *dir = &s->dir[d];
	uint8_t secret[KEY_SECRET_MAX];
	struct record_keys k;
	bool found = false;

	if (!version_is_13(s->version) || dir->opened || dir->trials >= TRIALS_MAX)
		return false;
	for (int e = dir->epoch + 1; e <= EPOCH_DATA && !found; e++)
		found = secrets_traffic(env, s, d, (enum epoch)e, 0, &k, secret) == V_OK;
	if (!found)
		found = secrets_traffic(env, s, d, EPOCH_DATA, 1, &k, secret) == V_OK;
	key_cleanse(&k, sizeof(k));
	key_cleanse(secret, sizeof(secret));
	return found;
}

/* The names of what is missing: only a candidate may open such a record. */
static bool is_candidate(const struct session_dir *dir)
{
	return dir->missing == V_EARLY_DATA || dir->missing == V_HANDSHAKE_KEY;
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
	else
		s->missed |= dir->missing == V_NO_KEY;
}

/*
 * Have keys for the record at hand. @return V_OK; V_MORE: not of this epoch, but a candidate may open
 * it; or why not.
 */
enum verdict unlock_ready(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];

	if (dir->keys.suite)
		return V_OK;
	if (!s->version || dir->epoch == EPOCH_CLEAR)
		return V_NO_HELLO;
	if (s->version >> 8 == 0x7f && s->version < 0x7f17)
		return V_VERSION;
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

/* The direction's opener with its present keys. */
struct opener *unlock_opener(struct tls_env *env, struct session_dir *dir)
{
	bool fresh;
	struct lease *l = tls_env_lease(env, dir, &dir->lease, &fresh);

	if (!l)
		return NULL;
	if (fresh) {
		l->pinned = opener_chained(&dir->keys);
		if (opener_key(l->opener, &dir->keys) != V_OK) {
			tls_env_release(env, dir, dir->lease);
			return NULL;
		}
	}
	return l->opener;
}

/* Try the epochs that may have begun unseen, each at record number 0. */
static enum verdict try_candidates(struct tls_env *env, struct session *s, enum tls_dir d,
	const uint8_t *body, size_t *len, uint8_t *type)
{
	struct session_dir *dir = &s->dir[d];
	struct session_dir next = { .lease = POOL_NONE };

	for (int e = dir->epoch + 1; e <= EPOCH_DATA + 1; e++) {
		uint32_t generation = e > EPOCH_DATA;
		enum epoch epoch = generation ? EPOCH_DATA : (enum epoch)e;
		struct opener *o;

		if (secrets_traffic(env, s, d, epoch, generation, &next.keys, next.secret) != V_OK)
			continue;
		o = unlock_opener(env, &next);
		if (!o ||
			opener_open(o, 0, dir->hdr, body, dir->body_len, env->scratch, len, type) !=
				V_OK) {
			tls_env_release(env, &next, next.lease);
			continue;
		}
		tls_env_release(env, &next, next.lease);
		tls_env_release(env, dir, dir->lease);
		dir->keys = next.keys;
		memcpy(dir->secret, next.secret, sizeof(dir->secret));
		dir->epoch = (uint8_t)epoch;
		dir->generation = generation;
		dir->seq = 0;
		s->keyed = true;
		key_cleanse(&next, sizeof(next));
		return V_OK;
	}
	dir->trials++;
	key_cleanse(&next, sizeof(next));
	return V_TAG;
}

/* Open a record whose body is at hand in one piece, into env->scratch. */
enum verdict unlock_open(struct tls_env *env, struct session *s, enum tls_dir d,
	const uint8_t *body, size_t *len, uint8_t *type)
{
	struct session_dir *dir = &s->dir[d];
	enum verdict v = V_TAG;

	if (dir->keys.suite) {
		struct opener *o = unlock_opener(env, dir);

		if (!o)
			return V_BUFFERS;
		v = opener_open(
			o, dir->seq, dir->hdr, body, dir->body_len, env->scratch, len, type);
		if (v == V_OK)
			return V_OK;
	}
	if (version_is_13(s->version) && dir->epoch < EPOCH_DATA && dir->trials < TRIALS_MAX &&
		try_candidates(env, s, d, body, len, type) == V_OK)
		return V_OK;
	return dir->keys.suite ? v : (enum verdict)dir->missing;
}
