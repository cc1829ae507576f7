/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Camellia-GCM (RFC 6367). OpenSSL's EVP layer does not have it, but libcrypto exports the cipher
 * and the mode, so the suites cost these few lines.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* EVP, which would be the other way, has no Camellia-GCM */
#include <openssl/camellia.h>
#include <openssl/crypto.h>
#include <openssl/modes.h>

#include "tls/aead.h"

struct state {
	CAMELLIA_KEY key;
	GCM128_CONTEXT *gcm;
};

static bool can(const struct opener_env *env, enum cipher_alg alg)
{
	return alg == CIPHER_CAMELLIA_128_GCM || alg == CIPHER_CAMELLIA_256_GCM;
}

static size_t key_bytes(enum cipher_alg alg)
{
	return sizeof(struct state);
}

static void encrypt_block(const uint8_t in[16], uint8_t out[16], const void *key)
{
	Camellia_encrypt(in, out, key);
}

static bool set_key(struct aead_key *k, const uint8_t *key)
{
	struct state *s = k->state;

	Camellia_set_key(key, suite_cipher(k->alg)->key_len * 8, &s->key);
	s->gcm = CRYPTO_gcm128_new(&s->key, encrypt_block);
	return s->gcm;
}

static void wipe(struct aead_key *k)
{
	struct state *s = k->state;

	CRYPTO_gcm128_release(s->gcm); /* cleanses */
	OPENSSL_cleanse(s, sizeof(*s));
}

static void begin(struct aead_key *k, const struct aead_msg *m)
{
	struct state *s = k->state;

	CRYPTO_gcm128_setiv(s->gcm, m->nonce, sizeof(m->nonce));
	CRYPTO_gcm128_aad(s->gcm, m->aad, m->aad_len);
}

static void update(struct aead_key *k, const uint8_t *in, size_t len, uint8_t *out)
{
	struct state *s = k->state;

	CRYPTO_gcm128_decrypt(s->gcm, in, out, len);
}

static bool finish(struct aead_key *k, const uint8_t *tag)
{
	struct state *s = k->state;

	return CRYPTO_gcm128_finish(s->gcm, tag, 16) == 0;
}

static bool open_msg(struct aead_key *k, const struct aead_msg *m)
{
	begin(k, m);
	update(k, m->in, m->len, m->out);
	return finish(k, m->tag);
}

const struct aead aead_camellia = {
	.name = "openssl",
	.key_bytes = key_bytes,
	.can = can,
	.set_key = set_key,
	.wipe = wipe,
	.open = open_msg,
	.begin = begin,
	.update = update,
	.finish = finish,
};
