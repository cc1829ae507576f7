/* SPDX-License-Identifier: BSD-3-Clause */
#include "rfc8448.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "shim/schedule.h"

static void same(const uint8_t *got, const char *want)
{
	uint8_t bytes[32];

	unhex(bytes, want);
	ck_assert_mem_eq(got, bytes, sizeof(bytes));
}

START_TEST(traces_of_rfc8448)
{
	for (int i = 0; i < 2; i++) {
		const struct rfc8448 *t = &rfc8448[i];
		uint8_t bytes[4096], secret[32];
		struct rd r = rd_init(bytes, unhex(bytes, t->messages)), message;
		struct schedule_pair pair;
		struct schedule s;
		bool seen = false;

		unhex(secret, t->handshake_secret);
		schedule_init(&s);
		for (int n = 0; rfc8448_next(&r, &message); n++) {
			if (n == 1)
				schedule_agree(&s, MD_SHA256);
			if (n == 1 && i)
				schedule_retry(&s);
			schedule_add(&s, message);
			if (n != 1 + 2 * i)
				continue;
			seen = true;
			schedule_handshake(&s, secret, &pair);
			same(pair.client, t->handshake[0]);
			same(pair.server, t->handshake[1]);
		}
		ck_assert(seen);
		schedule_application(&s, secret, &pair);
		same(pair.client, t->application[0]);
		same(pair.server, t->application[1]);
	}
}
END_TEST

/* TLS13-KDF of OpenSSL: extract (key NULL: zeros) or expand. */
static void kdf(int mode, const uint8_t *salt, const uint8_t *key, const char *label,
	const uint8_t *data, uint8_t out[48])
{
	EVP_KDF *f = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(f);
	static const uint8_t zeros[48];
	OSSL_PARAM p[8], *q = p;

	*q++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	*q++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){ "SHA384" }, 0);
	*q++ = OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)(key ? key : zeros), 48);
	if (salt)
		*q++ = OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, 48);
	*q++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, (char[]){ "tls13 " }, 6);
	*q++ = OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_LABEL, (void *)(uintptr_t)label, strlen(label));
	if (data)
		*q++ = OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_DATA, (void *)(uintptr_t)data, 48);
	*q = OSSL_PARAM_construct_end();
	ck_assert_int_eq(EVP_KDF_derive(ctx, out, 48, p), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(f);
}

START_TEST(sha384_as_openssl)
{
	uint8_t secret[48], first[48], hash[48], master[48], want[48];
	uint8_t retry[4 + 48 + 3] = { 254, 0, 0, 48 };
	struct schedule_pair pair;
	struct schedule s;

	for (int i = 0; i < 48; i++)
		secret[i] = (uint8_t)(i * 7);
	schedule_init(&s);
	schedule_add(&s, rd_init("hello", 5));
	schedule_agree(&s, MD_SHA384);
	schedule_retry(&s);
	schedule_add(&s, rd_init("abc", 3));
	EVP_Digest("hello", 5, first, NULL, EVP_sha384(), NULL);
	memcpy(retry + 4, first, 48);
	memcpy(retry + 52, "abc", 3);
	EVP_Digest(retry, sizeof(retry), hash, NULL, EVP_sha384(), NULL);
	schedule_handshake(&s, secret, &pair);
	kdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, NULL, secret, "c hs traffic", hash, want);
	ck_assert_mem_eq(pair.client, want, 48);
	schedule_application(&s, secret, &pair);
	kdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, secret, NULL, "derived", NULL, master);
	kdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, NULL, master, "c ap traffic", hash, want);
	ck_assert_mem_eq(pair.client, want, 48);
	kdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, NULL, master, "s ap traffic", hash, want);
	ck_assert_mem_eq(pair.server, want, 48);
}
END_TEST

UNIT_MAIN("schedule", traces_of_rfc8448, sha384_as_openssl)
