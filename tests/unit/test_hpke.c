/* SPDX-License-Identifier: BSD-3-Clause */
#include "keybus/hpke.h"

#include <errno.h>
#include <stdio.h>

#include "unit.h"

/* RFC 9180, appendix A.1.1 */
static const char *const sk_e = "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736";
static const char *const pk_r = "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d";
static const char *const sk_r = "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8";
static const char *const enc_hex =
	"37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431";
static const struct hpke_bytes pt = { "Beauty is truth, truth beauty", 29 };
static const struct hpke_bytes info = { "Ode on a Grecian Urn", 20 };
static const struct {
	uint64_t seq;
	const char *ct;
} sealed[] = {
	{ 0,
		"f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
		"6d8770ac83d07bea87e13c512a" },
	{ 1,
		"af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab25"
		"1c03d0c22a56b8ca42c2063b84" },
	{ 2,
		"498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e173cb7251649158"
		"8d96a19ad4a683518973dcc180" },
	{ 4,
		"583bd32bc67a5994bb8ceaca813d369bca7b2a42408cddef5e22f880b631215a"
		"09fc0012bc69fccaa251c0246d" },
	{ 255,
		"7175db9717964058640a3a11fb9007941a5d1757fda1a6935c805c21af32505b"
		"f106deefec4a49ac38d71c9e0a" },
	{ 256,
		"957f9800542b0b8891badb026d79cc54597cb2d225b54c00c5238c25d05c30e3"
		"fbeda97d2e0e1aba483a2df9f2" },
};

static struct hpke sender, receiver;
static uint8_t enc[HPKE_ENC_LEN];

static void setup(void)
{
	uint8_t sk[32], pk[32], want[32];
	EVP_PKEY *key;

	unhex(sk, sk_e);
	unhex(pk, pk_r);
	ck_assert_int_eq(hpke_seal_setup(&sender, NULL, pk, info, sk, enc), 0);
	unhex(want, enc_hex);
	ck_assert_mem_eq(enc, want, 32);
	unhex(sk, sk_r);
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, sk, 32);
	ck_assert_int_eq(hpke_open_setup(&receiver, NULL, key, info, enc), 0);
	EVP_PKEY_free(key);
	unhex(want, "56d890e5accaaf011cff4b7d");
	ck_assert_mem_eq(sender.base_nonce, want, 12);
	ck_assert_mem_eq(receiver.base_nonce, want, 12);
}

static void teardown(void)
{
	hpke_fini(&sender);
	hpke_fini(&receiver);
}

START_TEST(vectors)
{
	setup();
	for (size_t i = 0; i < sizeof(sealed) / sizeof(*sealed); i++) {
		uint8_t want[45], out[45];
		char text[16];
		struct hpke_bytes aad = { text, 0 }, ct = { want, sizeof(want) };

		aad.len = (size_t)sprintf(text, "Count-%d", (int)sealed[i].seq);
		ck_assert_uint_eq(unhex(want, sealed[i].ct), sizeof(want));
		ck_assert_int_eq(hpke_seal(&sender, sealed[i].seq, aad, pt, out), 0);
		ck_assert_mem_eq(out, want, sizeof(want));
		ck_assert_int_eq(hpke_open(&receiver, sealed[i].seq, aad, ct, out), 0);
		ck_assert_mem_eq(out, pt.data, pt.len);
		memset(out, 0, sizeof(out));
		ck_assert_int_eq(hpke_peek(&receiver, sealed[i].seq, ct, out), 0);
		ck_assert_mem_eq(out, pt.data, pt.len);
	}
	teardown();
}
END_TEST

START_TEST(anything_else_is_refused)
{
	struct hpke_bytes aad = { "Count-0", 7 };
	static const uint8_t zeros[29];
	uint8_t good[45], out[45];

	setup();
	unhex(good, sealed[0].ct);
	for (size_t n = 0; n < sizeof(good); n++) {
		uint8_t *cut = malloc(n + 1);

		memcpy(cut, good, n);
		ck_assert_int_eq(
			hpke_open(&receiver, 0, aad, (struct hpke_bytes){ cut, n }, out), -EBADMSG);
		free(cut);
		memcpy(out, pt.data, pt.len);
		good[n] ^= 1;
		ck_assert_int_eq(hpke_open(&receiver, 0, aad, (struct hpke_bytes){ good, 45 }, out),
			-EBADMSG);
		ck_assert_mem_eq(out, zeros, 29); /* nothing of it comes out */
		good[n] ^= 1;
	}
	ck_assert_int_eq(
		hpke_open(&receiver, 1, aad, (struct hpke_bytes){ good, 45 }, out), -EBADMSG);
	aad.data = "Count-1";
	ck_assert_int_eq(
		hpke_open(&receiver, 0, aad, (struct hpke_bytes){ good, 45 }, out), -EBADMSG);
	teardown();
}
END_TEST

/* Public keys whose shared secret is zero whatever the private key is (RFC 7748, section 6.1). */
START_TEST(small_order)
{
	static const char *const bad[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	};
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	uint8_t pk[32];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		unhex(pk, bad[i]);
		ck_assert_int_eq(hpke_seal_setup(&sender, NULL, pk, info, NULL, enc), -EINVAL);
		ck_assert_int_eq(hpke_open_setup(&receiver, NULL, key, info, pk), -EINVAL);
	}
	EVP_PKEY_free(key);
}
END_TEST

UNIT_MAIN("hpke", vectors, anything_else_is_refused, small_order)
