/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/evp.h>
#include <stdio.h>

#include "seal.h"

#include "tls/aead.h"

/*
 * What every AEAD back-end has to do, through its own functions: a back-end's test has its published
 * vectors and calls the rest for each of its ciphers. Blocks are exactly as long as they have to be.
 */

#define AEADS_TEXT_MAX RECORD_MAX

/** One back-end with room for a key of one cipher. */
struct aeads {
	struct aead_key key;
	void *env;
	uint32_t rnd;
	uint8_t raw[32]; /* the key, if aeads_key() chose it */
	/* a message as it was sealed */
	struct aead_msg msg;
	uint8_t *text, *in, *out, *tag;
};

struct aeads_vector {
	enum cipher_alg alg;
	const char *source, *key, *nonce, *aad, *text, *sealed, *tag;
};

static inline uint8_t *aeads_alloc(size_t n)
{
	uint8_t *p = aligned_alloc(64, (n + 63) & ~(size_t)63);

	return memset(p, 0xa5, (n + 63) & ~(size_t)63);
}

/* Of a cipher that it cannot, as much as nothing. */
static inline size_t aeads_key_bytes(const struct aead *backend, enum cipher_alg alg)
{
	return backend->key_bytes ? backend->key_bytes(alg) : 0;
}

/** @return false: the back-end is not for this CPU. */
static inline bool aeads_init(struct aeads *a, const struct aead *backend, enum cipher_alg alg)
{
	const char *evp = suite_cipher(alg)->evp;

	*a = (struct aeads){ .rnd = 1 + (uint32_t)alg, .env = aeads_alloc(backend->env_bytes) };
	a->key = (struct aead_key){
		.aead = backend,
		.alg = alg,
		.env = a->env,
		.cipher = evp ? EVP_CIPHER_fetch(seal_lib(), evp, NULL) : NULL,
		.evp = EVP_CIPHER_CTX_new(),
		.state = aeads_alloc(aeads_key_bytes(backend, alg)),
	};
	return !backend->env_init || backend->env_init(a->env);
}

static inline void aeads_forget(struct aeads *a)
{
	free(a->text);
	free(a->in);
	free(a->out);
	free(a->tag);
	a->text = a->in = a->out = a->tag = NULL;
}

static inline void aeads_fini(struct aeads *a)
{
	aeads_forget(a);
	EVP_CIPHER_CTX_free(a->key.evp);
	EVP_CIPHER_free(a->key.cipher);
	free(a->key.state);
	free(a->env);
}

static inline uint32_t aeads_rnd(struct aeads *a)
{
	a->rnd = a->rnd * 1664525 + 1013904223;
	return a->rnd >> 8;
}

static inline void aeads_fill(struct aeads *a, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)aeads_rnd(a);
}

static inline size_t aeads_tag_len(const struct aeads *a)
{
	return suite_cipher(a->key.alg)->tag_len;
}

/** A random key, under which aeads_seal() seals. */
static inline void aeads_key(struct aeads *a)
{
	aeads_fill(a, a->raw, sizeof(a->raw));
	ck_assert(a->key.aead->set_key(&a->key, a->raw));
}

static inline void aeads_room(struct aeads *a, size_t n)
{
	aeads_forget(a);
	a->text = malloc(n ? n : 1);
	a->in = malloc(n ? n : 1);
	a->out = malloc(n ? n : 1);
	a->tag = malloc(aeads_tag_len(a));
	a->msg.len = n;
	a->msg.in = a->in;
	a->msg.tag = a->tag;
	a->msg.out = a->out;
}

/* A suite that has this cipher: the sealer asks for one. */
static inline const struct suite *aeads_suite(enum cipher_alg alg)
{
	uint32_t n;
	const struct suite *t = suite_table(&n);

	while (t->cipher != alg)
		t++;
	return t;
}

/** Seal a random message of n bytes by the sealer, which is OpenSSL's EVP or a bitwise GHASH. */
static inline void aeads_seal(struct aeads *a, size_t n, size_t aad_len)
{
	struct record_keys keys = { .suite = aeads_suite(a->key.alg), .version = TLS12 };
	uint8_t *buf = malloc(n + 16);
	struct sealer s;

	aeads_room(a, n);
	memcpy(keys.key, a->raw, sizeof(keys.key));
	aeads_fill(a, a->text, n);
	aeads_fill(a, a->msg.nonce, sizeof(a->msg.nonce));
	aeads_fill(a, a->msg.aad, sizeof(a->msg.aad));
	a->msg.aad_len = aad_len;
	sealer_init(&s, &keys);
	memcpy(buf, a->text, n);
	seal_message(&s, a->msg.nonce, a->msg.aad, aad_len, buf, n);
	memcpy(a->in, buf, n);
	memcpy(a->tag, buf + n, aeads_tag_len(a));
	sealer_fini(&s);
	free(buf);
}

static inline bool aeads_open(struct aeads *a)
{
	return a->key.aead->open(&a->key, &a->msg);
}

/** Open in pieces of at most `most` bytes, of all lengths if it is not 1. */
static inline bool aeads_stream(struct aeads *a, size_t most)
{
	struct aead_key *k = &a->key;
	size_t n;

	k->aead->begin(k, &a->msg);
	for (size_t at = 0; at < a->msg.len; at += n) {
		n = 1 + aeads_rnd(a) % most;
		n = n < a->msg.len - at ? n : a->msg.len - at;
		k->aead->update(k, a->msg.in + at, n, a->msg.out + at);
	}
	return k->aead->finish(k, a->msg.tag);
}

static inline bool aeads_streams(const struct aeads *a)
{
	return suite_cipher(a->key.alg)->mode != MODE_CCM;
}

/* The message opens: apart, in pieces, and in place, which is last because it uses `in` up. */
static inline void aeads_expect_text(struct aeads *a)
{
	const size_t n = a->msg.len;

	ck_assert(aeads_open(a));
	ck_assert_mem_eq(a->out, a->text, n);
	for (size_t most = 1; aeads_streams(a) && most <= 4 * n + 1; most *= 4) {
		memset(a->out, 0xa5, n);
		ck_assert(aeads_stream(a, most));
		ck_assert_mem_eq(a->out, a->text, n);
	}
	if (aeads_streams(a) && n) { /* what deciphers also enciphers */
		a->key.aead->begin(&a->key, &a->msg);
		a->key.aead->update(&a->key, a->out, n, a->out);
		ck_assert_mem_eq(a->out, a->in, n);
	}
	a->msg.out = a->in;
	ck_assert(aeads_open(a));
	ck_assert_mem_eq(a->in, a->text, n);
}

static inline void aeads_vectors(
	const struct aead *backend, const struct aeads_vector *v, size_t count)
{
	for (size_t i = 0; i < count; i++, v++) {
		struct aeads a;
		uint8_t key[32];

		ck_assert(aeads_init(&a, backend, v->alg));
		ck_assert_msg(unhex(key, v->key) == suite_cipher(v->alg)->key_len &&
				strlen(v->nonce) == 24 && strlen(v->text) == strlen(v->sealed),
			"%s: lengths", v->source);
		aeads_room(&a, strlen(v->sealed) / 2);
		unhex(a.msg.nonce, v->nonce);
		a.msg.aad_len = unhex(a.msg.aad, v->aad);
		unhex(a.in, v->sealed);
		unhex(a.text, v->text);
		ck_assert_uint_eq(unhex(a.tag, v->tag), aeads_tag_len(&a));
		ck_assert(backend->set_key(&a.key, key));
		ck_assert_msg(aeads_open(&a), "%s", v->source);
		aeads_expect_text(&a);
		backend->wipe(&a.key);
		aeads_fini(&a);
	}
}

/** Around blocks, strides of wide implementations, and records: 2^14 + 256 is TLS 1.3's longest. */
static inline void aeads_lengths(struct aeads *a)
{
	static const size_t lengths[] = { 0, 1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65,
		127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 16383, 16384, 16385,
		16384 + 255, 16384 + 256, AEADS_TEXT_MAX };
	static const size_t aad_lengths[] = { 0, 1, 5, 12, 13, 15, 16 };

	aeads_key(a);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		for (size_t j = 0; j < sizeof(aad_lengths) / sizeof(*aad_lengths); j++) {
			if (lengths[i] > 2000 && j % 4)
				continue;
			aeads_seal(a, lengths[i], aad_lengths[j]);
			aeads_expect_text(a);
		}
	}
	a->key.aead->wipe(&a->key);
}

/** Many keys, each with some messages; and messages that are begun and left. */
static inline void aeads_random(struct aeads *a)
{
	for (int key = 0; key < 40; key++) {
		aeads_key(a);
		for (int i = 0; i < 10; i++) {
			if (aeads_streams(a) && i % 3 == 0) {
				aeads_seal(a, aeads_rnd(a) % 100, 13);
				a->key.aead->begin(&a->key, &a->msg);
				if (a->msg.len)
					a->key.aead->update(&a->key, a->in, a->msg.len, a->out);
			}
			aeads_seal(a, aeads_rnd(a) % (i ? 300 : 4000), aeads_rnd(a) % 17);
			aeads_expect_text(a);
		}
		a->key.aead->wipe(&a->key);
	}
}

/* Not one of these bits may be other than it is. @return how many of them were not missed. */
static inline size_t aeads_unmissed(struct aeads *a, void *p, size_t n)
{
	uint8_t *bytes = p;
	size_t opened = 0;

	for (size_t bit = 0; bit < n * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		opened += aeads_open(a);
		opened += aeads_streams(a) && aeads_stream(a, 7);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	return opened;
}

/** Tag, associated data, nonce, ciphertext, lengths: any difference counts, and spoils no key. */
static inline void aeads_forged(struct aeads *a)
{
	for (size_t n = 0; n < 40; n += 1 + n / 2) {
		const size_t aad_len = n % 17;

		aeads_key(a);
		aeads_seal(a, n, aad_len);
		ck_assert_uint_eq(aeads_unmissed(a, a->tag, aeads_tag_len(a)), 0);
		ck_assert_uint_eq(aeads_unmissed(a, a->msg.aad, aad_len), 0);
		ck_assert_uint_eq(aeads_unmissed(a, a->msg.nonce, 12), 0);
		ck_assert_uint_eq(aeads_unmissed(a, a->in, n), 0);
		if (aad_len) {
			a->msg.aad_len--;
			ck_assert(!aeads_open(a));
			a->msg.aad_len++;
		}
		if (n) {
			a->msg.len--;
			ck_assert(!aeads_open(a));
			a->msg.len++;
		}
		aeads_expect_text(a);
		a->key.aead->wipe(&a->key);
	}
}

/** Each bit of the key counts. */
static inline void aeads_other_keys(struct aeads *a)
{
	const size_t bits = suite_cipher(a->key.alg)->key_len * 8u;

	for (size_t bit = 0; bit < bits; bit++) {
		aeads_key(a);
		aeads_seal(a, 20, 5);
		a->key.aead->wipe(&a->key);
		a->raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert(a->key.aead->set_key(&a->key, a->raw));
		ck_assert(!aeads_open(a));
		a->key.aead->wipe(&a->key);
	}
}

/** After wipe() there is nothing left, neither here nor in OpenSSL's context. */
static inline void aeads_wiped(struct aeads *a)
{
	const uint8_t *state = a->key.state;

	aeads_key(a);
	aeads_seal(a, 100, 13);
	ck_assert(aeads_open(a));
	a->key.aead->wipe(&a->key);
	for (size_t i = 0; i < aeads_key_bytes(a->key.aead, a->key.alg); i++)
		ck_assert_uint_eq(state[i], 0);
	ck_assert_ptr_null(EVP_CIPHER_CTX_get0_cipher(a->key.evp));
}

/** Two keys in turns, in the middle of each other's messages: all state is in the key. */
static inline void aeads_do_not_share(const struct aead *backend, enum cipher_alg alg)
{
	struct aeads a[2];
	struct aead_key *k;

	for (int i = 0; i < 2; i++) {
		ck_assert(aeads_init(&a[i], backend, alg));
		a[i].rnd += (uint32_t)i;
		aeads_key(&a[i]);
		aeads_seal(&a[i], 100, 13);
		a[i].key.aead->begin(&a[i].key, &a[i].msg);
	}
	for (size_t at = 0; at < 100; at += 10) {
		for (int i = 0; i < 2; i++) {
			k = &a[i].key;
			k->aead->update(k, a[i].in + at, 10, a[i].out + at);
		}
	}
	for (int i = 0; i < 2; i++) {
		ck_assert(a[i].key.aead->finish(&a[i].key, a[i].tag));
		ck_assert_mem_eq(a[i].out, a[i].text, 100);
		aeads_fini(&a[i]);
	}
}

/** All of these, for each cipher that the back-end says it can. */
static inline void aeads_each(const struct aead *backend, void (*check)(struct aeads *))
{
	struct opener_env env = { .lib = seal_lib() };
	int able = 0;

	for (int alg = 0; alg < CIPHER_COUNT; alg++) {
		struct aeads a;

		ck_assert(aeads_init(&a, backend, (enum cipher_alg)alg));
		env.evp[alg] = a.key.cipher;
		if (backend->can(&env, (enum cipher_alg)alg)) {
			check(&a);
			able++;
		}
		aeads_fini(&a);
	}
	ck_assert_int_gt(able, 0);
}
