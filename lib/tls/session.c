/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of one connection, direction by direction: header, body, keys, plaintext.
 *
 * A record that lies whole in the bytes at hand is opened from there. One that does not is decrypted
 * into a buffer as its bytes come. In both cases nothing leaves before the tag has matched. TLS 1.3 does
 * not say on the wire when its keys change, so where the next epoch may have begun unseen (0-RTT without
 * its secret, handshake secrets unknown) the record is tried with each candidate at number 0.
 */
#include "tls/session.h"

#include <assert.h>

#include "tls/inflate.h"
#include "tls/kdf.h"
#include "tls/negotiation.h"
#include "tls/secrets.h"
#include "tls/ssl2.h"

/* Records tried in vain with every candidate before a direction is no longer tried. */
#define TRIALS_MAX 256

struct session *session_new(struct tls_env *env)
{
	struct session *s = pool_get(&env->sessions);

	if (s)
		*s = (struct session){ .dir = { { .lease = POOL_NONE }, { .lease = POOL_NONE } } };
	return s;
}

static void put_buffer(struct tls_env *env, struct session_dir *dir)
{
	if (dir->buf)
		pool_put(&env->buffers, dir->buf);
	dir->buf = NULL;
}

static void unpin(struct tls_env *env, struct session_dir *dir)
{
	if (dir->lease < env->cfg.max_openers && env->lease[dir->lease].holder == dir)
		env->lease[dir->lease].pinned = opener_chained(&dir->keys);
}

/* Forget the record under way. */
static void drop_record(struct tls_env *env, struct session_dir *dir)
{
	if (dir->intake == INTAKE_STREAM)
		tls_env_release(env, dir, dir->lease);
	put_buffer(env, dir);
	dir->hdr_len = 0;
	dir->intake = INTAKE_HEADER;
}

static enum verdict stop(struct tls_env *env, struct session_dir *dir, enum verdict why)
{
	drop_record(env, dir);
	handshake_reset(&dir->hs, &env->messages);
	tls_env_release(env, dir, dir->lease);
	dir->stopped = dir->settled = true;
	return why;
}

void session_release(struct tls_env *env, struct session *s)
{
	if (!s->neg)
		return;
	pool_put(&env->handshakes, s->neg);
	s->neg = NULL;
}

void session_free(struct tls_env *env, struct session *s)
{
	for (int d = 0; d < 2; d++) {
		stop(env, &s->dir[d], V_OK);
		if (s->dir[d].inflater)
			pool_put(&env->inflaters, s->dir[d].inflater);
	}
	session_release(env, s);
	key_cleanse(s, sizeof(*s));
	pool_put(&env->sessions, s);
}

struct tls_meta *session_meta(struct session *s)
{
	return s->neg ? &s->neg->meta : NULL;
}

bool session_settled(const struct session *s)
{
	return s->dir[C2S].settled && s->dir[S2C].settled;
}

void session_force(struct session *s, enum tls_dir d)
{
	s->dir[d].forced = true;
}

enum verdict session_gap(struct tls_env *env, struct session *s, enum tls_dir d, uint64_t missing)
{
	return s->dir[d].stopped ? V_STOPPED : stop(env, &s->dir[d], V_GAP);
}

enum verdict session_end(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];
	bool cut = !dir->stopped && (dir->hdr_len || dir->intake != INTAKE_HEADER);

	stop(env, dir, V_OK);
	return cut ? V_CUT : V_OK;
}

/* Collect the 5 bytes of a header and see whether they are one. */
static enum verdict read_header(struct session_dir *dir, struct rd *in)
{
	const uint8_t *h = dir->hdr;

	while (dir->hdr_len < 5)
		if (rd_u8(in, &dir->hdr[dir->hdr_len]) == V_OK)
			dir->hdr_len++;
		else
			return V_MORE;
	dir->body_len = get_be16(h + 3);
	dir->body_have = 0;
	if (h[0] < TLS_CCS || h[0] > TLS_HEARTBEAT || h[1] != 3)
		return V_TLS_HEADER;
	return dir->body_len > RECORD_MAX ? V_TLS_RECORD_LEN : V_OK;
}

/* TLS 1.3 protects only what it calls application data; before it, all once a cipher is active. */
static bool is_protected(const struct session *s, const struct session_dir *dir)
{
	if (dir->hdr[0] == TLS_APPLICATION_DATA)
		return true;
	return dir->epoch == EPOCH_DATA && !version_is_13(s->version);
}

static int8_t lead(uint8_t a, uint8_t b)
{
	return (int8_t)(a - b);
}

/* A full handshake whose key exchange is needed to find the secret, but was not seen yet. */
static bool awaits_key_exchange(struct tls_env *env, const struct session *s)
{
	uint8_t master[48];
	bool found;

	if (!s->neg || !s->neg->hello_done || s->neg->has_epms || version_is_13(s->version) ||
		lead(s->dir[S2C].ciphers, s->dir[C2S].ciphers) < 0)
		return false;
	found = secrets_master(env, s, master) == V_OK;
	key_cleanse(master, sizeof(master));
	return !found;
}

/* 0-RTT of which EncryptedExtensions, if they can be read, have not yet said whether it counts. */
static bool awaits_early_answer(const struct session *s)
{
	const struct session_dir *server = &s->dir[S2C];

	return s->dir[C2S].epoch == EPOCH_EARLY && !s->retry && server->epoch == EPOCH_HANDSHAKE &&
		!s->early_answered && !server->settled;
}

/* Directions come from two wires: what is here may stand on what is still to come over there. */
static bool must_wait(struct tls_env *env, struct session *s, enum tls_dir d, const struct rd *in)
{
	const struct session_dir *dir = &s->dir[d];
	int8_t ahead = lead(s->dir[C2S].hellos, s->dir[S2C].hellos);

	if (dir->forced || s->dir[!d].stopped || dir->hdr[0] == TLS_ALERT)
		return false;
	if (d == C2S)
		return ahead > 0 || awaits_early_answer(s);
	if (dir->hdr[0] == TLS_HANDSHAKE && dir->epoch == EPOCH_CLEAR && handshake_idle(&dir->hs))
		return rd_left(in) && in->p[0] == HS_SERVER_HELLO && ahead <= 0;
	return dir->hdr[0] == TLS_CCS && awaits_key_exchange(env, s);
}

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
static enum verdict ready(struct tls_env *env, struct session *s, enum tls_dir d)
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
static struct opener *opener_of(struct tls_env *env, struct session_dir *dir)
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

static void skip_record(struct session_dir *dir, enum verdict why)
{
	dir->intake = INTAKE_SKIP;
	dir->why = (uint8_t)why;
}

/* Begin decrypting into a buffer; where the cipher cannot, collect. */
static void begin_long(struct tls_env *env, struct session_dir *dir, bool stream)
{
	struct opener *o = stream ? opener_of(env, dir) : NULL;

	dir->buf = pool_get(&env->buffers);
	if (!dir->buf) {
		skip_record(dir, V_BUFFERS);
		return;
	}
	dir->intake = INTAKE_COLLECT;
	if (o && opener_streams(o)) {
		dir->intake = INTAKE_STREAM;
		env->lease[dir->lease].pinned = true;
		opener_begin(o, dir->seq, dir->hdr, dir->buf);
	}
}

/* Decide, once a header is complete, how the body is taken in. */
static enum verdict admit(struct tls_env *env, struct session *s, enum tls_dir d, struct rd *in)
{
	struct session_dir *dir = &s->dir[d];
	bool locked = is_protected(s, dir);
	enum verdict v = V_OK;

	/* A hello is told by its first byte: have it, if the body has one. */
	if (!locked && dir->body_len && !rd_left(in))
		return V_MORE;
	if (must_wait(env, s, d, in))
		return V_WAIT;
	if (locked)
		v = ready(env, s, d);
	if (v != V_OK && v != V_MORE)
		skip_record(dir, v);
	else if (rd_left(in) >= dir->body_len)
		dir->intake = INTAKE_DIRECT;
	else
		begin_long(env, dir, locked && v == V_OK);
	return V_OK;
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
		o = opener_of(env, &next);
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
static enum verdict open_whole(struct tls_env *env, struct session *s, enum tls_dir d,
	const uint8_t *body, size_t *len, uint8_t *type)
{
	struct session_dir *dir = &s->dir[d];
	enum verdict v = V_TAG;

	if (dir->keys.suite) {
		struct opener *o = opener_of(env, dir);

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

static enum verdict finish_stream(
	struct tls_env *env, struct session *s, enum tls_dir d, struct text *out)
{
	struct session_dir *dir = &s->dir[d];
	struct opener *o = env->lease[dir->lease].opener;
	size_t len = 0;
	enum verdict v = opener_finish(o, &len, &out->type);

	out->data = dir->buf;
	if (v != V_OK && version_is_13(s->version) && dir->epoch < EPOCH_DATA) {
		opener_restore(o);
		unpin(env, dir);
		out->data = env->scratch;
		v = open_whole(env, s, d, dir->buf, &len, &out->type);
	}
	unpin(env, dir);
	out->len = (uint32_t)len;
	return v;
}

static enum verdict decompress(struct tls_env *env, struct session_dir *dir, struct text *out)
{
	if (!dir->inflater)
		return V_OK;
	TRY(inflate_record(dir->inflater, out->data, out->len, env->inflated, &out->len));
	out->data = env->inflated;
	return V_OK;
}

/* From a complete body to plaintext. */
static enum verdict unprotect(struct tls_env *env, struct session *s, enum tls_dir d,
	const uint8_t *body, struct text *out)
{
	struct session_dir *dir = &s->dir[d];
	size_t len = 0;
	enum verdict v;

	if (dir->intake == INTAKE_STREAM) {
		v = finish_stream(env, s, d, out);
	} else {
		v = open_whole(env, s, d, body, &len, &out->type);
		out->data = env->scratch;
		out->len = (uint32_t)len;
	}
	out->early = dir->epoch == EPOCH_EARLY;
	out->refused = out->early && (s->retry || (s->early_answered && !s->early_accepted));
	out->protected = true;
	if (v == V_OK)
		v = decompress(env, dir, out);
	return v;
}

static enum verdict change_cipher(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];

	if (version_is_13(s->version))
		return V_OK;
	if (d == S2C && s->neg && !s->neg->hello_done)
		s->neg->meta.resumed = true;
	tls_env_release(env, dir, dir->lease);
	key_cleanse(&dir->keys, sizeof(dir->keys));
	dir->epoch = EPOCH_DATA;
	dir->ciphers++;
	dir->seq = 0;
	dir->tried = 0;
	dir->missing = V_OK;
	dir->opened = false;
	if (s->compression == 1 && !dir->inflater)
		dir->inflater = pool_get(&env->inflaters);
	if (dir->inflater)
		return inflate_start(dir->inflater);
	return V_OK;
}

static enum verdict read_messages(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct text *t)
{
	struct rd in = rd_init(t->data, t->len);
	struct handshake_msg msg;
	enum verdict v, bad = V_OK;

	while ((v = handshake_next(&s->dir[d].hs, &env->messages, &in, &msg)) != V_MORE) {
		if (v == V_OK)
			v = negotiation_message(env, s, d, &msg);
		if (v != V_OK)
			bad = v;
	}
	return bad;
}

/* What a record says to the session itself; application data says nothing. */
static enum verdict heed(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct text *t)
{
	struct session_dir *dir = &s->dir[d];

	switch (t->type) {
	case TLS_HANDSHAKE:
		return read_messages(env, s, d, t);
	case TLS_CCS:
		return change_cipher(env, s, d);
	case TLS_ALERT:
		if (t->len == 2 && !t->data[1])
			dir->gone = true;
		return V_OK;
	case TLS_APPLICATION_DATA:
		if (t->refused)
			return V_OK;
		s->records[d]++;
		s->text_bytes[d] += t->len;
		return V_OK;
	default:
		return V_OK;
	}
}

static void failed(struct session *s, struct session_dir *dir, enum verdict why)
{
	s->failed[dir - s->dir]++;
	if (!s->reason)
		s->reason = (uint8_t)why;
	if (dir->epoch != EPOCH_EARLY)
		dir->settled = true;
}

/* A record is complete: its body is at `body`, or in the buffer it was decrypted into. */
static enum verdict complete(struct tls_env *env, struct session *s, enum tls_dir d,
	const uint8_t *body, struct text *out)
{
	struct session_dir *dir = &s->dir[d];
	bool locked = is_protected(s, dir);
	enum verdict v = V_OK, heard;

	*out = (struct text){
		.data = body, .len = dir->body_len, .type = dir->hdr[0], .dir = (uint8_t)d
	};
	if (dir->intake == INTAKE_SKIP)
		v = (enum verdict)dir->why;
	else if (locked)
		v = unprotect(env, s, d, body, out);
	env->lent = dir->buf;
	dir->buf = NULL;
	dir->hdr_len = 0;
	dir->intake = INTAKE_HEADER;
	if (locked)
		dir->seq++;
	if (v != V_OK) {
		failed(s, dir, v);
		return v;
	}
	dir->opened |= locked;
	s->deciphered |= locked;
	if (locked && dir->epoch == EPOCH_DATA)
		dir->settled = true;
	heard = heed(env, s, d, out);
	/* A hello that cannot be read leaves nothing to go by; any other message can be passed over. */
	return heard == V_TLS_HANDSHAKE && dir->epoch == EPOCH_CLEAR ? stop(env, dir, heard) : V_OK;
}

static void take_body(struct tls_env *env, struct session_dir *dir, struct rd *in)
{
	size_t n = dir->body_len - dir->body_have;

	if (n > rd_left(in))
		n = rd_left(in);
	if (dir->intake == INTAKE_STREAM)
		opener_update(env->lease[dir->lease].opener, in->p, n);
	else if (dir->intake == INTAKE_COLLECT)
		memcpy(dir->buf + dir->body_have, in->p, n);
	in->p += n;
	dir->body_have += (uint16_t)n;
}

enum verdict session_next(
	struct tls_env *env, struct session *s, enum tls_dir d, struct rd *in, struct text *out)
{
	struct session_dir *dir = &s->dir[d];
	const uint8_t *body;
	enum verdict v;

	if (env->lent)
		pool_put(&env->buffers, env->lent);
	env->lent = NULL;
	if (dir->stopped) {
		in->p = in->end;
		return V_STOPPED;
	}
	if (dir->intake == INTAKE_HEADER) {
		v = read_header(dir, in);
		if (v == V_OK)
			v = admit(env, s, d, in);
		if (v == V_MORE || v == V_WAIT)
			return v;
		if (v != V_OK) {
			in->p = in->end;
			return stop(env, dir, v);
		}
	}
	body = dir->intake == INTAKE_DIRECT ? in->p : dir->buf;
	take_body(env, dir, in);
	if (dir->body_have < dir->body_len)
		return V_MORE;
	return complete(env, s, d, body, out);
}

enum verdict session_v2_hello(struct tls_env *env, struct session *s, struct rd *in)
{
	uint8_t message[SSL2_HELLO_MAX];
	struct handshake_msg msg;

	TRY(ssl2_hello(in, message, &msg));
	return negotiation_message(env, s, C2S, &msg);
}
