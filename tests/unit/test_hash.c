/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/hash.h"

/* The same function by OpenSSL, as the reference. */
static uint64_t reference(const uint8_t key[16], const uint8_t *data, size_t n)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	unsigned int c = 1, d = 3;
	size_t size = 8;
	uint8_t out[8];
	uint64_t v = 0;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &c),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &d),
		OSSL_PARAM_construct_end(),
	};

	ck_assert_int_eq(EVP_MAC_init(ctx, key, 16, params), 1);
	ck_assert_int_eq(EVP_MAC_update(ctx, data, n), 1);
	ck_assert_int_eq(EVP_MAC_final(ctx, out, &size, sizeof(out)), 1);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	for (int i = 0; i < 8; i++)
		v |= (uint64_t)out[i] << (8 * i);
	return v;
}

START_TEST(agrees_with_openssl)
{
	const struct hash_key key = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };
	uint8_t raw[16], data[70];

	for (int i = 0; i < 16; i++)
		raw[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= sizeof(data); n++)
		ck_assert_uint_eq(hash_bytes(&key, data, n), reference(raw, data, n));
	ck_assert_uint_eq(hash_bytes(&key, NULL, 0), 0xabac0158050fc4dcu);
}
END_TEST

START_TEST(seed_matters)
{
	struct hash_key a = hash_key(1), b = hash_key(2), c = hash_key(1);

	ck_assert_mem_eq(&a, &c, sizeof(a));
	ck_assert_uint_ne(a.k0, b.k0);
	ck_assert_uint_ne(a.k0, a.k1);
	ck_assert_uint_ne(hash_bytes(&a, "x", 1), hash_bytes(&b, "x", 1));
}
END_TEST

UNIT_MAIN("hash", agrees_with_openssl, seed_matters)
