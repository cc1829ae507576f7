/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records before AEAD: NULL, stream and CBC ciphers with a MAC of their own, from SSL 3.0 to
 * TLS 1.2. What varies is where the IV comes from, what the MAC covers, and on which side of the
 * encryption it stands.
 */
#include "tls/classic.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/bytes.h"

/* hash(key + pad2 + hash(key + pad1 + ...)) (RFC 6101, 5.2.3.1): HMAC but for how it is keyed. */
static void ssl3_mac_init(struct hmac *h, enum md_alg alg, const uint8_t *key)
{
	const size_t pad_len = alg == MD_MD5 ? 48 : 40;
	uint8_t pad[48];

	md_init(&h->inner, alg);
	md_update(&h->inner, key, md_len(alg));
	h->outer = h->inner;
	memset(pad, 0x36, sizeof(pad));
	md_update(&h->inner, pad, pad_len);
	memset(pad, 0x5c, sizeof(pad));
	md_update(&h->outer, pad, pad_len);
}

static void rc4_key(struct rc4 *r, const uint8_t *key, size_t len)
{
	uint8_t j = 0;

	r->i = r->j = 0;
	for (int i = 0; i < 256; i++)
		r->s[i] = (uint8_t)i;
	for (int i = 0; i < 256; i++) {
		uint8_t t = r->s[i];

		j = (uint8_t)(j + t + key[(size_t)i % len]);
		r->s[i] = r->s[j];
		r->s[j] = t;
	}
}

/* @param out  May be in. */
static void rc4(struct rc4 *r, size_t len, const uint8_t *in, uint8_t *out)
{
	uint8_t i = r->i, j = r->j;

	for (size_t n = 0; n < len; n++) {
		uint8_t a = r->s[++i], b = r->s[j = (uint8_t)(j + a)];

		r->s[i] = b;
		r->s[j] = a;
		out[n] = in[n] ^ r->s[(uint8_t)(a + b)];
	}
	r->i = i;
	r->j = j;
}

static bool cipher_key(EVP_CIPHER_CTX *evp, EVP_CIPHER *cipher, const uint8_t *key)
{
	return EVP_DecryptInit_ex2(evp, cipher, key, NULL, NULL) &&
		EVP_CIPHER_CTX_set_padding(evp, 0);
}

bool classic_alone(enum cipher_alg alg)
{
	return suite_cipher(alg)->mode == MODE_NULL || suite_cipher(alg)->mode == MODE_STREAM;
}

enum verdict classic_key(
	struct classic *c, EVP_CIPHER_CTX *evp, EVP_CIPHER *cipher, const struct record_keys *keys)
{
	const enum md_alg mac = keys->suite->mac;

	*c = (struct classic){
		.evp = evp,
		.cipher = suite_cipher(keys->suite->cipher),
		.version = keys->version,
		.mac = mac,
		.mac_len = (uint8_t)md_len(mac),
	};
	/* Without a MAC nothing could be called verified. */
	if (keys->version < SSL3 || keys->version > TLS12 || mac == MD_NONE)
		return V_SUITE;
	if (keys->version == SSL3 && mac > MD_SHA1)
		return V_SUITE;
	if (c->cipher->mode == MODE_STREAM)
		rc4_key(&c->stream, keys->key, c->cipher->key_len);
	else if (c->cipher->mode != MODE_NULL && !(cipher && cipher_key(evp, cipher, keys->key)))
		return V_SUITE;
	c->etm = keys->etm && keys->version > SSL3 && c->cipher->mode == MODE_CBC;
	memcpy(c->iv, keys->iv, sizeof(c->iv));
	memcpy(c->mac_key, keys->mac, sizeof(c->mac_key));
	return V_OK;
}

void classic_wipe(struct classic *c)
{
	EVP_CIPHER_CTX_reset(c->evp);
	OPENSSL_cleanse(c, sizeof(*c));
}

static enum verdict check_mac(const struct classic *c, const struct opener_record *r,
	struct rd covered, const uint8_t *mac)
{
	struct hmac h;
	uint8_t head[13], calc[MD_MAX];
	struct wr w = wr_init(head, sizeof(head));

	if (c->version == SSL3)
		ssl3_mac_init(&h, c->mac, c->mac_key);
	else
		hmac_init(&h, c->mac, c->mac_key, c->mac_len);
	wr_u32(&w, (uint32_t)(r->seq >> 32));
	wr_u32(&w, (uint32_t)r->seq);
	wr_u8(&w, r->hdr[0]);
	if (c->version > SSL3)
		wr_bytes(&w, r->hdr + 1, 2);
	wr_u16(&w, (uint16_t)rd_left(&covered));
	hmac_update(&h, head, wr_len(&w, head));
	hmac_update(&h, covered.p, rd_left(&covered));
	hmac_final(&h, calc);
	return CRYPTO_memcmp(calc, mac, c->mac_len) ? V_MAC : V_OK;
}

/* Content followed by its MAC: @p n bytes of both; on success the length of the content. */
static enum verdict open_content(
	const struct classic *c, const struct opener_record *r, const uint8_t *p, size_t *n)
{
	if (*n < c->mac_len)
		return V_PADDING;
	*n -= c->mac_len;
	return check_mac(c, r, rd_init(p, *n), p + *n);
}

/* GenericBlockCipher.padding: TLS says what each byte is, SSL 3.0 only how many there are. */
static enum verdict strip_padding(const struct classic *c, const uint8_t *p, size_t *n)
{
	size_t pad = p[*n - 1];

	if (pad + 1 > *n || (c->version == SSL3 && pad >= c->cipher->block_len))
		return V_PADDING;
	*n -= pad + 1;
	for (size_t i = 0; i < pad && c->version > SSL3; i++) {
		if (p[*n + i] != pad)
			return V_PADDING;
	}
	return V_OK;
}

static bool decrypt(const struct classic *c, const uint8_t *iv, struct rd in, uint8_t *out)
{
	int n;

	return EVP_DecryptInit_ex2(c->evp, NULL, NULL, iv, NULL) &&
		EVP_DecryptUpdate(c->evp, out, &n, in.p, (int)rd_left(&in)) &&
		(size_t)n == rd_left(&in);
}

static enum verdict open_cbc(struct classic *c, const struct opener_record *r, size_t *out_len)
{
	const size_t block = c->cipher->block_len, explicit = c->version >= TLS11 ? block : 0;
	uint8_t *text = r->out == r->in ? r->out + explicit : r->out; /* no sliding decryption */
	uint8_t iv[16], next[16];
	size_t n = r->len;

	if (c->etm) {
		if (n < c->mac_len)
			return V_PADDING;
		n -= c->mac_len;
		TRY(check_mac(c, r, rd_init(r->in, n), r->in + n));
	}
	if (n < explicit + block || n % block)
		return V_PADDING;
	memcpy(iv, explicit ? r->in : c->iv, block);
	memcpy(next, r->in + n - block, block);
	n -= explicit;
	if (!decrypt(c, iv, rd_init(r->in + explicit, n), text))
		return V_PADDING;
	TRY(strip_padding(c, text, &n));
	if (!c->etm)
		TRY(open_content(c, r, text, &n));
	if (text != r->out)
		memmove(r->out, text, n);
	memcpy(c->iv, next, block);
	*out_len = n;
	return V_OK;
}

static void advance(struct rc4 *stream, size_t n)
{
	uint8_t unused[256] = { 0 };

	for (size_t part; n; n -= part) {
		part = n < sizeof(unused) ? n : sizeof(unused);
		rc4(stream, part, unused, unused);
	}
}

void classic_skip(struct classic *c, size_t n)
{
	if (c->cipher->mode == MODE_STREAM)
		advance(&c->stream, n);
}

static enum verdict open_stream(struct classic *c, const struct opener_record *r, size_t *n)
{
	struct rc4 stream = c->stream;
	enum verdict v;

	advance(&stream, r->skip);
	rc4(&stream, r->len, r->in, r->out);
	v = open_content(c, r, r->out, n);
	if (v == V_OK)
		c->stream = stream;
	OPENSSL_cleanse(&stream, sizeof(stream));
	return v;
}

enum verdict classic_open(struct classic *c, const struct opener_record *r, size_t *out_len)
{
	size_t n = r->len;

	if (c->cipher->mode == MODE_CBC)
		return open_cbc(c, r, out_len);
	*out_len = n;
	if (c->cipher->mode == MODE_STREAM)
		return open_stream(c, r, out_len);
	memmove(r->out, r->in, n);
	return open_content(c, r, r->out, out_len);
}
