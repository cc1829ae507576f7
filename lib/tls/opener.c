/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening TLS records. Here is what TLS adds to an AEAD: the nonce, the associated data, the inner
 * content type, and records that come in pieces. Who computes the AEAD was settled in
 * opener_env_init(); ciphers with a MAC of their own are in classic.c.
 */
#include "tls/opener.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#include "base/bytes.h"
#include "tls/aead.h"
#include "tls/classic.h"

/* Of two that are equally good the first is preferred. */
static const struct aead *const backends[] = {
#ifdef CLEARTAP_VAES
	&aead_vaes,
#endif
#ifdef CLEARTAP_IPSEC_MB
	&aead_ipsecmb,
#endif
	&aead_openssl,
	&aead_camellia,
};

#define BACKENDS (sizeof(backends) / sizeof(*backends))

struct opener {
	const struct opener_env *env;
	EVP_CIPHER_CTX *evp;
	struct aead_key aead;
	bool classic; /* state is a struct classic */
	uint16_t version;
	uint8_t explicit_len; /* of the nonce, in front of the ciphertext */
	uint8_t tag_len;
	uint8_t iv[12];
	struct {
		struct aead_msg msg;
		uint8_t tag[16];
		uint8_t type;
		uint16_t body; /* bytes of the record, nonce and tag included */
		uint16_t seen;
	} flight; /* the record between opener_begin() and opener_finish() */
	_Alignas(64) uint8_t state[];
};

static size_t round64(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

size_t opener_env_bytes(void)
{
	size_t n = round64(sizeof(struct opener_env));

	for (size_t i = 0; i < BACKENDS; i++)
		n += round64(backends[i]->env_bytes);
	return n;
}

static void fetch_ciphers(struct opener_env *env)
{
	ERR_set_mark(); /* no legacy provider, no SEED: that is an answer, not an error */
	env->lib = OSSL_LIB_CTX_new();
	env->provider[0] = OSSL_PROVIDER_load(env->lib, "default");
	env->provider[1] = OSSL_PROVIDER_load(env->lib, "legacy");
	for (int alg = 0; alg < CIPHER_COUNT; alg++) {
		const char *name = suite_cipher(alg)->evp;

		env->evp[alg] = name ? EVP_CIPHER_fetch(env->lib, name, NULL) : NULL;
	}
	ERR_pop_to_mark();
}

/* Give back-end b every cipher it can and nobody before it opens as well. */
static void assign(struct opener_env *env, const struct aead *b, enum aead_rank rank,
	const void *mem, enum aead_rank *best)
{
	for (int alg = 0; alg < CIPHER_COUNT; alg++) {
		if (best[alg] >= rank || !b->can(env, alg))
			continue;
		env->aead[alg] = b;
		best[alg] = rank;
		env->aead_env[alg] = mem;
	}
}

struct opener_env *opener_env_init(void *mem, const char *backend)
{
	struct opener_env *env = mem;
	uint8_t *next = (uint8_t *)mem + round64(sizeof(*env));
	enum aead_rank best[CIPHER_COUNT] = { AEAD_UNABLE };
	bool found = !backend;

	*env = (struct opener_env){ 0 };
	fetch_ciphers(env);
	for (size_t i = 0; i < BACKENDS; i++) {
		const struct aead *b = backends[i];
		bool named = backend && strcmp(backend, b->name) == 0;
		enum aead_rank rank;

		if (backend && !named && strcmp(b->name, aead_openssl.name) != 0)
			continue;
		rank = b->env_init ? b->env_init(next) : AEAD_PLAIN;
		if (rank == AEAD_UNABLE)
			continue;
		found |= named;
		assign(env, b, rank, next, best);
		next += round64(b->env_bytes);
	}
	if (found)
		return env;
	opener_env_fini(env);
	return NULL;
}

void opener_env_fini(struct opener_env *env)
{
	for (int alg = 0; alg < CIPHER_COUNT; alg++)
		EVP_CIPHER_free(env->evp[alg]);
	for (int i = 0; i < 2; i++) {
		if (env->provider[i])
			OSSL_PROVIDER_unload(env->provider[i]);
	}
	OSSL_LIB_CTX_free(env->lib);
	*env = (struct opener_env){ 0 };
}

const char *opener_backend(const struct opener_env *env, enum cipher_alg alg)
{
	if (env->aead[alg])
		return env->aead[alg]->name;
	return env->evp[alg] || classic_alone(alg) ? aead_openssl.name : NULL;
}

/* What back-end b keeps of a key of cipher alg. */
static size_t key_bytes(const struct aead *b, enum cipher_alg alg)
{
	return b && b->key_bytes && b->can(NULL, alg) ? b->key_bytes(alg) : 0;
}

size_t opener_bytes(const struct opener_env *env)
{
	size_t state = sizeof(struct classic);

	for (int alg = 0; alg < CIPHER_COUNT; alg++) {
		for (size_t i = 0; i < BACKENDS; i++) {
			size_t n = key_bytes(env ? env->aead[alg] : backends[i], alg);

			state = n > state ? n : state;
		}
	}
	return round64(sizeof(struct opener) + state);
}

struct opener *opener_init(void *mem, struct opener_env *env)
{
	struct opener *o = mem;

	*o = (struct opener){ .env = env };
	return o;
}

/* Most openers never need one. */
static bool take_evp(struct opener *o)
{
	if (!o->evp)
		o->evp = EVP_CIPHER_CTX_new();
	return o->evp;
}

static void forget(struct opener *o)
{
	if (o->aead.aead)
		o->aead.aead->wipe(&o->aead);
	if (o->classic)
		classic_wipe((struct classic *)o->state);
	OPENSSL_cleanse(o->iv, sizeof(o->iv));
	o->aead.aead = NULL;
	o->classic = false;
}

void opener_fini(struct opener *o)
{
	forget(o);
	EVP_CIPHER_CTX_free(o->evp);
	o->evp = NULL;
}

static enum verdict key_aead(struct opener *o, const struct record_keys *keys)
{
	const enum cipher_alg alg = keys->suite->cipher;
	const struct cipher *c = suite_cipher(alg);
	const struct aead *aead = o->env->aead[alg];
	const bool explicit = keys->version == TLS12 && c->mode != MODE_CHACHA;

	if (!aead || (keys->version != TLS12 && !version_is_13(keys->version)))
		return V_SUITE;
	if (aead->evp && !take_evp(o))
		return V_SUITE;
	o->aead = (struct aead_key){
		.aead = aead,
		.alg = alg,
		.env = o->env->aead_env[alg],
		.cipher = o->env->evp[alg],
		.evp = o->evp,
		.state = o->state,
	};
	o->explicit_len = explicit ? 8 : 0;
	o->tag_len = c->tag_len;
	memcpy(o->iv, keys->iv, sizeof(o->iv));
	return aead->set_key(&o->aead, keys->key) ? V_OK : V_SUITE;
}

enum verdict opener_key(struct opener *o, const struct record_keys *keys)
{
	const enum cipher_alg alg = keys->suite->cipher;
	enum verdict v;

	if (!o->aead.aead || !o->aead.aead->rekeys || o->aead.alg != alg)
		forget(o);
	o->version = keys->version;
	o->flight.body = 0;
	if (suite_cipher(alg)->tag_len) {
		v = key_aead(o, keys);
	} else if (!classic_alone(alg) && !take_evp(o)) {
		v = V_SUITE;
	} else {
		o->classic = true;
		v = classic_key((struct classic *)o->state, o->evp, o->env->evp[alg], keys);
	}
	if (v != V_OK)
		forget(o);
	return v;
}

bool opener_runs_on(const struct record_keys *keys)
{
	return suite_cipher(keys->suite->cipher)->mode == MODE_STREAM;
}

/* Drafts 23 and 24 of TLS 1.3 authenticate no header. */
static void set_aad(const struct opener *o, struct aead_msg *m, uint64_t seq, const uint8_t hdr[5])
{
	if (version_is_13(o->version)) {
		m->aad_len = o->version >= 0x7f00 && o->version < 0x7f19 ? 0 : 5;
		memcpy(m->aad, hdr, 5);
		return;
	}
	put_be64(m->aad, seq);
	memcpy(m->aad + 8, hdr, 3);
	put_be16(m->aad + 11, (uint16_t)m->len);
	m->aad_len = 13;
}

/* The nonce, but for its explicit part (RFC 8446, 5.3; RFC 5288, 3; RFC 7905, 2). */
static void set_nonce(const struct opener *o, struct aead_msg *m, uint64_t seq)
{
	uint8_t number[8];

	memcpy(m->nonce, o->iv, sizeof(m->nonce));
	if (o->explicit_len)
		return;
	put_be64(number, seq);
	for (int i = 0; i < 8; i++)
		m->nonce[4 + i] ^= number[i];
}

/* TLSInnerPlaintext (RFC 8446, section 5.4): content, type, zeros. */
static enum verdict inner(const struct opener *o, const uint8_t *out, size_t *len, uint8_t *type)
{
	size_t n = *len;

	if (!version_is_13(o->version))
		return V_OK;
	while (n && !out[n - 1])
		n--;
	if (!n)
		return V_PADDING;
	*type = out[n - 1];
	*len = n - 1;
	return V_OK;
}

static enum verdict open_aead(struct opener *o, const struct opener_record *r, size_t *len)
{
	const size_t explicit = o->explicit_len, overhead = explicit + o->tag_len;
	struct aead_msg m;

	if (r->len < overhead)
		return V_PADDING;
	m.len = r->len - overhead;
	m.in = r->in + explicit;
	m.tag = m.in + m.len;
	m.out = r->in == r->out ? r->out + explicit : r->out; /* no sliding decryption */
	set_aad(o, &m, r->seq, r->hdr);
	set_nonce(o, &m, r->seq);
	memcpy(m.nonce + 4, r->in, explicit);
	if (!o->aead.aead->open(&o->aead, &m))
		return V_TAG;
	if (m.out != r->out)
		memmove(r->out, m.out, m.len);
	*len = m.len;
	return V_OK;
}

enum verdict opener_open(
	struct opener *o, const struct opener_record *r, size_t *len, uint8_t *type)
{
	*type = r->hdr[0];
	if (r->len > RECORD_MAX)
		return V_PADDING;
	if (o->classic)
		return classic_open((struct classic *)o->state, r, len);
	if (!o->aead.aead)
		return V_TAG;
	TRY(open_aead(o, r, len));
	return inner(o, r->out, len, type);
}

void opener_skip(struct opener *o, size_t n)
{
	if (o->classic)
		classic_skip((struct classic *)o->state, n);
}

bool opener_streams(const struct opener *o)
{
	return o->aead.aead && suite_cipher(o->aead.alg)->mode != MODE_CCM;
}

/* A body too short to hold a message is only passed through, for opener_restore(). */
static bool holds_message(const struct opener *o)
{
	return o->flight.body >= (size_t)o->explicit_len + o->tag_len;
}

void opener_begin(struct opener *o, uint64_t seq, const uint8_t hdr[5], uint8_t *out)
{
	struct aead_msg *m = &o->flight.msg;
	size_t body = get_be16(hdr + 3);

	o->flight.type = hdr[0];
	o->flight.body = (uint16_t)(body <= RECORD_MAX ? body : 0);
	o->flight.seen = 0;
	m->out = out;
	if (!holds_message(o))
		return;
	m->len = body - o->explicit_len - o->tag_len;
	set_aad(o, m, seq, hdr);
	set_nonce(o, m, seq);
	if (!o->explicit_len)
		o->aead.aead->begin(&o->aead, m);
}

/* Take bytes up to the next seam between nonce, ciphertext and tag. @return the number taken. */
static size_t take(struct opener *o, const uint8_t *in, size_t len)
{
	struct aead_msg *m = &o->flight.msg;
	const size_t seen = o->flight.seen, start = o->explicit_len, end = start + m->len;
	size_t n = len;

	if (seen < start) {
		n = len < start - seen ? len : start - seen;
		memcpy(m->nonce + 4 + seen, in, n);
		if (seen + n == start)
			o->aead.aead->begin(&o->aead, m);
	} else if (seen < end) {
		n = len < end - seen ? len : end - seen;
		o->aead.aead->update(&o->aead, in, n, m->out + (seen - start));
	} else {
		memcpy(o->flight.tag + (seen - end), in, n);
	}
	return n;
}

void opener_update(struct opener *o, const uint8_t *in, size_t len)
{
	const size_t room = (size_t)(o->flight.body - o->flight.seen);

	if (len > room)
		len = room;
	if (!holds_message(o)) {
		if (len)
			memcpy(o->flight.msg.out + o->flight.seen, in, len);
		o->flight.seen += (uint16_t)len;
		return;
	}
	while (len) {
		size_t n = take(o, in, len);

		o->flight.seen += (uint16_t)n;
		in += n;
		len -= n;
	}
}

enum verdict opener_finish(struct opener *o, size_t *out_len, uint8_t *type)
{
	const struct aead_msg *m = &o->flight.msg;

	if (!holds_message(o) || o->flight.seen < o->flight.body)
		return V_PADDING;
	if (!o->aead.aead->finish(&o->aead, o->flight.tag))
		return V_TAG;
	*type = o->flight.type;
	*out_len = m->len;
	return inner(o, m->out, out_len, type);
}

void opener_drop(struct opener *o)
{
	o->flight.body = o->flight.seen = 0;
}

void opener_restore(struct opener *o)
{
	struct aead_msg *m = &o->flight.msg;
	const size_t start = o->explicit_len, end = start + m->len, seen = o->flight.seen;
	size_t n = seen < end ? seen : end;

	if (!holds_message(o) || !seen)
		return;
	if (n > start) {
		o->aead.aead->begin(&o->aead, m);
		o->aead.aead->update(&o->aead, m->out, n - start, m->out);
		memmove(m->out + start, m->out, n - start);
	}
	memcpy(m->out, m->nonce + 4, n < start ? n : start);
	if (seen > end)
		memcpy(m->out + end, o->flight.tag, seen - end);
}
