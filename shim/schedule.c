/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The application secrets of TLS 1.3, computed before OpenSSL does: it derives them only when the
 * server's flight has left, which is too late for who must have them before. All that they depend on
 * is known as soon as the server's Finished is written.
 */
#include "shim/schedule.h"

#include <openssl/crypto.h>

#include "tls/kdf.h"

void schedule_init(struct schedule *s)
{
	s->alg = MD_NONE;
	md_init(&s->sha256, MD_SHA256);
	md_init(&s->sha384, MD_SHA384);
}

void schedule_agree(struct schedule *s, enum md_alg alg)
{
	s->alg = alg;
}

void schedule_add(struct schedule *s, struct rd message)
{
	if (s->alg != MD_SHA384)
		md_update(&s->sha256, message.p, rd_left(&message));
	if (s->alg != MD_SHA256)
		md_update(&s->sha384, message.p, rd_left(&message));
}

static void hash_so_far(const struct schedule *s, uint8_t out[MD_MAX])
{
	struct md md = s->alg == MD_SHA384 ? s->sha384 : s->sha256;

	md_final(&md, out);
}

void schedule_retry(struct schedule *s)
{
	uint8_t n = (uint8_t)md_len(s->alg);
	uint8_t message[4 + MD_MAX] = { 254, 0, 0, n };

	hash_so_far(s, message + 4);
	md_init(&s->sha256, MD_SHA256);
	md_init(&s->sha384, MD_SHA384);
	schedule_add(s, rd_init(message, 4u + n));
}

static void derive(const struct schedule *s, const uint8_t *secret, const char *client,
	const char *server, struct schedule_pair *out)
{
	size_t n = md_len(s->alg);
	uint8_t hash[MD_MAX];

	hash_so_far(s, hash);
	kdf_expand_label(s->alg, rd_init(secret, n), client, rd_init(hash, n), out->client, n);
	kdf_expand_label(s->alg, rd_init(secret, n), server, rd_init(hash, n), out->server, n);
}

void schedule_handshake(
	const struct schedule *s, const uint8_t *handshake_secret, struct schedule_pair *out)
{
	derive(s, handshake_secret, "c hs traffic", "s hs traffic", out);
}

/* HKDF-Extract(Derive-Secret(handshake secret, "derived", ""), 0) */
static void master_secret(enum md_alg alg, const uint8_t *handshake_secret, uint8_t out[MD_MAX])
{
	static const uint8_t zeros[MD_MAX];
	size_t n = md_len(alg);
	uint8_t empty[MD_MAX], derived[MD_MAX];
	struct hmac h;
	struct md md;

	md_init(&md, alg);
	md_final(&md, empty);
	kdf_expand_label(
		alg, rd_init(handshake_secret, n), "derived", rd_init(empty, n), derived, n);
	hmac_init(&h, alg, derived, n);
	hmac_update(&h, zeros, n);
	hmac_final(&h, out);
	OPENSSL_cleanse(derived, sizeof(derived));
	OPENSSL_cleanse(&h, sizeof(h));
}

void schedule_application(
	const struct schedule *s, const uint8_t *handshake_secret, struct schedule_pair *out)
{
	uint8_t master[MD_MAX];

	master_secret(s->alg, handshake_secret, master);
	derive(s, master, "c ap traffic", "s ap traffic", out);
	OPENSSL_cleanse(master, sizeof(master));
}
