/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lies in Redis is read by its replicas, its dumps and its administrators; sealed, it is read by
 * the sensor only. A key exchange for every handshake would cost more than the handshake's
 * own, so the encapsulation is kept and the sequence number travels along.
 */
#include "keybus/seal.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "keybus/conn.h"

#define USES_MAX (1u << 20)
#define AGE_MAX_NS (3600 * 1000000000ull)

struct seal {
	OSSL_LIB_CTX *lib;
	uint8_t pk[32];
	char key_id[SEAL_ID_LEN + 1];
	struct hpke hpke; /* no context: one is to be made */
	uint8_t enc[HPKE_ENC_LEN];
	uint64_t seq;
	uint64_t born_ns;
};

void seal_key_id(OSSL_LIB_CTX *lib, const uint8_t pk[32], char id[SEAL_ID_LEN + 1])
{
	uint8_t digest[32] = { 0 };
	size_t n;

	EVP_Q_digest(lib, "SHA256", NULL, pk, 32, digest, &n);
	hex_encode(id, digest, SEAL_ID_LEN / 2);
}

static int read_key(struct seal *s, const char *path, char *why, size_t why_size)
{
	FILE *f = fopen(path, "re");
	EVP_PKEY *key;
	size_t n = sizeof(s->pk);
	bool ok;

	if (!f) {
		int rc = -errno;

		snprintf(why, why_size, "%s: %s", path, strerror(-rc));
		return rc;
	}
	ERR_set_mark();
	key = PEM_read_PUBKEY_ex(f, NULL, NULL, NULL, s->lib, NULL);
	fclose(f);
	ok = key && EVP_PKEY_is_a(key, "X25519") && EVP_PKEY_get_raw_public_key(key, s->pk, &n) > 0;
	EVP_PKEY_free(key);
	ERR_pop_to_mark();
	if (ok)
		return 0;
	snprintf(why, why_size,
		"%s: no X25519 public key in PEM; give the .pub file that `cleartap-keys keygen` made",
		path);
	return -EINVAL;
}

int seal_new(struct seal **out, OSSL_LIB_CTX *lib, const char *path, char *why, size_t why_size)
{
	struct seal *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	s->lib = lib;
	rc = read_key(s, path, why, why_size);
	if (rc) {
		seal_free(s);
		return rc;
	}
	seal_key_id(lib, s->pk, s->key_id);
	*out = s;
	return 0;
}

void seal_renew(struct seal *s)
{
	hpke_fini(&s->hpke);
}

void seal_forget(struct seal *s)
{
	s->hpke = (struct hpke){ 0 };
}

void seal_free(struct seal *s)
{
	if (!s)
		return;
	seal_renew(s);
	free(s);
}

static int encapsulate(struct seal *s)
{
	const struct hpke_bytes info = { SEAL_INFO, strlen(SEAL_INFO) };
	uint64_t now = conn_now_ns();
	int rc;

	if (s->hpke.aead && s->seq < USES_MAX && now - s->born_ns < AGE_MAX_NS)
		return 0;
	seal_renew(s);
	rc = hpke_seal_setup(&s->hpke, s->lib, s->pk, info, NULL, s->enc);
	s->born_ns = now;
	s->seq = 0;
	return rc;
}

ssize_t seal_text(struct seal *s, const uint8_t client_random[32], struct hpke_bytes text,
	char *out, size_t size)
{
	size_t len = HPKE_ENC_LEN + text.len + HPKE_TAG_LEN, n;
	int rc = encapsulate(s);
	uint8_t *raw;
	uint64_t seq;

	if (rc)
		return rc;
	if (size < SEAL_SIZE(text.len))
		return -E2BIG;
	raw = malloc(len);
	if (!raw)
		return -ENOMEM;
	memcpy(raw, s->enc, HPKE_ENC_LEN);
	seq = s->seq++;
	rc = hpke_seal(
		&s->hpke, seq, (struct hpke_bytes){ client_random, 32 }, text, raw + HPKE_ENC_LEN);
	n = (size_t)sprintf(out, SEAL_PREFIX "%s:", s->key_id);
	b64url_encode(out + n, raw, len);
	n += B64URL_LEN(len);
	if (seq)
		n += (size_t)sprintf(out + n, ".%" PRIu64, seq);
	free(raw);
	return rc ? rc : (ssize_t)n;
}
