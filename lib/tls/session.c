/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of one connection, direction by direction: header, body, keys, plaintext.
 *
 * A record that lies whole in the bytes at hand is opened from there. One that does not is decrypted
 * into a buffer as its bytes come. In both cases nothing leaves before the tag has matched.
 */
#include "tls/session.h"

#include <assert.h>

#include "tls/chain.h"
#include "tls/header.h"
#include "tls/inflate.h"
#include "tls/material.h"
#include "tls/negotiation.h"
#include "tls/secrets.h"
#include "tls/ssl2.h"
#include "tls/unlock.h"

_Static_assert(sizeof(struct session_dir) == 64 && sizeof(struct material) == 64 &&
		sizeof(struct session) == 320,
	"each part is a cache line");

#define DIR_NEW                                                                                    \
	{                                                                                          \
		.buf = POOL_NONE, .lease = POOL_NONE                                               \
	}

struct session *session_new(struct tls_env *env)
{
	struct session *s = pool_get(&env->sessions);

	if (s)
		*s = (struct session){ .dir = { DIR_NEW, DIR_NEW } };
	return s;
}

static void put_buffer(struct tls_env *env, struct session_dir *dir)
{
	if (dir->buf != POOL_NONE)
		pool_put(&env->buffers, session_buffer(env, dir));
	dir->buf = POOL_NONE;
}

static void unpin(struct tls_env *env, struct session_dir *dir)
{
	if (dir->lease < env->cfg.max_openers && env->lease[dir->lease].holder == dir)
		tls_env_pin(env, &env->lease[dir->lease], dir->runs_on);
}

static void drop_flight(struct tls_env *env, struct session_dir *dir)
{
	opener_drop(env->lease[dir->lease].opener);
	unpin(env, dir);
}

/* Forget the record under way. */
static void drop_record(struct tls_env *env, struct session_dir *dir)
{
	if (dir->intake == INTAKE_STREAM)
		drop_flight(env, dir);
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

static void put_inflater(struct tls_env *env, struct material *m)
{
	if (m->inflater)
		pool_put(&env->inflaters, pool_at(&env->inflaters, m->inflater - 1));
	m->inflater = 0;
}

void session_free(struct tls_env *env, struct session *s)
{
	for (int d = 0; d < 2; d++) {
		stop(env, &s->dir[d], V_OK);
		put_inflater(env, &s->material[d]);
		material_drop(env, s, (enum tls_dir)d);
	}
	session_release(env, s);
	key_cleanse(s, sizeof(*s));
	pool_put(&env->sessions, s);
}

void session_attach(struct session *s, const uint8_t id[32])
{
	s->by_tuple = s->has_random = true;
	memcpy(s->client_random, id, 32);
	s->version = TLS13;
	for (int d = 0; d < 2; d++) {
		s->dir[d].epoch = EPOCH_DATA;
		s->dir[d].lost = s->dir[d].adrift = s->dir[d].gapped = true;
	}
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
	s->dir[d].keyless = false;
}

static void failed(struct session *s, struct session_dir *dir, enum verdict why)
{
	dir->failed += dir->failed != UINT32_MAX;
	if (!s->reason)
		s->reason = (uint8_t)why;
	if (dir->epoch != EPOCH_EARLY)
		dir->settled = true;
	/* Such a record of TLS 1.3's handshake is known to be one. */
	dir->gapped |= dir->epoch != EPOCH_CLEAR && why != V_HANDSHAKE_KEY;
}

static void skip_record(struct session_dir *dir, enum verdict why)
{
	dir->intake = INTAKE_SKIP;
	dir->why = (uint8_t)why;
}

/* TLS 1.3 protects only what it calls application data; before it, all once a cipher is active. */
static bool is_protected(const struct session *s, const struct session_dir *dir)
{
	if (dir->hdr[0] == TLS_APPLICATION_DATA)
		return true;
	return dir->epoch == EPOCH_DATA && !version_is_13(s->version);
}

/* A hole within the record under way: it is passed over by its length. */
static void cut_record(
	struct tls_env *env, const struct session *s, struct session_dir *dir, uint64_t missing)
{
	uint8_t why = dir->intake == INTAKE_SKIP ? dir->why : V_CUT;

	if (dir->intake == INTAKE_STREAM)
		drop_flight(env, dir);
	if (dir->intake == INTAKE_COLLECT && chain_is_iv(s, dir))
		chain_cut(env, dir);
	else if (dir->intake != INTAKE_SKIP)
		put_buffer(env, dir);
	chain_miss(env, s, dir, missing);
	skip_record(dir, (enum verdict)why);
	dir->body_have += (uint16_t)missing;
}

enum verdict session_gap(struct tls_env *env, struct session *s, enum tls_dir d, uint64_t missing)
{
	struct session_dir *dir = &s->dir[d];
	bool under_way = dir->intake != INTAKE_HEADER;

	if (dir->stopped)
		return V_STOPPED;
	if (dir->compressed) { /* its window has run on, nobody knows how far */
		stop(env, dir, V_GAP);
		return under_way ? V_CUT : V_GAP;
	}
	dir->gapped = true;
	handshake_reset(&dir->hs, &env->messages);
	if (under_way && missing <= (uint64_t)(dir->body_len - dir->body_have)) {
		cut_record(env, s, dir, missing);
		return V_GAP;
	}
	chain_run_on(s, dir, missing + (under_way ? dir->body_have : dir->hdr_len));
	if (under_way) {
		failed(s, dir, V_CUT);
		dir->seq += is_protected(s, dir);
	}
	drop_record(env, dir);
	dir->lost = dir->adrift = true;
	chain_miss(env, s, dir, missing);
	return under_way ? V_CUT : V_GAP;
}

enum verdict session_end(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];
	bool cut = !dir->stopped && (dir->hdr_len || dir->intake != INTAKE_HEADER);

	if (cut)
		failed(s, dir, V_CUT);
	stop(env, dir, V_OK);
	return cut ? V_CUT : V_OK;
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

	if (s->withheld || !s->neg || !s->neg->hello_done || s->neg->has_epms ||
		version_is_13(s->version) || lead(s->dir[S2C].ciphers, s->dir[C2S].ciphers) < 0)
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

/*
 * A server of TLS <= 1.2 knows the master secret, and can hand it over, only when the client's Finished
 * is already on its way: a full handshake's client is read on when the server, too, has changed to the
 * keys. Any other wait for a key has to be asked for.
 */
static bool may_wait_for_key(const struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];

	dir->keyless = env->late_keys && !dir->forced;
	s->waited |= dir->keyless;
	return dir->keyless ||
		(d == C2S && !version_is_13(s->version) && !dir->forced && !s->dir[S2C].stopped &&
			lead(dir->ciphers, s->dir[S2C].ciphers) > 0);
}

static enum verdict start_inflater(struct tls_env *env, struct material *m)
{
	struct inflater *f = pool_get(&env->inflaters);

	if (!f)
		return V_OK; /* each record will be told */
	m->inflater = pool_index(&env->inflaters, f) + 1;
	return inflate_start(f);
}

static enum verdict change_cipher(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];

	if (version_is_13(s->version))
		return V_OK;
	if (d == S2C && s->neg && !s->neg->hello_done)
		s->neg->meta.resumed = true;
	tls_env_release(env, dir, dir->lease);
	material_drop(env, s, d);
	if (s->neg)
		memcpy(s->material[d].server_random, s->neg->server_random, 32);
	dir->epoch = EPOCH_DATA;
	dir->ciphers++;
	dir->seq = 0;
	dir->tried = 0;
	dir->missing = V_OK;
	dir->opened = false;
	if (!dir->lost) /* else nothing has passed, but the next record's IV may be known */
		s->material[d].passed = 0;
	dir->adrift = dir->lost;
	dir->unchained &= dir->lost;
	put_inflater(env, &s->material[d]);
	dir->compressed = s->compression == 1;
	return dir->compressed ? start_inflater(env, &s->material[d]) : V_OK;
}

/* Begin decrypting into a buffer; where the cipher cannot, or openers are short, collect. */
static void begin_long(
	struct tls_env *env, struct session *s, enum tls_dir d, bool locked, bool stream)
{
	struct session_dir *dir = &s->dir[d];
	struct opener *o = stream && tls_env_may_pin(env) ? unlock_opener(env, s, d) : NULL;
	uint8_t *buf;

	put_buffer(env, dir);
	buf = tls_env_buffer(env, locked);
	if (!buf) {
		skip_record(dir, V_BUFFERS);
		return;
	}
	dir->buf = pool_index(&env->buffers, buf);
	dir->intake = INTAKE_COLLECT;
	if (o && opener_streams(o)) {
		dir->intake = INTAKE_STREAM;
		tls_env_pin(env, &env->lease[dir->lease], true);
		opener_begin(o, dir->seq, dir->hdr, buf);
	}
}

/* Decide, once a header is complete, how the body is taken in. */
static enum verdict admit(struct tls_env *env, struct session *s, enum tls_dir d, struct rd *in)
{
	struct session_dir *dir = &s->dir[d];
	bool locked = is_protected(s, dir);
	enum verdict v = V_OK;

	/* The ChangeCipherSpec was in a hole. */
	if (dir->lost && locked && dir->epoch == EPOCH_CLEAR && s->version)
		change_cipher(env, s, d);
	/* A hello is told by its first byte, and what waits is bytes: have one, if the body has. */
	if (dir->body_len && !rd_left(in))
		return V_MORE;
	if (must_wait(env, s, d, in))
		return V_WAIT;
	dir->keyless = false;
	if (locked)
		v = unlock_ready(env, s, d);
	if (v == V_NO_KEY && may_wait_for_key(env, s, d))
		return V_WAIT;
	if (v != V_OK && v != V_MORE)
		skip_record(dir, v);
	else if (rd_left(in) >= dir->body_len)
		dir->intake = INTAKE_DIRECT;
	else
		begin_long(env, s, d, locked, locked && v == V_OK && !dir->lost);
	return V_OK;
}

static enum verdict finish_stream(
	struct tls_env *env, struct session *s, enum tls_dir d, struct text *out)
{
	struct session_dir *dir = &s->dir[d];
	struct opener *o = env->lease[dir->lease].opener;
	size_t len = 0;
	enum verdict v = opener_finish(o, &len, &out->type);

	out->data = session_buffer(env, dir);
	if (v != V_OK && version_is_13(s->version) && dir->epoch < EPOCH_DATA) {
		opener_restore(o);
		unpin(env, dir);
		out->data = env->scratch;
		v = unlock_open(env, s, d, session_buffer(env, dir), &len, &out->type);
	}
	unpin(env, dir);
	out->len = (uint32_t)len;
	return v;
}

static enum verdict decompress(
	struct tls_env *env, const struct session *s, enum tls_dir d, struct text *out)
{
	const uint32_t inflater = s->material[d].inflater;

	if (!s->dir[d].compressed)
		return V_OK;
	if (!inflater)
		return V_COMPRESSION;
	TRY(inflate_record(pool_at(&env->inflaters, inflater - 1), out->data, out->len,
		env->inflated, &out->len));
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
		v = unlock_open(env, s, d, body, &len, &out->type);
		out->data = env->scratch;
		out->len = (uint32_t)len;
	}
	out->early = dir->epoch == EPOCH_EARLY;
	out->refused = out->early && (s->retry || (s->early_answered && !s->early_accepted));
	out->protected = true;
	if (v == V_OK)
		v = decompress(env, s, d, out);
	return v;
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
static enum verdict heed(struct tls_env *env, struct session *s, enum tls_dir d, struct text *t)
{
	switch (t->type) {
	case TLS_HANDSHAKE:
		return read_messages(env, s, d, t);
	case TLS_CCS:
		s->dir[d].lost = false;
		return change_cipher(env, s, d);
	case TLS_APPLICATION_DATA:
		if (t->refused)
			return V_OK;
		s->dir[d].records += s->dir[d].records != UINT32_MAX;
		s->text_bytes[d] += t->len;
		t->after_gap = s->dir[d].gapped && t->len; /* empty records are not text */
		s->dir[d].gapped &= !t->len;
		return V_OK;
	default:
		return V_OK;
	}
}

/* A record is complete: its body is at `body`, or in the buffer it was decrypted into. */
static enum verdict complete(struct tls_env *env, struct session *s, enum tls_dir d,
	const uint8_t *body, struct text *out)
{
	struct session_dir *dir = &s->dir[d];
	bool locked = is_protected(s, dir), was_lost = dir->lost;
	enum verdict v = V_OK, heard;

	*out = (struct text){
		.data = body, .len = dir->body_len, .type = dir->hdr[0], .dir = (uint8_t)d
	};
	if (dir->intake == INTAKE_SKIP) {
		v = (enum verdict)dir->why;
		chain_settle(env, s, dir);
	} else if (locked) {
		v = unprotect(env, s, d, body, out);
	} else if (dir->lost) {
		chain_note(s, dir, body, dir->body_len);
	}
	env->lent = session_buffer(env, dir);
	dir->buf = POOL_NONE;
	dir->hdr_len = 0;
	dir->intake = INTAKE_HEADER;
	out->resumed = was_lost && !dir->lost;
	if (locked)
		dir->seq++;
	if (v != V_OK) {
		failed(s, dir, v);
		dir->adrift |= locked;
		if (locked)
			chain_run_on(s, dir, dir->body_len);
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

static inline void take_body(
	struct tls_env *env, const struct session *s, struct session_dir *dir, struct rd *in)
{
	size_t n = dir->body_len - dir->body_have;

	if (n > rd_left(in))
		n = rd_left(in);
	if (dir->intake == INTAKE_STREAM)
		opener_update(env->lease[dir->lease].opener, in->p, n);
	else if (dir->intake == INTAKE_COLLECT)
		memcpy(session_buffer(env, dir) + dir->body_have, in->p, n);
	else if (dir->intake == INTAKE_SKIP)
		chain_pass(env, s, dir, in->p, n);
	in->p += n;
	dir->body_have += (uint16_t)n;
}

static __attribute__((noinline)) enum verdict next(
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
		v = header_read(env, s, dir, in);
		if (v == V_OK)
			v = admit(env, s, d, in);
		if (v == V_MORE || v == V_WAIT)
			return v;
		if (v != V_OK) {
			in->p = in->end;
			return stop(env, dir, v);
		}
	}
	body = dir->intake == INTAKE_DIRECT ? in->p : session_buffer(env, dir);
	take_body(env, s, dir, in);
	if (dir->body_have < dir->body_len)
		return V_MORE;
	return complete(env, s, d, body, out);
}

enum verdict session_next(
	struct tls_env *env, struct session *s, enum tls_dir d, struct rd *in, struct text *out)
{
	struct session_dir *dir = &s->dir[d];
	size_t n = rd_left(in);

	if (dir->stopped || env->lent)
		return next(env, s, d, in, out);
	/* Nothing after a record; or, as in most packets, more of one that is being decrypted and not its end. */
	if (dir->intake == INTAKE_HEADER && !n)
		return V_MORE;
	if (dir->intake != INTAKE_STREAM || n >= (size_t)(dir->body_len - dir->body_have))
		return next(env, s, d, in, out);
	take_body(env, s, dir, in);
	return V_MORE;
}

enum verdict session_v2_hello(struct tls_env *env, struct session *s, struct rd *in)
{
	uint8_t message[SSL2_HELLO_MAX];
	struct handshake_msg msg;

	TRY(ssl2_hello(in, message, &msg));
	return negotiation_message(env, s, C2S, &msg);
}
