/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The key schedules of SSL 3.0 and TLS 1.0 to 1.3, from a secret to the keys of a direction. They
 * run for every connection, so each secret is keyed into HMAC once and the state copied.
 */
#include "tls/kdf.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <string.h>

#include "base/bytes.h"

/* HKDF-Expand (RFC 5869, section 2.3) with the HkdfLabel of TLS 1.3 as info. */
static void expand(const struct hmac *key, struct rd info, uint8_t *out, size_t out_len)
{
	uint8_t t[MD_MAX];
	size_t hash = md_len(key->inner.alg);

	for (uint8_t i = 1; out_len; i++) {
		struct hmac h = *key;
		size_t n = out_len < hash ? out_len : hash;

		if (i > 1)
			hmac_update(&h, t, hash);
		hmac_update(&h, info.p, rd_left(&info));
		hmac_update(&h, &i, 1);
		hmac_final(&h, t);
		memcpy(out, t, n);
		out += n;
		out_len -= n;
	}
	OPENSSL_cleanse(t, sizeof(t));
}

static void expand_label(
	const struct hmac *key, const char *label, struct rd context, uint8_t *out, size_t out_len)
{
	uint8_t buf[2 + 1 + 255 + 1 + 255];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_u16(&w, (uint16_t)out_len);
	wr_u8(&w, (uint8_t)(6 + strlen(label)));
	wr_str(&w, "tls13 ");
	wr_str(&w, label);
	wr_u8(&w, (uint8_t)rd_left(&context));
	wr_bytes(&w, context.p, rd_left(&context));
	assert(!w.full);
	expand(key, rd_init(buf, wr_len(&w, buf)), out, out_len);
}

/* shape: parameters, they are the inputs that the RFC names */
void kdf_expand_label(enum md_alg md, const uint8_t *secret, size_t secret_len, const char *label,
	const uint8_t *context, size_t context_len, uint8_t *out, size_t out_len)
{
	struct hmac key;

	memset(out, 0, out_len);
	if (md == MD_NONE)
		return;
	hmac_init(&key, md, secret, secret_len);
	expand_label(&key, label, rd_init(context, context_len), out, out_len);
	OPENSSL_cleanse(&key, sizeof(key));
}

/* P_hash (RFC 5246, section 5), XORed into out. */
static void p_hash(enum md_alg md, struct rd secret, struct rd seed, uint8_t *out, size_t out_len)
{
	size_t hash = md_len(md);
	uint8_t a[MD_MAX], block[MD_MAX];
	struct hmac key, h;

	hmac_init(&key, md, secret.p, rd_left(&secret));
	h = key;
	hmac_update(&h, seed.p, rd_left(&seed));
	hmac_final(&h, a);
	for (;;) {
		h = key;
		hmac_update(&h, a, hash);
		hmac_update(&h, seed.p, rd_left(&seed));
		hmac_final(&h, block);
		for (size_t i = 0; i < hash && i < out_len; i++)
			out[i] ^= block[i];
		if (out_len <= hash)
			break;
		out += hash;
		out_len -= hash;
		h = key;
		hmac_update(&h, a, hash);
		hmac_final(&h, a);
	}
	OPENSSL_cleanse(&key, sizeof(key));
	OPENSSL_cleanse(&h, sizeof(h));
	OPENSSL_cleanse(block, sizeof(block));
}

static void prf(uint16_t version, enum md_alg md, struct rd secret, struct rd seed, uint8_t *out,
	size_t out_len)
{
	size_t half = (rd_left(&secret) + 1) / 2;

	memset(out, 0, out_len);
	if (version >= TLS12) {
		if (md != MD_NONE)
			p_hash(md, secret, seed, out, out_len);
		return;
	}
	p_hash(MD_MD5, rd_init(secret.p, half), seed, out, out_len);
	p_hash(MD_SHA1, rd_init(secret.end - half, half), seed, out, out_len);
}

/* shape: parameters, they are the inputs that the RFC names */
void kdf_prf(uint16_t version, enum md_alg md, const uint8_t *secret, size_t secret_len,
	const char *label, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
	uint8_t *out, size_t out_len)
{
	uint8_t seed[64 + 2 * 64];
	struct wr w = wr_init(seed, sizeof(seed));

	wr_str(&w, label);
	wr_bytes(&w, a, a_len);
	wr_bytes(&w, b, b_len);
	assert(!w.full);
	prf(version, md, rd_init(secret, secret_len), rd_init(seed, wr_len(&w, seed)), out,
		out_len);
}

/* What every derivation before TLS 1.3 depends on; client and server are the hellos' randoms. */
struct schedule {
	uint16_t version;
	enum md_alg md;
	const uint8_t *client;
	const uint8_t *server;
};

static void prf_randoms(
	const struct schedule *s, struct rd secret, const char *label, uint8_t *out, size_t out_len)
{
	kdf_prf(s->version, s->md, secret.p, rd_left(&secret), label, s->client, 32, s->server, 32,
		out, out_len);
}

/* MD5(secret + SHA('A' + secret + a + b)) + MD5(secret + SHA('BB' + ...)) ... (RFC 6101, 6.1) */
static void ssl3_expand(
	struct rd secret, const uint8_t *a, const uint8_t *b, uint8_t *out, size_t out_len)
{
	size_t secret_len = rd_left(&secret);
	uint8_t salt[16], sha[20], md5[16];
	struct md m;

	for (size_t i = 1; out_len; i++) {
		size_t n = out_len < sizeof(md5) ? out_len : sizeof(md5);

		assert(i <= sizeof(salt));
		memset(salt, (int)('A' + i - 1), i);
		md_init(&m, MD_SHA1);
		md_update(&m, salt, i);
		md_update(&m, secret.p, secret_len);
		md_update(&m, a, 32);
		md_update(&m, b, 32);
		md_final(&m, sha);
		md_init(&m, MD_MD5);
		md_update(&m, secret.p, secret_len);
		md_update(&m, sha, sizeof(sha));
		md_final(&m, md5);
		memcpy(out, md5, n);
		out += n;
		out_len -= n;
	}
	OPENSSL_cleanse(md5, sizeof(md5));
	OPENSSL_cleanse(&m, sizeof(m));
}

/* shape: parameters, they are the inputs that the RFC names */
void kdf_master(uint16_t version, enum md_alg md, const uint8_t *premaster, size_t len,
	const uint8_t client_random[32], const uint8_t server_random[32], uint8_t out[48])
{
	if (version <= SSL3)
		ssl3_expand(rd_init(premaster, len), client_random, server_random, out, 48);
	else
		kdf_prf(version, md, premaster, len, "master secret", client_random, 32,
			server_random, 32, out, 48);
}

/* shape: parameters, they are the inputs that the RFC names */
void kdf_master_ems(uint16_t version, enum md_alg md, const uint8_t *premaster, size_t len,
	const uint8_t *session_hash, size_t hash_len, uint8_t out[48])
{
	kdf_prf(version, md, premaster, len, "extended master secret", session_hash, hash_len, NULL,
		0, out, 48);
}

/* MD5(key + a + b): the final key or IV of an export cipher of SSL 3.0 (RFC 6101, 6.2.2.1). */
static void ssl3_export(struct rd key, const uint8_t *a, const uint8_t *b, uint8_t *out, size_t len)
{
	uint8_t digest[16];
	struct md m;

	md_init(&m, MD_MD5);
	md_update(&m, key.p, rd_left(&key));
	md_update(&m, a, 32);
	md_update(&m, b, 32);
	md_final(&m, digest);
	memcpy(out, digest, len);
	OPENSSL_cleanse(digest, sizeof(digest));
}

/* Final keys of an export cipher; the secret bytes stand in keys[].key (RFC 2246, 6.3.1). */
static void export_keys(
	const struct schedule *s, const struct cipher *c, struct record_keys keys[2])
{
	const struct rd client = rd_init(keys[0].key, c->export_len);
	const struct rd server = rd_init(keys[1].key, c->export_len);
	const struct rd none = rd_init("", 0);
	uint8_t final[2][32], iv[2 * 16];

	if (s->version <= SSL3) {
		ssl3_export(client, s->client, s->server, final[0], c->key_len);
		ssl3_export(server, s->server, s->client, final[1], c->key_len);
		ssl3_export(none, s->client, s->server, iv, c->iv_len);
		ssl3_export(none, s->server, s->client, iv + c->iv_len, c->iv_len);
	} else {
		prf_randoms(s, client, "client write key", final[0], c->key_len);
		prf_randoms(s, server, "server write key", final[1], c->key_len);
		prf_randoms(s, none, "IV block", iv, 2u * c->iv_len);
	}
	for (int i = 0; i < 2; i++) {
		memcpy(keys[i].key, final[i], c->key_len);
		memcpy(keys[i].iv, iv + i * c->iv_len, c->iv_len);
	}
	OPENSSL_cleanse(final, sizeof(final));
}

static void cut_key_block(
	const uint8_t *block, const struct suite *suite, struct record_keys out[2])
{
	const struct cipher *c = suite_cipher(suite->cipher);
	size_t mac = md_len(suite->mac), key = c->export_len ? c->export_len : c->key_len;

	for (int i = 0; i < 2; i++) {
		memcpy(out[i].mac, block + i * mac, mac);
		memcpy(out[i].key, block + 2 * mac + i * key, key);
		memcpy(out[i].iv, block + 2 * (mac + key) + i * c->iv_len, c->iv_len);
	}
}

/* shape: parameters, they are the inputs that the RFC names */
void kdf_key_block(const struct suite *suite, uint16_t version, bool etm, const uint8_t master[48],
	const uint8_t client_random[32], const uint8_t server_random[32], struct record_keys out[2])
{
	const struct cipher *c = suite_cipher(suite->cipher);
	const struct schedule s = { version, suite->prf, client_random, server_random };
	uint8_t block[2 * (MD_MAX + 32 + 16)];
	size_t len =
		2 * (md_len(suite->mac) + (c->export_len ? c->export_len : c->key_len) + c->iv_len);

	for (int i = 0; i < 2; i++)
		out[i] = (struct record_keys){ .suite = suite, .version = version, .etm = etm };
	if (version <= SSL3)
		ssl3_expand(rd_init(master, 48), server_random, client_random, block, len);
	else
		kdf_prf(version, suite->prf, master, 48, "key expansion", server_random, 32,
			client_random, 32, block, len);
	cut_key_block(block, suite, out);
	if (c->export_len)
		export_keys(&s, c, out);
	OPENSSL_cleanse(block, sizeof(block));
}

void kdf_traffic_keys(
	const struct suite *suite, uint16_t version, const uint8_t *secret, struct record_keys *out)
{
	const struct rd none = rd_init("", 0);
	struct hmac key;

	*out = (struct record_keys){ .suite = suite, .version = version };
	if (suite->prf == MD_NONE)
		return;
	hmac_init(&key, suite->prf, secret, md_len(suite->prf));
	expand_label(&key, "key", none, out->key, suite_cipher(suite->cipher)->key_len);
	expand_label(&key, "iv", none, out->iv, 12);
	OPENSSL_cleanse(&key, sizeof(key));
}

void kdf_traffic_update(const struct suite *suite, uint8_t *secret)
{
	size_t len = md_len(suite->prf);
	uint8_t next[MD_MAX];

	kdf_expand_label(suite->prf, secret, len, "traffic upd", NULL, 0, next, len);
	memcpy(secret, next, len);
	OPENSSL_cleanse(next, sizeof(next));
}
