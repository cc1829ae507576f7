/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AES-GCM and ChaCha20-Poly1305 by intel-ipsec-mb's direct calls: no job, no queue, and an order of
 * magnitude less than EVP around a short record.
 */
#define NO_COMPAT_IMB_API_053 /* its old names are OpenSSL's names */
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <string.h>

#include "tls/aead.h"

/* The calls of this CPU: the manager they come from holds 200 KB of job queues we do not use. */
struct imb {
	struct gcm {
		aes_gcm_pre_t pre;
		aes_gcm_init_t init;
		aes_gcm_enc_dec_update_t update;
		aes_gcm_enc_dec_finalize_t finalize;
		aes_gcm_enc_dec_t open;
	} gcm[2]; /* AES-128, AES-256 */
	chacha_poly_init_t chacha_init;
	chacha_poly_enc_dec_update_t chacha_update;
	chacha_poly_finalize_t chacha_finalize;
};

union state {
	struct {
		struct gcm_key_data key;
		struct gcm_context_data ctx;
	} gcm;
	struct {
		uint8_t key[32];
		struct chacha20_poly1305_context_data ctx;
	} chacha;
};

/* It goes 512 bits wide in builds and on CPUs that have all of these. */
static enum aead_rank rank_of(uint64_t features)
{
	const uint64_t need = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ,
		       widest = IMB_FEATURE_AVX512_SKX | IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ;

	if ((features & need) != need)
		return AEAD_UNABLE;
	return (features & widest) == widest ? AEAD_WIDEST : AEAD_FAST;
}

static enum aead_rank env_init(void *mem)
{
	struct imb *imb = mem;
	IMB_MGR *m = alloc_mb_mgr(0);
	enum aead_rank rank;

	if (!m)
		return AEAD_UNABLE;
	init_mb_mgr_auto(m, NULL);
	rank = rank_of(m->features);
	*imb = (struct imb){
		.gcm = { { m->gcm128_pre, m->gcm128_init, m->gcm128_dec_update,
				 m->gcm128_dec_finalize, m->gcm128_dec },
			{ m->gcm256_pre, m->gcm256_init, m->gcm256_dec_update,
				m->gcm256_dec_finalize, m->gcm256_dec } },
		.chacha_init = m->chacha20_poly1305_init,
		.chacha_update = m->chacha20_poly1305_dec_update,
		.chacha_finalize = m->chacha20_poly1305_finalize,
	};
	free_mb_mgr(m);
	return rank;
}

static bool can(const struct opener_env *env, enum cipher_alg alg)
{
	return alg == CIPHER_AES_128_GCM || alg == CIPHER_AES_256_GCM ||
		alg == CIPHER_CHACHA20_POLY1305;
}

static bool is_chacha(const struct aead_key *k)
{
	return k->alg == CIPHER_CHACHA20_POLY1305;
}

static const struct gcm *gcm_of(const struct aead_key *k)
{
	const struct imb *imb = k->env;

	return &imb->gcm[k->alg == CIPHER_AES_256_GCM];
}

static bool set_key(struct aead_key *k, const uint8_t *key)
{
	union state *s = k->state;

	if (is_chacha(k)) {
		memcpy(s->chacha.key, key, sizeof(s->chacha.key));
		OPENSSL_cleanse(&s->chacha.ctx, sizeof(s->chacha.ctx));
	} else {
		gcm_of(k)->pre(key, &s->gcm.key);
		OPENSSL_cleanse(&s->gcm.ctx, sizeof(s->gcm.ctx));
	}
	return true;
}

static size_t key_bytes(enum cipher_alg alg)
{
	const union state *s = NULL;

	return alg == CIPHER_CHACHA20_POLY1305 ? sizeof(s->chacha) : sizeof(s->gcm);
}

static void wipe(struct aead_key *k)
{
	OPENSSL_cleanse(k->state, key_bytes(k->alg));
}

static void begin(struct aead_key *k, const struct aead_msg *m)
{
	const struct imb *imb = k->env;
	union state *s = k->state;

	if (is_chacha(k))
		imb->chacha_init(s->chacha.key, &s->chacha.ctx, m->nonce, m->aad, m->aad_len);
	else
		gcm_of(k)->init(&s->gcm.key, &s->gcm.ctx, m->nonce, m->aad, m->aad_len);
}

static void update(struct aead_key *k, const uint8_t *in, size_t len, uint8_t *out)
{
	const struct imb *imb = k->env;
	union state *s = k->state;

	if (is_chacha(k))
		imb->chacha_update(s->chacha.key, &s->chacha.ctx, out, in, len);
	else
		gcm_of(k)->update(&s->gcm.key, &s->gcm.ctx, out, in, len);
}

static bool finish(struct aead_key *k, const uint8_t *tag)
{
	const struct imb *imb = k->env;
	union state *s = k->state;
	uint8_t calc[16];

	if (is_chacha(k))
		imb->chacha_finalize(&s->chacha.ctx, calc, sizeof(calc));
	else
		gcm_of(k)->finalize(&s->gcm.key, &s->gcm.ctx, calc, sizeof(calc));
	return CRYPTO_memcmp(calc, tag, sizeof(calc)) == 0;
}

static bool open_msg(struct aead_key *k, const struct aead_msg *m)
{
	union state *s = k->state;
	uint8_t calc[16];

	if (is_chacha(k)) {
		begin(k, m);
		update(k, m->in, m->len, m->out);
		return finish(k, m->tag);
	}
	gcm_of(k)->open(&s->gcm.key, &s->gcm.ctx, m->out, m->in, m->len, m->nonce, m->aad,
		m->aad_len, calc, sizeof(calc));
	return CRYPTO_memcmp(calc, m->tag, sizeof(calc)) == 0;
}

const struct aead aead_ipsecmb = {
	.name = "ipsec-mb",
	.env_bytes = sizeof(struct imb),
	.key_bytes = key_bytes,
	.rekeys = true,
	.env_init = env_init,
	.can = can,
	.set_key = set_key,
	.wipe = wipe,
	.open = open_msg,
	.begin = begin,
	.update = update,
	.finish = finish,
};
