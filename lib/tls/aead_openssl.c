/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AEADs by OpenSSL's EVP layer: the back-end that has every cipher, and the one that the others are
 * tested against.
 */
#include "tls/aead.h"

static bool can(const struct opener_env *env, enum cipher_alg alg)
{
	return env->evp[alg] && suite_cipher(alg)->tag_len;
}

static bool is_ccm(const struct aead_key *k)
{
	return suite_cipher(k->alg)->mode == MODE_CCM;
}

static bool set_tag(struct aead_key *k, const uint8_t *tag)
{
	/* EVP_CIPHER_CTX_ctrl() is not const-correct; it copies the tag. */
	return EVP_CIPHER_CTX_ctrl(k->evp, EVP_CTRL_AEAD_SET_TAG, suite_cipher(k->alg)->tag_len,
		       (void *)(uintptr_t)tag) > 0;
}

static bool set_key(struct aead_key *k, const uint8_t *key)
{
	if (!EVP_DecryptInit_ex2(k->evp, k->cipher, NULL, NULL, NULL))
		return false;
	/* CCM formats its first block from these when the key is set. */
	if (is_ccm(k) &&
		(EVP_CIPHER_CTX_ctrl(k->evp, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) <= 0 ||
			!set_tag(k, NULL)))
		return false;
	return EVP_DecryptInit_ex2(k->evp, NULL, key, NULL, NULL);
}

static void wipe(struct aead_key *k)
{
	EVP_CIPHER_CTX_reset(k->evp);
}

static void begin(struct aead_key *k, const struct aead_msg *m)
{
	int n;

	EVP_DecryptInit_ex2(k->evp, NULL, NULL, m->nonce, NULL);
	if (m->aad_len)
		EVP_DecryptUpdate(k->evp, NULL, &n, m->aad, (int)m->aad_len);
}

static void update(struct aead_key *k, const uint8_t *in, size_t len, uint8_t *out)
{
	int n;

	EVP_DecryptUpdate(k->evp, out, &n, in, (int)len);
}

static bool finish(struct aead_key *k, const uint8_t *tag)
{
	uint8_t none[16];
	int n;

	return set_tag(k, tag) && EVP_DecryptFinal_ex(k->evp, none, &n) > 0;
}

static bool open_ccm(struct aead_key *k, const struct aead_msg *m)
{
	int n;

	return set_tag(k, m->tag) && EVP_DecryptInit_ex2(k->evp, NULL, NULL, m->nonce, NULL) &&
		EVP_DecryptUpdate(k->evp, NULL, &n, NULL, (int)m->len) > 0 &&
		(!m->aad_len || EVP_DecryptUpdate(k->evp, NULL, &n, m->aad, (int)m->aad_len) > 0) &&
		EVP_DecryptUpdate(k->evp, m->out, &n, m->in, (int)m->len) > 0;
}

static bool open_msg(struct aead_key *k, const struct aead_msg *m)
{
	if (is_ccm(k))
		return open_ccm(k, m);
	begin(k, m);
	if (m->len)
		update(k, m->in, m->len, m->out);
	return finish(k, m->tag);
}

const struct aead aead_openssl = {
	.name = "openssl",
	.evp = true,
	.can = can,
	.set_key = set_key,
	.wipe = wipe,
	.open = open_msg,
	.begin = begin,
	.update = update,
	.finish = finish,
};
