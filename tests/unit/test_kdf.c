/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "tls/kdf.h"

static uint8_t pattern[1024];
static const struct rd none;
static const struct kdf_randoms randoms = { pattern + 100, pattern + 200 };

static void fill(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 167 + (i >> 3));
}

/* The PRF as OpenSSL computes it; digest "MD5-SHA1" is that of TLS 1.0 and 1.1. */
static void evp_prf(const char *digest, struct rd secret, const char *label, struct rd seed,
	uint8_t *out, size_t out_len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	uint8_t all[512];
	size_t n = strlen(label);
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (void *)(uintptr_t)digest, 0),
		OSSL_PARAM_octet_string(
			OSSL_KDF_PARAM_SECRET, (void *)(uintptr_t)secret.p, rd_left(&secret)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SEED, all, n + rd_left(&seed)),
		OSSL_PARAM_END,
	};

	params[0].data_size = strlen(digest);
	memcpy(all, label, n);
	memcpy(all + n, seed.p, rd_left(&seed));
	ck_assert_int_eq(EVP_KDF_derive(ctx, out, out_len, params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

/* RFC 8448, section 3: secret, key, iv. */
START_TEST(traffic_keys_of_rfc8448)
{
	static const char *trace[][3] = {
		{ "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
			"dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f" },
		{ "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
			"3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30" },
		{ "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
			"17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9" },
		{ "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
			"9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984" },
	};

	for (size_t i = 0; i < sizeof(trace) / sizeof(*trace); i++) {
		uint8_t secret[32], key[16], iv[12];
		struct record_keys k;

		unhex(secret, trace[i][0]);
		unhex(key, trace[i][1]);
		unhex(iv, trace[i][2]);
		kdf_traffic_keys(suite_find(0x1301), TLS13, secret, &k);
		ck_assert_mem_eq(k.key, key, 16);
		ck_assert_mem_eq(k.iv, iv, 12);
		ck_assert_uint_eq(k.version, TLS13);
		ck_assert_ptr_eq(k.suite, suite_find(0x1301));
	}
}
END_TEST

/* RFC 8448, section 3: derive-secret of the early secret, server finished key. */
START_TEST(labels_of_rfc8448)
{
	uint8_t secret[32], context[32], want[32], out[32];

	unhex(secret, "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
	unhex(context, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	unhex(want, "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");
	kdf_expand_label(MD_SHA256, rd_init(secret, 32), "derived", rd_init(context, 32), out, 32);
	ck_assert_mem_eq(out, want, 32);
	unhex(secret, "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
	unhex(want, "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8");
	kdf_expand_label(MD_SHA256, rd_init(secret, 32), "finished", none, out, 32);
	ck_assert_mem_eq(out, want, 32);
}
END_TEST

/* HKDF-Expand of OpenSSL, with the label built by hand, over lengths that need several blocks. */
START_TEST(expand_label_of_every_length)
{
	static const uint8_t info[] = "\0\0\021tls13 traffic upd";
	uint8_t label[sizeof(info)], out[200], want[200];
	struct {
		enum md_alg md;
		const char *name;
	} hash[] = { { MD_SHA256, "SHA256" }, { MD_SHA384, "SHA384" } };
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;

	fill();
	memcpy(label, info, sizeof(info)); /* the terminator is the empty context */
	for (size_t n = 1; n <= 200; n++) {
		EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);

		label[1] = (uint8_t)n;
		for (int i = 0; i < 2; i++) {
			EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
			char name[8];
			OSSL_PARAM params[] = {
				OSSL_PARAM_int(OSSL_KDF_PARAM_MODE, &mode),
				OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 6),
				OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, pattern, 48),
				OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, label, sizeof(label)),
				OSSL_PARAM_END,
			};

			strcpy(name, hash[i].name);
			ck_assert_int_eq(EVP_KDF_derive(ctx, want, n, params), 1);
			kdf_expand_label(
				hash[i].md, rd_init(pattern, 48), "traffic upd", none, out, n);
			ck_assert_mem_eq(out, want, n);
			EVP_KDF_CTX_free(ctx);
		}
		EVP_KDF_free(kdf);
	}
	memcpy(out, pattern, 48);
	kdf_traffic_update(suite_find(0x1302), out);
	kdf_expand_label(MD_SHA384, rd_init(pattern, 48), "traffic upd", none, want, 48);
	ck_assert_mem_eq(out, want, 48);
}
END_TEST

/* The vectors that went round the TLS working group for the PRF of TLS 1.2. */
START_TEST(prf_vectors)
{
	uint8_t secret[16], seed[16], want[148], out[148];
	struct kdf_secret s = { .version = TLS12, .bytes = rd_init(secret, 16) };
	size_t n;

	unhex(secret, "9bbe436ba940f017b17652849a71db35");
	unhex(seed, "a0ba9f936cda311827a6f796ffd5198c");
	n = unhex(want,
		"e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
		"6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
		"4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
		"87347b66");
	s.md = MD_SHA256;
	kdf_prf(&s, "test label", rd_init(seed, 16), none, out, n);
	ck_assert_mem_eq(out, want, n);
	unhex(secret, "b80b733d6ceefcdc71566ea48e5567df");
	unhex(seed, "cd665cf6a8447dd6ff8b27555edb7465");
	n = unhex(want,
		"7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd"
		"e9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd"
		"8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
		"9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee6"
		"91c8f3a26854308d5eaa3be85e0990703d73e56f");
	s.md = MD_SHA384;
	kdf_prf(&s, "test label", rd_init(seed, 8), rd_init(seed + 8, 8), out, n);
	ck_assert_mem_eq(out, want, n);
}
END_TEST

START_TEST(prf_against_openssl)
{
	static const struct {
		uint16_t version;
		enum md_alg md;
		const char *name;
	} prf[] = {
		{ TLS10, MD_SHA256, "MD5-SHA1" },
		{ TLS11, MD_SHA384, "MD5-SHA1" },
		{ TLS12, MD_SHA256, "SHA256" },
		{ TLS12, MD_SHA384, "SHA384" },
	};
	uint8_t out[256], want[256];

	fill();
	for (size_t i = 0; i < 4; i++) {
		struct kdf_secret s = { prf[i].version, prf[i].md, none };

		/* The halves of an odd secret share a byte; 512 is the premaster of a long DH. */
		for (size_t n = 1; n <= 512; n += n < 150 ? 1 : 61) {
			s.bytes = rd_init(pattern, n);
			kdf_prf(&s, "label", rd_init(pattern, 32), rd_init(pattern + 99, 32), out,
				n % 256 + 1);
			memcpy(want, pattern, 32);
			memcpy(want + 32, pattern + 99, 32);
			evp_prf(prf[i].name, rd_init(pattern, n), "label", rd_init(want, 64), want,
				n % 256 + 1);
			ck_assert_mem_eq(out, want, n % 256 + 1);
		}
		s.bytes = rd_init(pattern, 48);
		kdf_master(&s, &(struct kdf_randoms){ pattern + 1, pattern + 33 }, out);
		evp_prf(prf[i].name, rd_init(pattern, 48), "master secret",
			rd_init(pattern + 1, 64), want, 48);
		ck_assert_mem_eq(out, want, 48);
		kdf_master_ems(&s, rd_init(pattern + 5, 36), out);
		evp_prf(prf[i].name, rd_init(pattern, 48), "extended master secret",
			rd_init(pattern + 5, 36), want, 48);
		ck_assert_mem_eq(out, want, 48);
	}
}
END_TEST

START_TEST(key_block_is_cut_in_order)
{
	static const struct {
		uint16_t suite, version;
		size_t mac, key, iv;
	} cut[] = {
		{ 0x002f, TLS10, 20, 16, 16 },
		{ 0xc028, TLS12, 48, 32, 16 },
		{ 0x009c, TLS12, 0, 16, 4 },
		{ 0xcca8, TLS12, 0, 32, 12 },
		{ 0x0004, TLS11, 16, 16, 0 },
		{ 0x000a, TLS12, 20, 24, 8 },
	};
	uint8_t want[192], seed[64];
	struct record_keys k[2];

	fill();
	memcpy(seed, pattern + 200, 32); /* server random first */
	memcpy(seed + 32, pattern + 100, 32);
	for (size_t i = 0; i < sizeof(cut) / sizeof(*cut); i++) {
		const struct suite *s = suite_find(cut[i].suite);
		const char *md = cut[i].version < TLS12 ? "MD5-SHA1" :
			s->prf == MD_SHA384             ? "SHA384" :
							  "SHA256";
		uint8_t *p = want;

		kdf_key_block(s, cut[i].version, true, pattern, &randoms, k);
		evp_prf(md, rd_init(pattern, 48), "key expansion", rd_init(seed, 64), want,
			sizeof(want));
		for (int d = 0; d < 2; d++, p += cut[i].mac)
			ck_assert_mem_eq(k[d].mac, p, cut[i].mac);
		for (int d = 0; d < 2; d++, p += cut[i].key)
			ck_assert_mem_eq(k[d].key, p, cut[i].key);
		for (int d = 0; d < 2; d++, p += cut[i].iv)
			ck_assert_mem_eq(k[d].iv, p, cut[i].iv);
		ck_assert(
			k[0].etm && k[1].etm && k[1].version == cut[i].version && k[0].suite == s);
	}
}
END_TEST

/* RFC 2246, section 6.3.1, for TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5: 16 of MAC, 5 of key a side. */
START_TEST(export_keys_of_tls10)
{
	uint8_t block[42], seed[64], want[16], iv[16];
	struct record_keys k[2];

	fill();
	memcpy(seed, pattern + 200, 32);
	memcpy(seed + 32, pattern + 100, 32);
	kdf_key_block(suite_find(0x0006), TLS10, false, pattern, &randoms, k);
	evp_prf("MD5-SHA1", rd_init(pattern, 48), "key expansion", rd_init(seed, 64), block,
		sizeof(block));
	ck_assert_mem_eq(k[1].mac, block + 16, 16);
	memcpy(seed, pattern + 100, 32);
	memcpy(seed + 32, pattern + 200, 32);
	evp_prf("MD5-SHA1", rd_init(block + 32, 5), "client write key", rd_init(seed, 64), want,
		16);
	ck_assert_mem_eq(k[0].key, want, 16);
	evp_prf("MD5-SHA1", rd_init(block + 37, 5), "server write key", rd_init(seed, 64), want,
		16);
	ck_assert_mem_eq(k[1].key, want, 16);
	kdf_prf(&(struct kdf_secret){ TLS10, MD_NONE, none }, "IV block", rd_init(seed, 64), none,
		iv, 16);
	ck_assert_mem_eq(k[0].iv, iv, 8);
	ck_assert_mem_eq(k[1].iv, iv + 8, 8);
}
END_TEST

/* MD5(secret + SHA(salt + secret + a + b)), by EVP. */
static void ssl3_block(const char *salt, const uint8_t *a, const uint8_t *b, uint8_t out[16])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sha[20];

	EVP_DigestInit_ex(ctx, EVP_sha1(), NULL);
	EVP_DigestUpdate(ctx, salt, strlen(salt));
	EVP_DigestUpdate(ctx, pattern, 48);
	EVP_DigestUpdate(ctx, a, 32);
	EVP_DigestUpdate(ctx, b, 32);
	EVP_DigestFinal_ex(ctx, sha, NULL);
	EVP_DigestInit_ex(ctx, EVP_md5(), NULL);
	EVP_DigestUpdate(ctx, pattern, 48);
	EVP_DigestUpdate(ctx, sha, 20);
	EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
}

START_TEST(ssl3_schedule)
{
	static const char *salt[] = { "A", "BB", "CCC", "DDDD", "EEEEE", "FFFFFF", "GGGGGGG" };
	const uint8_t *client = randoms.client, *server = randoms.server;
	uint8_t want[7 * 16], out[48], in[5 + 64];
	struct record_keys k[2];

	fill();
	for (int i = 0; i < 3; i++)
		ssl3_block(salt[i], client, server, want + 16 * i);
	kdf_master(&(struct kdf_secret){ SSL3, MD_SHA256, rd_init(pattern, 48) }, &randoms, out);
	ck_assert_mem_eq(out, want, 48);
	for (int i = 0; i < 7; i++)
		ssl3_block(salt[i], server, client, want + 16 * i);
	kdf_key_block(suite_find(0x000a), SSL3, false, pattern, &randoms, k);
	ck_assert_mem_eq(k[0].mac, want, 20);
	ck_assert_mem_eq(k[1].mac, want + 20, 20);
	ck_assert_mem_eq(k[0].key, want + 40, 24);
	ck_assert_mem_eq(k[1].key, want + 64, 24);
	ck_assert_mem_eq(k[0].iv, want + 88, 8);
	ck_assert_mem_eq(k[1].iv, want + 96, 8);
	kdf_key_block(suite_find(0x0003), SSL3, false, pattern, &randoms, k);
	memcpy(in, want + 32 + 5, 5);
	memcpy(in + 5, server, 32);
	memcpy(in + 37, client, 32);
	EVP_Digest(in, sizeof(in), out, NULL, EVP_md5(), NULL);
	ck_assert_mem_eq(k[1].key, out, 16);
	kdf_key_block(suite_find(0x0006), SSL3, false, pattern, &randoms, k);
	EVP_Digest(in + 5, 64, out, NULL, EVP_md5(), NULL);
	ck_assert_mem_eq(k[1].iv, out, 8);
}
END_TEST

/* A suite that is only known by name has no hash to derive with; nothing may loop or crash. */
START_TEST(suite_without_hash)
{
	uint8_t out[48] = { 0 }, zero[48] = { 0 };
	struct record_keys k[2];

	kdf_traffic_keys(suite_find(0x00c6), TLS13, pattern, k);
	ck_assert_mem_eq(k[0].key, zero, 32);
	kdf_traffic_update(suite_find(0x00c6), out);
	kdf_key_block(suite_find(0x00c6), TLS12, false, out, &randoms, k);
	ck_assert_mem_eq(k[1].key, zero, 32);
}
END_TEST

UNIT_MAIN("kdf", traffic_keys_of_rfc8448, labels_of_rfc8448, expand_label_of_every_length,
	prf_vectors, prf_against_openssl, key_block_is_cut_in_order, export_keys_of_tls10,
	ssl3_schedule, suite_without_hash)
