/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The key schedules of SSL 3.0 and TLS 1.0 to 1.3, from a secret to the keys of a direction. They
 * run for every connection, so each secret is keyed into HMAC once and the state copied.
 */
#include "tls/kdf.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <string.h>

#include "keys/keytab.h"

/* HkdfLabel of TLS 1.3: length, label, context, the last two with a byte of length. */
#define INFO_MAX (2 + 1 + 255 + 1 + 255)

/* HKDF-Expand (RFC 5869, section 2.3) with the HkdfLabel of TLS 1.3 as info. */
static void expand(const struct hmac *key, struct rd info, uint8_t *out, size_t out_len)
{
	uint8_t t[MD_MAX] = { 0 }, msg[MD_MAX + INFO_MAX + 1];
	size_t hash = md_len(key->inner.alg);

	for (uint8_t i = 1; out_len; i++) {
		size_t n = out_len < hash ? out_len : hash;
		size_t at = i > 1 ? hash : 0;

		memcpy(msg, t, at);
		memcpy(msg + at, info.p, rd_left(&info));
		at += rd_left(&info);
		msg[at++] = i;
		hmac_once(key, msg, at, t);
		memcpy(out, t, n);
		out += n;
		out_len -= n;
	}
	key_cleanse(t, sizeof(t));
	key_cleanse(msg, MD_MAX);
}

static void expand_label(
	const struct hmac *key, const char *label, struct rd context, uint8_t *out, size_t out_len)
{
	uint8_t buf[INFO_MAX];
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

void kdf_expand_label(enum md_alg md, struct rd secret, const char *label, struct rd context,
	uint8_t *out, size_t out_len)
{
	struct hmac key;

	memset(out, 0, out_len);
	if (md == MD_NONE)
		return;
	hmac_init(&key, md, secret.p, rd_left(&secret));
	expand_label(&key, label, context, out, out_len);
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

void kdf_prf(const struct kdf_secret *s, const char *label, struct rd a, struct rd b, uint8_t *out,
	size_t out_len)
{
	uint8_t buf[64 + 2 * 64];
	struct wr w = wr_init(buf, sizeof(buf));
	size_t half = (rd_left(&s->bytes) + 1) / 2;
	struct rd seed;

	wr_str(&w, label);
	wr_bytes(&w, a.p, rd_left(&a));
	wr_bytes(&w, b.p, rd_left(&b));
	assert(!w.full);
	seed = rd_init(buf, wr_len(&w, buf));
	memset(out, 0, out_len);
	if (s->version < TLS12) {
		p_hash(MD_MD5, rd_init(s->bytes.p, half), seed, out, out_len);
		p_hash(MD_SHA1, rd_init(s->bytes.end - half, half), seed, out, out_len);
	} else if (s->md != MD_NONE) {
		p_hash(s->md, s->bytes, seed, out, out_len);
	}
}

static struct rd random_of(const uint8_t *p)
{
	return rd_init(p, 32);
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

void kdf_master(
	const struct kdf_secret *premaster, const struct kdf_randoms *randoms, uint8_t out[48])
{
	if (premaster->version <= SSL3)
		ssl3_expand(premaster->bytes, randoms->client, randoms->server, out, 48);
	else
		kdf_prf(premaster, "master secret", random_of(randoms->client),
			random_of(randoms->server), out, 48);
}

void kdf_master_ems(const struct kdf_secret *premaster, struct rd session_hash, uint8_t out[48])
{
	kdf_prf(premaster, "extended master secret", session_hash, rd_init(NULL, 0), out, 48);
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
	const struct cipher *c, const struct kdf_randoms *randoms, struct record_keys keys[2])
{
	static const char *const label[] = { "client write key", "server write key" };
	const struct kdf_secret none = { keys[0].version, keys[0].suite->prf, rd_init("", 0) };
	const uint8_t *a = randoms->client, *b = randoms->server;
	uint8_t final[2][32], iv[2 * 16];
	struct kdf_secret key = none;

	for (int i = 0; i < 2; i++) {
		key.bytes = rd_init(keys[i].key, c->export_len);
		if (key.version <= SSL3) {
			ssl3_export(key.bytes, i ? b : a, i ? a : b, final[i], c->key_len);
			ssl3_export(
				none.bytes, i ? b : a, i ? a : b, iv + i * c->iv_len, c->iv_len);
		} else {
			kdf_prf(&key, label[i], random_of(a), random_of(b), final[i], c->key_len);
		}
	}
	if (key.version > SSL3)
		kdf_prf(&none, "IV block", random_of(a), random_of(b), iv, 2u * c->iv_len);
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

void kdf_key_block(const struct suite *suite, uint16_t version, bool etm, const uint8_t master[48],
	const struct kdf_randoms *randoms, struct record_keys out[2])
{
	const struct cipher *c = suite_cipher(suite->cipher);
	const struct kdf_secret s = { version, suite->prf, rd_init(master, 48) };
	const uint8_t *client = randoms->client, *server = randoms->server;
	uint8_t block[2 * (MD_MAX + 32 + 16)];
	size_t len =
		2 * (md_len(suite->mac) + (c->export_len ? c->export_len : c->key_len) + c->iv_len);

	for (int i = 0; i < 2; i++)
		out[i] = (struct record_keys){ .suite = suite, .version = version, .etm = etm };
	if (version <= SSL3)
		ssl3_expand(s.bytes, server, client, block, len);
	else
		kdf_prf(&s, "key expansion", random_of(server), random_of(client), block, len);
	cut_key_block(block, suite, out);
	if (c->export_len)
		export_keys(c, randoms, out);
	OPENSSL_cleanse(block, sizeof(block));
}

void kdf_traffic_keys(
	const struct suite *suite, uint16_t version, const uint8_t *secret, struct record_keys *out)
{
	const struct rd none = rd_init("", 0);
	size_t len = suite->prf == MD_NONE ? 0 : md_len(suite->prf);
	struct record_keys keys = { .suite = suite, .version = version };
	struct hmac key;

	memcpy(keys.secret, secret, len);
	*out = keys;
	key_cleanse(&keys, sizeof(keys));
	if (!len)
		return;
	hmac_init(&key, suite->prf, out->secret, len);
	expand_label(&key, "key", none, out->key, suite_cipher(suite->cipher)->key_len);
	expand_label(&key, "iv", none, out->iv, 12);
	key_cleanse(&key, sizeof(key));
}

void kdf_traffic_key(const struct suite *suite, const uint8_t *secret, uint8_t key[32])
{
	kdf_expand_label(suite->prf, rd_init(secret, md_len(suite->prf)), "key", rd_init("", 0),
		key, suite_cipher(suite->cipher)->key_len);
}

void kdf_traffic_update(const struct suite *suite, uint8_t *secret)
{
	size_t len = md_len(suite->prf);
	uint8_t next[MD_MAX];

	kdf_expand_label(
		suite->prf, rd_init(secret, len), "traffic upd", rd_init(NULL, 0), next, len);
	memcpy(secret, next, len);
	OPENSSL_cleanse(next, sizeof(next));
}
