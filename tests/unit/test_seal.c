/* SPDX-License-Identifier: BSD-3-Clause */
/* The form of what is sealed; that it opens again is proved by test_unseal.c. */
#include "keybus/seal.h"

#include <errno.h>
#include <regex.h>

#include "sealkeys.h"

static char path[64], pub[80], why[256];

static struct seal *sealer(void)
{
	struct seal *s;

	snprintf(path, sizeof(path), "/tmp/test_seal.%d", getpid());
	snprintf(pub, sizeof(pub), "%s.pub", path);
	sealkeys_make(path);
	ck_assert_msg(seal_new(&s, NULL, pub, why, sizeof(why)) == 0, "%s", why);
	return s;
}

static const char *seal_one(struct seal *s, size_t len)
{
	static char out[4096], text[2048];
	uint8_t random[32] = { 0 };
	ssize_t n = seal_text(s, random, (struct hpke_bytes){ text, len }, out, SEAL_SIZE(len));

	ck_assert_int_ge(n, 0);
	ck_assert_uint_eq(strlen(out), (size_t)n);
	return out;
}

static void matches(const char *text, const char *pattern)
{
	regex_t re;

	ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&re, text, 0, NULL, 0) == 0, "%s", text);
	regfree(&re);
}

/* The first has no number, the next ones count; a new encapsulation begins again. */
START_TEST(form)
{
	struct seal *s = sealer();
	char first[128];

	matches(seal_one(s, 0), "^sealed:v1:[0-9a-f]{16}:[A-Za-z0-9_-]{64}$");
	strcpy(first, seal_one(s, 0));
	matches(first, "^sealed:v1:[0-9a-f]{16}:[A-Za-z0-9_-]{64}\\.1$");
	ck_assert_mem_eq(first, seal_one(s, 0), 27 + 42); /* the same enc */
	seal_renew(s);
	matches(seal_one(s, 1), ":[A-Za-z0-9_-]{66}$");
	ck_assert_mem_eq(first, seal_one(s, 0), 27);
	ck_assert_mem_ne(first, seal_one(s, 0), 27 + 42); /* another enc */
	for (size_t n = 0; n < 2000; n += 97)
		seal_one(s, n);
	seal_free(s);
	sealkeys_remove(path);
}
END_TEST

START_TEST(key_id)
{
	uint8_t pk[32] = { 0 };
	char id[SEAL_ID_LEN + 1];

	seal_key_id(NULL, pk, id); /* SHA-256 of 32 zeros */
	ck_assert_str_eq(id, "66687aadf862bd77");
}
END_TEST

START_TEST(refused)
{
	struct seal *s = sealer();
	uint8_t random[32] = { 0 };
	char out[128];

	ck_assert_int_eq(
		seal_text(s, random, (struct hpke_bytes){ "x", 1 }, out, SEAL_SIZE(1) - 1), -E2BIG);
	seal_free(s);
	ck_assert_int_eq(seal_new(&s, NULL, path, why, sizeof(why)), -EINVAL); /* the private one */
	ck_assert_ptr_nonnull(strstr(why, "keygen"));
	ck_assert_ptr_null(s);
	sealkeys_remove(path);
	ck_assert_int_eq(seal_new(&s, NULL, pub, why, sizeof(why)), -ENOENT);
}
END_TEST

UNIT_MAIN("seal", form, key_id, refused)
