/* SPDX-License-Identifier: BSD-3-Clause */
#include "keybus/unseal.h"

#include <errno.h>

#include "keybus/seal.h"
#include "sealkeys.h"

static char path[64], pub[80], why[256];
static struct unseal *u;
static struct seal *s;

static void setup(void)
{
	snprintf(path, sizeof(path), "/tmp/test_unseal.%d", getpid());
	snprintf(pub, sizeof(pub), "%s.pub", path);
	sealkeys_make(path);
	ck_assert_int_eq(unseal_new(&u, NULL), 0);
	ck_assert_int_eq(unseal_add(u, path, why, sizeof(why)), 0);
	ck_assert_int_eq(seal_new(&s, NULL, pub, why, sizeof(why)), 0);
}

static void teardown(void)
{
	unseal_free(u);
	seal_free(s);
	sealkeys_remove(path);
}

static size_t text_of(uint8_t id, char *text)
{
	size_t n = (size_t)sprintf(text, "# sni=example.org\nCLIENT_TRAFFIC_SECRET_0 ");

	for (int i = 0; i < 32; i++)
		n += (size_t)sprintf(text + n, "%02x", id);
	return n + (size_t)sprintf(text + n, " %032d%032d\n", id, id);
}

static size_t seal_id(struct seal *with, uint8_t id, char *out)
{
	uint8_t random[32];
	char text[256];
	size_t len = text_of(id, text);
	ssize_t n;

	memset(random, id, 32);
	n = seal_text(with, random, (struct hpke_bytes){ text, len }, out, 512);
	ck_assert_int_gt(n, 0);
	return (size_t)n;
}

static ssize_t unseal(const char *payload, size_t len, uint8_t *out, uint8_t random[32])
{
	char *exact = malloc(len + 1);
	ssize_t n;

	memcpy(exact, payload, len);
	n = unseal_text(u, exact, len, out, random);
	free(exact);
	return n;
}

static void opens(const char *payload, size_t len, uint8_t id)
{
	uint8_t out[512], random[32], want[32];
	char text[256];
	size_t n = text_of(id, text);

	memset(want, id, 32);
	ck_assert_int_eq(unseal(payload, len, out, random), (int)n);
	ck_assert_mem_eq(out, text, n);
	ck_assert_mem_eq(random, want, 32);
}

/* In any order, of more senders than are remembered. */
START_TEST(many_senders)
{
	static char payload[UNSEAL_RECENT + 50][512];
	static size_t len[UNSEAL_RECENT + 50];

	setup();
	for (int i = 0; i < UNSEAL_RECENT + 50; i++) {
		if (i % 3 == 0)
			seal_renew(s);
		len[i] = seal_id(s, (uint8_t)i, payload[i]);
	}
	for (int i = 0; i < UNSEAL_RECENT + 50; i++)
		opens(payload[i], len[i], (uint8_t)i);
	for (int i = UNSEAL_RECENT + 49; i >= 0; i -= 7)
		opens(payload[i], len[i], (uint8_t)i);
	for (int i = 0; i < UNSEAL_RECENT + 50; i++) {
		seal_renew(s);
		len[i] = seal_id(s, (uint8_t)i, payload[i]);
	}
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < UNSEAL_RECENT + 50; i++)
			opens(payload[i], len[i], (uint8_t)i);
	teardown();
}
END_TEST

START_TEST(damaged)
{
	uint8_t out[512], random[32];
	char payload[512];
	size_t len;

	setup();
	seal_id(s, 1, payload);
	len = seal_id(s, 2, payload); /* ends in .1 */
	opens(payload, len, 2);
	for (size_t n = 0; n < len; n++) {
		ck_assert_int_lt(unseal(payload, n, out, random), 0);
		for (int bit = 0; bit < 8; bit++) {
			payload[n] ^= (char)(1 << bit);
			ck_assert_int_lt(unseal(payload, len, out, random), 0);
			payload[n] ^= (char)(1 << bit);
		}
	}
	opens(payload, len, 2);
	teardown();
}
END_TEST

START_TEST(numbers)
{
	static const char *const bad[] = { ".", ".0", ".01", ".1x", ".-1", ".1.", ".1 ",
		".99999999999999999999", ".2" };
	uint8_t out[512], random[32];
	char payload[600];
	size_t len;

	setup();
	seal_id(s, 1, payload);
	len = seal_id(s, 2, payload) - 2;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		strcpy(payload + len, bad[i]);
		ck_assert_int_lt(unseal(payload, strlen(payload), out, random), 0);
	}
	strcpy(payload + len, ".1");
	opens(payload, len + 2, 2);
	teardown();
}
END_TEST

/* Sealed under one name with text that bears another, or none. */
START_TEST(bound_to_its_connection)
{
	uint8_t out[512], random[32];
	char text[256], payload[512];
	size_t len;
	ssize_t n;

	setup();
	len = text_of(1, text);
	memset(random, 2, 32);
	n = seal_text(s, random, (struct hpke_bytes){ text, len }, payload, sizeof(payload));
	ck_assert_int_eq(unseal(payload, (size_t)n, out, random), -EBADMSG);
	n = seal_text(s, random, (struct hpke_bytes){ "hello", 5 }, payload, sizeof(payload));
	ck_assert_int_eq(unseal(payload, (size_t)n, out, random), -EBADMSG);
	n = seal_text(s, random, (struct hpke_bytes){ "", 0 }, payload, sizeof(payload));
	ck_assert_int_eq(unseal(payload, (size_t)n, out, random), -EBADMSG);
	teardown();
}
END_TEST

START_TEST(keys)
{
	char other[80], other_pub[90], payload[512];
	uint8_t out[512], random[32];
	struct seal *s2;
	size_t len;

	setup();
	snprintf(other, sizeof(other), "%s.other", path);
	snprintf(other_pub, sizeof(other_pub), "%s.pub", other);
	sealkeys_make(other);
	ck_assert_int_eq(seal_new(&s2, NULL, other_pub, why, sizeof(why)), 0);
	len = seal_id(s2, 3, payload);
	ck_assert_int_eq(unseal(payload, len, out, random), -ENOKEY);
	chmod(other, 0640);
	ck_assert_int_eq(unseal_add(u, other, why, sizeof(why)), -EPERM);
	chmod(other, 0600);
	ck_assert_int_eq(unseal_add(u, other, why, sizeof(why)), 0);
	opens(payload, len, 3);
	len = seal_id(s, 4, payload); /* and the first one is still in use */
	opens(payload, len, 4);
	chmod(other_pub, 0600);
	ck_assert_int_eq(unseal_add(u, other_pub, why, sizeof(why)), -EINVAL);
	sealkeys_remove(other);
	ck_assert_int_eq(unseal_add(u, other, why, sizeof(why)), -ENOENT);
	seal_free(s2);
	teardown();
}
END_TEST

UNIT_MAIN("unseal", many_senders, damaged, numbers, bound_to_its_connection, keys)
