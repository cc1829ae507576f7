/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tls/md.h"

static const EVP_MD *evp(enum md_alg alg)
{
	const EVP_MD *md[MD_COUNT] = { NULL, EVP_md5(), EVP_sha1(), EVP_sha256(), EVP_sha384() };

	return md[alg];
}

START_TEST(hashes_abc)
{
	static const char *expect[MD_COUNT] = {
		"",
		"900150983cd24fb0d6963f7d28e17f72",
		"a9993e364706816aba3e25717850c26c9cd0d89d",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
		"8086072ba1e7cc2358baeca134c825a7",
	};

	for (int alg = MD_NONE; alg < MD_COUNT; alg++) {
		uint8_t out[MD_MAX + 1] = { 0 }, want[MD_MAX];
		struct md m;

		ck_assert_uint_eq(unhex(want, expect[alg]), md_len(alg));
		md_init(&m, alg);
		md_update(&m, "a", 1);
		md_update(&m, "", 0);
		md_update(&m, "bc", 2);
		md_final(&m, out);
		ck_assert_mem_eq(out, want, md_len(alg));
		ck_assert_uint_eq(out[md_len(alg)], 0);
	}
}
END_TEST

/* RFC 2202 and RFC 4231, test case 2. */
START_TEST(hmac_vectors)
{
	static const char *expect[MD_COUNT] = {
		"",
		"750c783e6ab0b503eaa86e310a5db738",
		"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
		"8e2240ca5e69e2c78b3239ecfab21649",
	};

	for (int alg = MD_MD5; alg < MD_COUNT; alg++) {
		uint8_t out[MD_MAX], want[MD_MAX];
		struct hmac h;

		unhex(want, expect[alg]);
		hmac_init(&h, alg, "Jefe", 4);
		hmac_update(&h, "what do ya want for nothing?", 28);
		hmac_final(&h, out);
		ck_assert_mem_eq(out, want, md_len(alg));
	}
}
END_TEST

START_TEST(hmac_of_every_length)
{
	uint8_t data[300], out[MD_MAX], want[EVP_MAX_MD_SIZE];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + 1);
	for (int alg = MD_MD5; alg < MD_COUNT; alg++) {
		ck_assert_uint_eq(md_len(alg), (size_t)EVP_MD_get_size(evp(alg)));
		ck_assert_uint_eq(md_block(alg), (size_t)EVP_MD_get_block_size(evp(alg)));
		for (size_t n = 0; n <= sizeof(data); n++) {
			struct hmac key, h;
			unsigned len;

			hmac_init(&key, alg, data, n);
			h = key; /* a key is used many times */
			hmac_update(&h, data, sizeof(data) - n);
			hmac_final(&h, out);
			HMAC(evp(alg), data, (int)n, data, sizeof(data) - n, want, &len);
			ck_assert_mem_eq(out, want, len);
			memset(out, 0, sizeof(out));
			hmac_once(&key, data, sizeof(data) - n, out);
			ck_assert_mem_eq(out, want, len);
			h = key;
			hmac_final(&h, out);
			HMAC(evp(alg), data, (int)n, data, 0, want, &len);
			ck_assert_mem_eq(out, want, len);
		}
	}
}
END_TEST

UNIT_MAIN("md", hashes_abc, hmac_vectors, hmac_of_every_length)
