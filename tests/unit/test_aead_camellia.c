/* SPDX-License-Identifier: BSD-3-Clause */
#include "aeads.h"

static const struct aeads_vector vectors[] = {
	{ CIPHER_CAMELLIA_128_GCM, "worked out from single blocks (openssl enc) and GHASH",
		"00000000000000000000000000000000", "000000000000000000000000", "", "", "",
		"f5574acc3148dfcb9015200631024df9" },
	{ CIPHER_CAMELLIA_128_GCM, "worked out from single blocks (openssl enc) and GHASH",
		"00000000000000000000000000000000", "000000000000000000000000", "",
		"00000000000000000000000000000000", "defe3e0b5c54c94b4f2a0f5a46f6210d",
		"f672b94d192266c7c8c8dbb427cc989a" },
};

START_TEST(published_vectors)
{
	aeads_vectors(&aead_camellia, vectors, sizeof(vectors) / sizeof(*vectors));
}
END_TEST

/* The sealer makes GCM from single blocks: EVP has Camellia only without it. */
START_TEST(every_length)
{
	aeads_each(&aead_camellia, aeads_lengths);
}
END_TEST

START_TEST(random_messages)
{
	aeads_each(&aead_camellia, aeads_random);
}
END_TEST

START_TEST(forged_messages)
{
	aeads_each(&aead_camellia, aeads_forged);
}
END_TEST

START_TEST(other_keys)
{
	aeads_each(&aead_camellia, aeads_other_keys);
}
END_TEST

START_TEST(wiped)
{
	aeads_each(&aead_camellia, aeads_wiped);
}
END_TEST

/* The sealer stands on EVP's Camellia, and that on RFC 3713, appendix A. */
START_TEST(block_cipher_of_the_sealer)
{
	static const char *const blocks[][3] = {
		{ "CAMELLIA-128-ECB", "0123456789abcdeffedcba9876543210",
			"67673138549669730857065648eabe43" },
		{ "CAMELLIA-256-ECB",
			"0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff",
			"9acc237dff16d76c20ef7c919e3a7509" },
	};

	for (int i = 0; i < 2; i++) {
		EVP_CIPHER *c = EVP_CIPHER_fetch(seal_lib(), blocks[i][0], NULL);
		EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
		uint8_t key[32], want[16], got[16];
		int n;

		unhex(key, blocks[i][1]);
		unhex(want, blocks[i][2]);
		EVP_EncryptInit_ex2(ctx, c, key, NULL, NULL);
		EVP_EncryptUpdate(ctx, got, &n, key, 16); /* the text is the key's first half */
		ck_assert_mem_eq(got, want, 16);
		EVP_CIPHER_CTX_free(ctx);
		EVP_CIPHER_free(c);
	}
}
END_TEST

START_TEST(which_it_can)
{
	for (int alg = 0; alg < CIPHER_COUNT; alg++)
		ck_assert_int_eq(aead_camellia.can(NULL, (enum cipher_alg)alg),
			alg == CIPHER_CAMELLIA_128_GCM || alg == CIPHER_CAMELLIA_256_GCM);
}
END_TEST

UNIT_MAIN("aead_camellia", published_vectors, every_length, random_messages, forged_messages,
	other_keys, wiped, block_cipher_of_the_sealer, which_it_can)
