/* SPDX-License-Identifier: BSD-3-Clause */
#include "aeadvecs.h"

static const struct aeads_vector vectors[] = {
	{ CIPHER_ARIA_128_GCM, "RFC 8269, A.2.1", "e91e5e75da65554a48181f3846349562",
		"000020e8f5eb00000000315e", "8008315ebf2e6fe020e8f5eb",
		"f57af5fd4ae19562976ec57a5a7ad55a5af5c5e5c5fdf5c55ad57a4a7272d572"
		"62e9729566ed66e97ac54a4a5a7ad5e15ae5fdd5fd5ac5d56ae56ad5c572d54a"
		"e54ac55a956afd6aed5a4ac562957a9516991691d572fd14e97ae962ed7a9f4a"
		"955af572e162f57a956666e17ae1f54a95f566d54a66e16e4afd6a9f7ae1c5c5"
		"5ae5d56afde916c5e94a6ec56695e14afde1148416e94ad57ac5146ed59d1cc5",
		"4d8a9a0675550c704b17d8c9ddc81a5cd6f7da34f2fe1b3db7cb3dfb9697102e"
		"a0f3c1fc2dbc873d44bceeae8e4442974ba21ff6789d3272613fb9631a7cf3f1"
		"4bacbeb421633a90ffbe58c2fa6bdca534f10d0de0502ce1d531b6336e588782"
		"78531e5c22bc6c85bbd784d78d9e680aa19031aaf89101d669d7a3965c1f7e16"
		"229d7463e0535f4e253f5d18187d40b8ae0f564bd970b5e7e2adfb211e89a953",
		"5abace3f37f5a736f4be984bbffbedc1" },
	{ CIPHER_AES_128_CCM, "Wycheproof aes_ccm_test, 1", "bedcfb5a011ebc84600fcb296c15af0d",
		"438a547a94ea88dce46c6c85", "", "", "", "25d1a38495a7dea45bda049705627d10" },
	{ CIPHER_AES_128_CCM, "Wycheproof aes_ccm_test, 13", "d97c9b043bdccfd59491a995e78f1696",
		"ef423240358830df915506a3", "3ddba7b3ab69c8b2",
		"f047594a5cffda64303a80b2fa6a957169", "e0caf2a9d50f70ecaa43b4a287c3b34a99",
		"cff4c61882b413b686ff35b63a3a73de" },
};

START_TEST(published_vectors)
{
	aeads_vectors(&aead_openssl, aeads_gcm, sizeof(aeads_gcm) / sizeof(*aeads_gcm));
	aeads_vectors(&aead_openssl, aeads_chacha, sizeof(aeads_chacha) / sizeof(*aeads_chacha));
	aeads_vectors(&aead_openssl, vectors, sizeof(vectors) / sizeof(*vectors));
}
END_TEST

START_TEST(every_length)
{
	aeads_each(&aead_openssl, aeads_lengths);
}
END_TEST

START_TEST(random_messages)
{
	aeads_each(&aead_openssl, aeads_random);
}
END_TEST

START_TEST(forged_messages)
{
	aeads_each(&aead_openssl, aeads_forged);
}
END_TEST

START_TEST(other_keys)
{
	aeads_each(&aead_openssl, aeads_other_keys);
}
END_TEST

START_TEST(wiped)
{
	aeads_each(&aead_openssl, aeads_wiped);
}
END_TEST

/* One block by the cipher alone. */
static void encrypt_block(const struct sealer *s, const uint8_t in[16], uint8_t out[16])
{
	int n;

	ck_assert_int_eq(EVP_EncryptUpdate(s->ctx, out, &n, in, 16), 1);
	ck_assert_int_eq(n, 16);
}

/* CBC-MAC: x = E(x + block) for each block of p, the last one filled up with zeros. */
static void cbc_mac(const struct sealer *s, uint8_t x[16], const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		x[i % 16] ^= p[i];
		if (i % 16 == 15 || i + 1 == n)
			encrypt_block(s, x, x);
	}
}

/* CCM by the formula (RFC 3610, 2; L = 3), in place; `tag_len` bytes of tag follow. */
static void ccm_by_hand(
	const struct sealer *s, const struct aead_msg *m, uint8_t *p, size_t tag_len)
{
	uint8_t x[16] = { (uint8_t)((m->aad_len ? 0x40 : 0) | (tag_len - 2) / 2 << 3 | 2) };
	uint8_t aad[2 + 16] = { 0, (uint8_t)m->aad_len }, a[16] = { 2 }, ks[16];

	EVP_EncryptInit_ex2(s->ctx, s->evp, s->keys.key, NULL, NULL);
	memcpy(x + 1, m->nonce, 12);
	memcpy(a + 1, m->nonce, 12);
	put_be16(x + 14, (uint16_t)m->len);
	memcpy(aad + 2, m->aad, m->aad_len);
	encrypt_block(s, x, x);
	cbc_mac(s, x, aad, m->aad_len ? 2 + m->aad_len : 0);
	cbc_mac(s, x, p, m->len);
	for (size_t i = 0; i < m->len; i++) {
		put_be16(a + 14, (uint16_t)(i / 16 + 1));
		encrypt_block(s, a, ks);
		p[i] ^= ks[i % 16];
	}
	put_be16(a + 14, 0);
	encrypt_block(s, a, ks);
	for (size_t i = 0; i < tag_len; i++)
		p[m->len + i] = x[i] ^ ks[i];
}

/* What the sealer makes by EVP is made from single blocks here: a misuse of EVP is not repeated. */
static void by_the_formula(struct aeads *a)
{
	const struct cipher *c = suite_cipher(a->key.alg);
	const bool aes = strncmp(c->name, "AES-", 4) == 0;
	struct record_keys keys = { .suite = aeads_suite(a->key.alg), .version = TLS12 };
	uint8_t buf[300 + 16];
	struct sealer s;

	if (!aes)
		return;
	for (int i = 0; i < 60; i++) {
		aeads_key(a);
		aeads_seal(a, i < 40 ? (size_t)i : aeads_rnd(a) % 300, (size_t)i % 17);
		memcpy(keys.key, a->raw, 32);
		memcpy(buf, a->text, a->msg.len);
		sealer_init(&s, &keys);
		EVP_CIPHER_free(s.evp);
		s.evp = EVP_CIPHER_fetch(
			seal_lib(), c->key_len == 16 ? "AES-128-ECB" : "AES-256-ECB", NULL);
		if (c->mode == MODE_CCM)
			ccm_by_hand(&s, &a->msg, buf, c->tag_len);
		else
			seal_gcm_by_hand(
				&s, a->msg.nonce, a->msg.aad, a->msg.aad_len, buf, a->msg.len);
		memcpy(a->in, buf, a->msg.len);
		memcpy(a->tag, buf + a->msg.len, c->tag_len);
		aeads_expect_text(a);
		sealer_fini(&s);
		a->key.aead->wipe(&a->key);
	}
}

START_TEST(made_by_the_formula)
{
	aeads_each(&aead_openssl, by_the_formula);
}
END_TEST

START_TEST(which_it_can)
{
	struct opener_env env = { 0 };

	for (int alg = 0; alg < CIPHER_COUNT; alg++) {
		const struct cipher *c = suite_cipher((enum cipher_alg)alg);

		ck_assert(!aead_openssl.can(&env, (enum cipher_alg)alg)); /* not fetched */
		env.evp[alg] = c->evp ? EVP_CIPHER_fetch(seal_lib(), c->evp, NULL) : NULL;
		ck_assert_int_eq(
			aead_openssl.can(&env, (enum cipher_alg)alg), env.evp[alg] && c->tag_len);
		EVP_CIPHER_free(env.evp[alg]);
	}
}
END_TEST

UNIT_MAIN("aead_openssl", published_vectors, every_length, random_messages, forged_messages,
	other_keys, wiped, made_by_the_formula, which_it_can)
