/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A key exchange takes as long as opening dozens of payloads. Each sender uses one encapsulation for
 * many, so the contexts of the last ones are kept; the one used longest ago gives way.
 */
#include "keybus/unseal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "keybus/payload.h"
#include "keybus/seal.h"

struct key {
	EVP_PKEY *sk;
	char id[SEAL_ID_LEN + 1];
};

struct recent {
	uint64_t used; /* 0: free */
	const struct key *key;
	uint8_t enc[HPKE_ENC_LEN];
	struct hpke hpke;
};

struct unseal {
	OSSL_LIB_CTX *lib;
	int n;
	struct key key[UNSEAL_KEYS_MAX];
	uint64_t uses;
	struct recent recent[UNSEAL_RECENT];
};

/* A payload taken apart; the text is still base64url. */
struct sealed {
	const uint8_t *key_id;
	struct rd text;
	uint64_t seq;
};

int unseal_new(struct unseal **out, OSSL_LIB_CTX *lib)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->lib = lib;
	return 0;
}

void unseal_free(struct unseal *u)
{
	if (!u)
		return;
	for (int i = 0; i < u->n; i++)
		EVP_PKEY_free(u->key[i].sk);
	for (int i = 0; i < UNSEAL_RECENT; i++)
		hpke_fini(&u->recent[i].hpke);
	free(u);
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	return 0;
}

static int read_key(struct unseal *u, FILE *f, struct key *key)
{
	uint8_t pk[32];
	size_t n = sizeof(pk);
	bool ok;

	ERR_set_mark();
	key->sk = PEM_read_PrivateKey_ex(f, NULL, no_passphrase, NULL, u->lib, NULL);
	ok = key->sk && EVP_PKEY_is_a(key->sk, "X25519") &&
		EVP_PKEY_get_raw_public_key(key->sk, pk, &n) > 0;
	ERR_pop_to_mark();
	if (!ok) {
		EVP_PKEY_free(key->sk);
		return -EINVAL;
	}
	seal_key_id(u->lib, pk, key->id);
	return 0;
}

int unseal_add(struct unseal *u, const char *path, char *why, size_t why_size)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	int rc = 0;

	if (!f) {
		rc = -errno;
		snprintf(why, why_size, "%s: %s", path, strerror(-rc));
		return rc;
	}
	if (u->n == UNSEAL_KEYS_MAX) {
		snprintf(why, why_size, "more than %d keys", UNSEAL_KEYS_MAX);
		rc = -ENOSPC;
	} else if (fstat(fileno(f), &st) == 0 && st.st_mode & (S_IRWXG | S_IRWXO)) {
		snprintf(why, why_size, "%s: others may read it; chmod 0600", path);
		rc = -EPERM;
	} else if (read_key(u, f, &u->key[u->n])) {
		snprintf(why, why_size,
			"%s: no X25519 private key in PEM; `cleartap-keys keygen` makes one", path);
		rc = -EINVAL;
	} else {
		u->n++;
	}
	fclose(f);
	return rc;
}

/* Decimal, without leading zeros, not 0: there is one way to write a number. */
static bool read_seq(struct rd r, uint64_t *seq)
{
	uint8_t c;

	if (!rd_left(&r) || rd_left(&r) > 19 || *r.p == '0')
		return false;
	for (*seq = 0; rd_u8(&r, &c) == V_OK;) {
		if (c < '0' || c > '9')
			return false;
		*seq = *seq * 10 + (uint64_t)(c - '0');
	}
	return true;
}

static bool parse(struct sealed *s, const char *payload, size_t len)
{
	struct rd r = rd_init(payload, len);
	const uint8_t *prefix, *dot;
	uint8_t colon;

	s->seq = 0;
	if (rd_bytes(&r, strlen(SEAL_PREFIX), &prefix) != V_OK ||
		memcmp(prefix, SEAL_PREFIX, strlen(SEAL_PREFIX)) != 0 ||
		rd_bytes(&r, SEAL_ID_LEN, &s->key_id) != V_OK || rd_u8(&r, &colon) != V_OK ||
		colon != ':')
		return false;
	s->text = r;
	dot = rd_left(&r) ? memchr(r.p, '.', rd_left(&r)) : NULL;
	if (!dot)
		return true;
	s->text.end = dot;
	return read_seq(rd_init(dot + 1, (size_t)(r.end - dot - 1)), &s->seq);
}

static const struct key *find_key(const struct unseal *u, const uint8_t *id)
{
	for (int i = 0; i < u->n; i++)
		if (!memcmp(u->key[i].id, id, SEAL_ID_LEN))
			return &u->key[i];
	return NULL;
}

static struct hpke *context(struct unseal *u, const struct key *key, const uint8_t *enc)
{
	const struct hpke_bytes info = { SEAL_INFO, strlen(SEAL_INFO) };
	struct recent *oldest = &u->recent[0];

	for (int i = 0; i < UNSEAL_RECENT; i++) {
		struct recent *r = &u->recent[i];

		if (r->used && r->key == key && !memcmp(r->enc, enc, HPKE_ENC_LEN)) {
			r->used = ++u->uses;
			return &r->hpke;
		}
		if (r->used < oldest->used)
			oldest = r;
	}
	hpke_fini(&oldest->hpke);
	oldest->used = 0;
	if (hpke_open_setup(&oldest->hpke, u->lib, key->sk, info, enc))
		return NULL;
	oldest->used = ++u->uses;
	oldest->key = key;
	memcpy(oldest->enc, enc, HPKE_ENC_LEN);
	return &oldest->hpke;
}

static ssize_t open_raw(struct unseal *u, const struct key *key, uint64_t seq, uint8_t *raw,
	size_t n, uint8_t client_random[32])
{
	struct hpke *h = context(u, key, raw);
	struct hpke_bytes ct = { raw + HPKE_ENC_LEN, n - HPKE_ENC_LEN };
	size_t len = ct.len - HPKE_TAG_LEN;
	uint8_t *text;
	ssize_t rc = -EBADMSG;

	if (!h)
		return rc;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	if (!hpke_peek(h, seq, ct, text) &&
		payload_random((const char *)text, len, client_random) &&
		!hpke_open(h, seq, (struct hpke_bytes){ client_random, 32 }, ct, text)) {
		memcpy(raw, text, len);
		rc = (ssize_t)len;
	}
	OPENSSL_cleanse(text, len);
	free(text);
	return rc;
}

ssize_t unseal_text(
	struct unseal *u, const char *payload, size_t len, uint8_t *out, uint8_t client_random[32])
{
	struct sealed s;
	const struct key *key;
	ssize_t n;

	if (!parse(&s, payload, len))
		return -EINVAL;
	key = find_key(u, s.key_id);
	if (!key)
		return -ENOKEY;
	n = b64url_decode(out, (const char *)s.text.p, rd_left(&s.text));
	if (n < HPKE_ENC_LEN + HPKE_TAG_LEN)
		return -EINVAL;
	return open_raw(u, key, s.seq, out, (size_t)n, client_random);
}
