/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "tls/suite.h"

START_TEST(is_sorted_and_found)
{
	uint32_t n;
	const struct suite *t = suite_table(&n);

	ck_assert_uint_gt(n, 300);
	for (uint32_t i = 0; i < n; i++) {
		ck_assert(!i || t[i - 1].id < t[i].id);
		ck_assert_ptr_eq(suite_find(t[i].id), &t[i]);
		ck_assert_int_eq(strncmp(t[i].name, "TLS_", 4), 0);
	}
	for (uint32_t id = 0, found = 0; id <= 0xffff; id++) {
		const struct suite *s = suite_find((uint16_t)id);

		ck_assert(!s || s->id == id);
		found += s != NULL;
		ck_assert(id < 0xffff || found == n);
	}
}
END_TEST

START_TEST(lengths_agree)
{
	for (int alg = 0; alg < CIPHER_COUNT; alg++) {
		const struct cipher *c = suite_cipher(alg);
		bool aead = c->mode >= MODE_GCM;

		ck_assert_ptr_nonnull(c->name);
		ck_assert_uint_le(c->key_len, 32);
		ck_assert_uint_le(c->iv_len, 16);
		ck_assert_uint_le(c->export_len, c->key_len);
		ck_assert_uint_eq(aead, c->tag_len != 0);
		ck_assert_uint_eq(c->mode == MODE_CBC, c->block_len != 0);
		ck_assert(c->mode != MODE_CBC || c->iv_len == c->block_len);
		ck_assert_uint_eq(c->mode == MODE_NULL, c->key_len == 0);
	}
}
END_TEST

/* The name says what the columns must say: two ways to write the same thing. */
START_TEST(names_agree_with_columns)
{
	uint32_t n;
	const struct suite *t = suite_table(&n);

	for (uint32_t i = 0; i < n; i++) {
		const struct cipher *c = suite_cipher(t[i].cipher);
		const char *name = t[i].name, *last = strrchr(name, '_') + 1;
		bool aead = strstr(name, "GCM") || strstr(name, "CCM") || strstr(name, "POLY1305");

		ck_assert_msg(aead == (c->tag_len != 0), "%s", name);
		ck_assert_msg(!aead || t[i].mac == MD_NONE, "%s", name);
		ck_assert_msg(!strstr(name, "CCM_8") == (c->tag_len != 8), "%s", name);
		ck_assert_msg(!strstr(name, "EXPORT") == !c->export_len, "%s", name);
		ck_assert_msg((strcmp(last, "SHA384") == 0) == (t[i].prf == MD_SHA384), "%s", name);
		ck_assert_msg(strcmp(last, "SHA") || t[i].mac == MD_SHA1, "%s", name);
		ck_assert_msg(strcmp(last, "MD5") || t[i].mac == MD_MD5, "%s", name);
		ck_assert_msg((strcmp(last, "SM3") == 0) == (t[i].prf == MD_NONE), "%s", name);
		if (strstr(name, "_128_"))
			ck_assert_msg(c->key_len == 16, "%s", name);
		if (strstr(name, "_256_") && !strstr(last, "SHA384"))
			ck_assert_msg(c->key_len == 32, "%s", name);
	}
}
END_TEST

START_TEST(known_ids)
{
	static const struct {
		uint16_t id;
		const char *name, *cipher;
		enum md_alg mac, prf;
	} known[] = {
		{ 0x0005, "TLS_RSA_WITH_RC4_128_SHA", "RC4-128", MD_SHA1, MD_SHA256 },
		{ 0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "3DES-EDE-CBC", MD_SHA1, MD_SHA256 },
		{ 0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", "AES-128-CBC", MD_SHA1, MD_SHA256 },
		{ 0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256", "AES-256-CBC", MD_SHA256, MD_SHA256 },
		{ 0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES-128-GCM", MD_NONE, MD_SHA256 },
		{ 0x1301, "TLS_AES_128_GCM_SHA256", "AES-128-GCM", MD_NONE, MD_SHA256 },
		{ 0x1302, "TLS_AES_256_GCM_SHA384", "AES-256-GCM", MD_NONE, MD_SHA384 },
		{ 0x1303, "TLS_CHACHA20_POLY1305_SHA256", "ChaCha20-Poly1305", MD_NONE, MD_SHA256 },
		{ 0x1305, "TLS_AES_128_CCM_8_SHA256", "AES-128-CCM-8", MD_NONE, MD_SHA256 },
		{ 0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "AES-128-CBC", MD_SHA1, MD_SHA256 },
		{ 0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "AES-256-CBC", MD_SHA384,
			MD_SHA384 },
		{ 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "AES-128-GCM", MD_NONE,
			MD_SHA256 },
		{ 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "AES-256-GCM", MD_NONE,
			MD_SHA384 },
		{ 0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "AES-128-CCM-8", MD_NONE,
			MD_SHA256 },
		{ 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ChaCha20-Poly1305",
			MD_NONE, MD_SHA256 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const struct suite *s = suite_find(known[i].id);

		ck_assert_str_eq(s->name, known[i].name);
		ck_assert_str_eq(suite_cipher(s->cipher)->name, known[i].cipher);
		ck_assert_int_eq(s->mac, known[i].mac);
		ck_assert_int_eq(s->prf, known[i].prf);
	}
	ck_assert_ptr_null(suite_find(0x0a0a)); /* GREASE */
	ck_assert_ptr_null(suite_find(0x00ff)); /* a signal, not a suite */
	ck_assert_ptr_null(suite_find(0xffff));
}
END_TEST

UNIT_MAIN("suite", is_sorted_and_found, lengths_agree, names_agree_with_columns, known_ids)
