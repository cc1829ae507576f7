/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names are the RFC's. All of LabeledExtract and LabeledExpand fit in one HMAC here, since nothing
 * longer than a hash is derived; and HMAC is no KDF object, so that a host whose KDFs are watched sees
 * nothing of it.
 */
#include "keybus/hpke.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <string.h>

#include "base/bytes.h"

#define NH 32
#define NK 16
#define NN 12

struct suite_id {
	size_t len;
	uint8_t data[10];
};

static const struct suite_id kem_id = { 5, { 'K', 'E', 'M', 0, 0x20 } };
static const struct suite_id hpke_id = { 10, { 'H', 'P', 'K', 'E', 0, 0x20, 0, 1, 0, 1 } };

static int hmac(OSSL_LIB_CTX *lib, struct hpke_bytes key, const struct wr *w, const uint8_t *data,
	uint8_t out[NH])
{
	size_t len;

	if (w->full ||
		!EVP_Q_mac(lib, "HMAC", NULL, "SHA256", NULL, key.data, key.len, data,
			wr_len(w, data), out, NH, &len))
		return -ENOMEM;
	return 0;
}

static void put_label(struct wr *w, const struct suite_id *id, const char *label)
{
	wr_str(w, "HPKE-v1");
	wr_bytes(w, id->data, id->len);
	wr_str(w, label);
}

/* shape: parameters, the RFC's, and where OpenSSL is */
static int labeled_extract(OSSL_LIB_CTX *lib, const struct suite_id *id, struct hpke_bytes salt,
	const char *label, struct hpke_bytes ikm, uint8_t prk[NH])
{
	static const uint8_t zeros[NH];
	uint8_t buf[256];
	struct wr w = wr_init(buf, sizeof(buf));
	int rc;

	if (!salt.len)
		salt = (struct hpke_bytes){ zeros, NH };
	put_label(&w, id, label);
	wr_bytes(&w, ikm.data, ikm.len);
	rc = hmac(lib, salt, &w, buf, prk);
	OPENSSL_cleanse(buf, sizeof(buf));
	return rc;
}

/* shape: parameters, the RFC's, and where OpenSSL is */
static int labeled_expand(OSSL_LIB_CTX *lib, const struct suite_id *id, const uint8_t prk[NH],
	const char *label, struct hpke_bytes info, uint8_t *out, size_t len)
{
	uint8_t buf[256], okm[NH];
	struct wr w = wr_init(buf, sizeof(buf));
	int rc;

	wr_u16(&w, (uint16_t)len);
	put_label(&w, id, label);
	wr_bytes(&w, info.data, info.len);
	wr_u8(&w, 1);
	rc = hmac(lib, (struct hpke_bytes){ prk, NH }, &w, buf, okm);
	memcpy(out, okm, len);
	OPENSSL_cleanse(okm, sizeof(okm));
	return rc;
}

/* Fails for a public key of small order, whose result would be all zeros. */
static int dh(OSSL_LIB_CTX *lib, EVP_PKEY *sk, const uint8_t pk[32], uint8_t out[32])
{
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key_ex(lib, "X25519", NULL, pk, 32);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib, sk, NULL);
	size_t len = 32;
	bool ok = peer && ctx && EVP_PKEY_derive_init(ctx) > 0 &&
		EVP_PKEY_derive_set_peer(ctx, peer) > 0 && EVP_PKEY_derive(ctx, out, &len) > 0;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return ok ? 0 : -EINVAL;
}

/* ExtractAndExpand (section 4.1). */
static int extract_and_expand(OSSL_LIB_CTX *lib, const uint8_t dh_out[32], const uint8_t enc[32],
	const uint8_t pk_r[32], uint8_t shared_secret[NH])
{
	uint8_t eae_prk[NH], kem_context[64];
	int rc;

	memcpy(kem_context, enc, 32);
	memcpy(kem_context + 32, pk_r, 32);
	rc = labeled_extract(lib, &kem_id, (struct hpke_bytes){ 0 }, "eae_prk",
		(struct hpke_bytes){ dh_out, 32 }, eae_prk);
	if (!rc)
		rc = labeled_expand(lib, &kem_id, eae_prk, "shared_secret",
			(struct hpke_bytes){ kem_context, 64 }, shared_secret, NH);
	OPENSSL_cleanse(eae_prk, sizeof(eae_prk));
	return rc;
}

static int set_key(struct hpke *h, OSSL_LIB_CTX *lib, const uint8_t key[NK])
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(lib, "AES-128-GCM", NULL);
	bool ok;

	h->aead = EVP_CIPHER_CTX_new();
	ok = cipher && h->aead && EVP_CipherInit_ex2(h->aead, cipher, key, NULL, 1, NULL);
	EVP_CIPHER_free(cipher);
	return ok ? 0 : -ENOMEM;
}

/* KeySchedule (section 5.1) of mode_base: no psk. */
static int key_schedule(
	struct hpke *h, OSSL_LIB_CTX *lib, const uint8_t shared_secret[NH], struct hpke_bytes info)
{
	const struct hpke_bytes none = { 0 };
	uint8_t context[1 + 2 * NH] = { 0 }, secret[NH], key[NK];
	struct hpke_bytes ctx = { context, sizeof(context) };
	int rc = labeled_extract(lib, &hpke_id, none, "psk_id_hash", none, context + 1);

	if (!rc)
		rc = labeled_extract(lib, &hpke_id, none, "info_hash", info, context + 1 + NH);
	if (!rc)
		rc = labeled_extract(lib, &hpke_id, (struct hpke_bytes){ shared_secret, NH },
			"secret", none, secret);
	if (!rc)
		rc = labeled_expand(lib, &hpke_id, secret, "key", ctx, key, NK);
	if (!rc)
		rc = labeled_expand(lib, &hpke_id, secret, "base_nonce", ctx, h->base_nonce, NN);
	if (!rc)
		rc = set_key(h, lib, key);
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

/* From the private key of either side to the context. */
static int setup(struct hpke *h, OSSL_LIB_CTX *lib, EVP_PKEY *sk, const uint8_t peer[32],
	const uint8_t *both[2], struct hpke_bytes info)
{
	uint8_t dh_out[32], shared_secret[NH];
	int rc = dh(lib, sk, peer, dh_out);

	*h = (struct hpke){ 0 };
	if (!rc)
		rc = extract_and_expand(lib, dh_out, both[0], both[1], shared_secret);
	if (!rc)
		rc = key_schedule(h, lib, shared_secret, info);
	OPENSSL_cleanse(dh_out, sizeof(dh_out));
	OPENSSL_cleanse(shared_secret, sizeof(shared_secret));
	if (rc)
		hpke_fini(h);
	return rc;
}

int hpke_seal_setup(struct hpke *h, OSSL_LIB_CTX *lib, const uint8_t pk[32], struct hpke_bytes info,
	const uint8_t *sk_e, uint8_t enc[HPKE_ENC_LEN])
{
	const uint8_t *both[2] = { enc, pk };
	EVP_PKEY *ephemeral;
	size_t len = HPKE_ENC_LEN;
	int rc = -ENOMEM;

	ERR_set_mark();
	ephemeral = sk_e ? EVP_PKEY_new_raw_private_key_ex(lib, "X25519", NULL, sk_e, 32) :
			   EVP_PKEY_Q_keygen(lib, NULL, "X25519");
	if (ephemeral && EVP_PKEY_get_raw_public_key(ephemeral, enc, &len) > 0)
		rc = setup(h, lib, ephemeral, pk, both, info);
	EVP_PKEY_free(ephemeral);
	ERR_pop_to_mark();
	return rc;
}

int hpke_open_setup(struct hpke *h, OSSL_LIB_CTX *lib, EVP_PKEY *sk, struct hpke_bytes info,
	const uint8_t enc[HPKE_ENC_LEN])
{
	uint8_t pk[32];
	const uint8_t *both[2] = { enc, pk };
	size_t len = sizeof(pk);
	int rc = -EINVAL;

	ERR_set_mark();
	if (EVP_PKEY_get_raw_public_key(sk, pk, &len) > 0)
		rc = setup(h, lib, sk, enc, both, info);
	ERR_pop_to_mark();
	return rc;
}

/* ComputeNonce (section 5.2). */
static bool begin(struct hpke *h, uint64_t seq, int sealing)
{
	uint8_t nonce[NN], be[8];

	memcpy(nonce, h->base_nonce, NN);
	put_be64(be, seq);
	for (int i = 0; i < 8; i++)
		nonce[NN - 8 + i] ^= be[i];
	return EVP_CipherInit_ex2(h->aead, NULL, NULL, nonce, sealing, NULL);
}

static bool update(struct hpke *h, uint8_t *out, struct hpke_bytes in)
{
	int n;

	return !in.len ||
		(in.len <= INT_MAX && EVP_CipherUpdate(h->aead, out, &n, in.data, (int)in.len));
}

int hpke_seal(
	struct hpke *h, uint64_t seq, struct hpke_bytes aad, struct hpke_bytes pt, uint8_t *out)
{
	int n;
	bool ok;

	ERR_set_mark();
	ok = begin(h, seq, 1) && update(h, NULL, aad) && update(h, out, pt) &&
		EVP_CipherFinal_ex(h->aead, out + pt.len, &n) &&
		EVP_CIPHER_CTX_ctrl(h->aead, EVP_CTRL_AEAD_GET_TAG, HPKE_TAG_LEN, out + pt.len) > 0;
	ERR_pop_to_mark();
	return ok ? 0 : -EIO;
}

int hpke_open(
	struct hpke *h, uint64_t seq, struct hpke_bytes aad, struct hpke_bytes ct, uint8_t *out)
{
	uint8_t tag[HPKE_TAG_LEN];
	int n;
	bool ok;

	if (ct.len < HPKE_TAG_LEN)
		return -EBADMSG;
	ct.len -= HPKE_TAG_LEN;
	memcpy(tag, (const uint8_t *)ct.data + ct.len, HPKE_TAG_LEN);
	ERR_set_mark();
	ok = begin(h, seq, 0) && update(h, NULL, aad) && update(h, out, ct) &&
		EVP_CIPHER_CTX_ctrl(h->aead, EVP_CTRL_AEAD_SET_TAG, HPKE_TAG_LEN, tag) > 0 &&
		EVP_CipherFinal_ex(h->aead, out + ct.len, &n);
	ERR_pop_to_mark();
	if (!ok)
		OPENSSL_cleanse(out, ct.len);
	return ok ? 0 : -EBADMSG;
}

int hpke_peek(struct hpke *h, uint64_t seq, struct hpke_bytes ct, uint8_t *out)
{
	bool ok;

	if (ct.len < HPKE_TAG_LEN)
		return -EBADMSG;
	ct.len -= HPKE_TAG_LEN;
	ERR_set_mark();
	ok = begin(h, seq, 0) && update(h, out, ct);
	ERR_pop_to_mark();
	return ok ? 0 : -EBADMSG;
}

void hpke_fini(struct hpke *h)
{
	EVP_CIPHER_CTX_free(h->aead);
	OPENSSL_cleanse(h, sizeof(*h));
}
