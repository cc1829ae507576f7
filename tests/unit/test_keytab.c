/* SPDX-License-Identifier: BSD-3-Clause */
#include "keytabs.h"

START_TEST(lines_complete_one_another)
{
	struct keytab *t = keytabs_new(16, 0);
	struct key_entry e;

	ck_assert_int_eq(keytabs_get(t, 1, &e), V_NO_KEY);
	ck_assert_int_eq(keytabs_put(t, KEY_CLIENT_HANDSHAKE, 1, 1, 32, 0), V_OK);
	ck_assert_int_eq(keytabs_put(t, KEY_SERVER_HANDSHAKE, 1, 2, 32, 0), V_OK);
	ck_assert_int_eq(keytabs_put(t, KEY_CLIENT_TRAFFIC, 1, 3, 48, 0), V_OK);
	ck_assert_int_eq(keytabs_put(t, KEY_SERVER_TRAFFIC, 1, 4, 48, 0), V_OK);
	ck_assert_int_eq(keytabs_put(t, KEY_CLIENT_EARLY, 1, 5, 32, 0), V_OK);
	ck_assert_int_eq(keytabs_put(t, KEY_MASTER, 1, 6, 48, 0), V_OK);
	ck_assert_int_eq(keytabs_put(t, KEY_PREMASTER, 1, 7, KEY_PREMASTER_MAX, 0), V_OK);
	ck_assert_uint_eq(keytab_count(t), 1);
	ck_assert_int_eq(keytabs_get(t, 1, &e), V_OK);
	ck_assert(e.handshake[0].len == 32 && keytabs_all(e.handshake[0].data, 32, 1));
	ck_assert(e.handshake[1].len == 32 && keytabs_all(e.handshake[1].data, 32, 2));
	ck_assert(e.traffic[0].len == 48 && keytabs_all(e.traffic[0].data, 48, 3));
	ck_assert(e.traffic[1].len == 48 && keytabs_all(e.traffic[1].data, 48, 4));
	ck_assert(e.client_early.len == 32 && keytabs_all(e.client_early.data, 32, 5));
	ck_assert(e.master.len == 48 && keytabs_all(e.master.data, 48, 6));
	ck_assert(e.premaster_len == KEY_PREMASTER_MAX);
	ck_assert(keytabs_all(e.premaster, KEY_PREMASTER_MAX, 7));
	/* A shorter secret leaves nothing of the longer one behind. */
	ck_assert_int_eq(keytabs_put(t, KEY_CLIENT_TRAFFIC, 1, 8, 32, 0), V_OK);
	ck_assert_int_eq(keytabs_put(t, KEY_PREMASTER, 1, 9, 48, 0), V_OK);
	ck_assert_int_eq(keytabs_get(t, 1, &e), V_OK);
	ck_assert(keytabs_all(e.traffic[0].data, 32, 8) &&
		keytabs_all(e.traffic[0].data + 32, 16, 0));
	ck_assert(keytabs_all(e.premaster, 48, 9) &&
		keytabs_all(e.premaster + 48, KEY_PREMASTER_MAX - 48, 0));
	keytabs_free(t);
}
END_TEST

START_TEST(refuses)
{
	struct keytab *t = keytabs_new(16, 0);
	struct keylog_line l;

	ck_assert_int_eq(keytabs_put(t, KEY_MASTER, 1, 1, KEY_SECRET_MAX + 1, 0), V_KEY_LEN);
	ck_assert_int_eq(keytabs_put(t, KEY_MASTER, 1, 1, 0, 0), V_KEY_LEN);
	ck_assert_int_eq(keytabs_put(t, KEY_PREMASTER, 1, 1, KEY_PREMASTER_MAX + 1, 0), V_KEY_LEN);
	ck_assert_int_eq(keytabs_put(t, KEY_UNUSED, 1, 1, 32, 0), V_MORE);
	l = keytabs_line(KEY_MASTER, 1, 1, 48);
	l.id_len = 0;
	ck_assert_int_eq(keytab_put(t, &l, 0), V_KEY_LEN);
	l.id_len = 33;
	ck_assert_int_eq(keytab_put(t, &l, 0), V_KEY_LEN);
	ck_assert_uint_eq(keytab_count(t), 0);
	ck_assert_uint_eq(keytab_version(t), 0);
	keytabs_free(t);
}
END_TEST

START_TEST(version_rises_with_news_only)
{
	struct keytab *t = keytabs_new(16, 0);
	uint32_t v = keytab_version(t);

	keytabs_put(t, KEY_MASTER, 1, 1, 48, 0);
	ck_assert_uint_gt(keytab_version(t), v);
	keytabs_put(t, KEY_PREMASTER, 1, 1, 48, 0);
	v = keytab_version(t);
	keytabs_put(t, KEY_MASTER, 1, 1, 48, 1);
	keytabs_put(t, KEY_PREMASTER, 1, 1, 48, 1);
	ck_assert_uint_eq(keytab_version(t), v);
	keytabs_put(t, KEY_MASTER, 1, 2, 48, 1);
	ck_assert_uint_gt(keytab_version(t), v);
	keytabs_free(t);
}
END_TEST

START_TEST(full_table_gives_up_the_oldest)
{
	struct keytab *t = keytabs_new(64, 0);
	struct key_entry e;

	for (uint32_t i = 0; i < 64; i++)
		ck_assert_int_eq(keytabs_put(t, KEY_MASTER, i, (uint8_t)i, 48, i), V_OK);
	keytabs_put(t, KEY_MASTER, 0, 99, 48, 64); /* no longer the oldest */
	for (uint32_t i = 64; i < 1000; i++) {
		ck_assert_int_eq(keytabs_put(t, KEY_MASTER, i, (uint8_t)i, 48, i), V_KEY_FULL);
		ck_assert_uint_le(keytab_count(t), 64);
		if (i == 64) {
			ck_assert_int_eq(keytabs_get(t, 0, &e), V_OK);
			ck_assert_int_eq(keytabs_get(t, 1, &e), V_NO_KEY);
		}
	}
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_int_eq(keytabs_get(t, i, &e), i < 1000 - 64 ? V_NO_KEY : V_OK);
	keytabs_free(t);
}
END_TEST

START_TEST(smallest_table)
{
	struct keytab *t = keytabs_new(0, 0);
	struct key_entry e;

	ck_assert_int_eq(keytabs_put(t, KEY_MASTER, 1, 1, 48, 0), V_OK);
	ck_assert_int_eq(keytabs_put(t, KEY_PREMASTER, 2, 1, 48, 0), V_KEY_FULL);
	ck_assert_int_eq(keytabs_get(t, 1, &e), V_NO_KEY);
	ck_assert_int_eq(keytabs_get(t, 2, &e), V_OK);
	ck_assert_uint_eq(keytab_count(t), 1);
	keytabs_free(t);
}
END_TEST

/* One bucket for many names: eight live in it, whatever else is free. */
START_TEST(full_bucket)
{
	struct keytab *t = keytabs_new(3, 0); /* one bucket, three slots */
	struct key_entry e;

	for (uint32_t i = 0; i < 100; i++)
		keytabs_put(t, KEY_MASTER, i, 1, 48, i);
	ck_assert_uint_eq(keytab_count(t), 3);
	for (uint32_t i = 97; i < 100; i++)
		ck_assert_int_eq(keytabs_get(t, i, &e), V_OK);
	keytabs_free(t);
	t = keytabs_new(4096, 0);
	for (uint32_t i = 0; i < 4096; i++)
		keytabs_put(t, KEY_MASTER, i, 1, 48, i);
	/* Buckets of a full table hardly ever overflow. */
	ck_assert_uint_ge(keytab_count(t), 4096 - 16);
	keytabs_free(t);
}
END_TEST

START_TEST(premasters_are_bounded)
{
	struct keytab *t = keytabs_new(512, 0);
	struct key_entry e;

	keytabs_put(t, KEY_MASTER, 0, 1, 48, 0);
	for (uint32_t i = 0; i < 64; i++)
		ck_assert_int_eq(keytabs_put(t, KEY_PREMASTER, i, (uint8_t)i, 100, 0), V_OK);
	ck_assert_int_eq(keytabs_put(t, KEY_PREMASTER, 64, 64, 100, 0), V_KEY_FULL);
	ck_assert_int_eq(
		keytabs_get(t, 0, &e), V_OK); /* lost its premaster, not its master secret */
	ck_assert_uint_eq(e.premaster_len, 0);
	ck_assert(keytabs_all(e.premaster, KEY_PREMASTER_MAX, 0));
	ck_assert_uint_eq(e.master.len, 48);
	ck_assert_int_eq(keytabs_put(t, KEY_PREMASTER, 65, 65, 100, 0), V_KEY_FULL);
	ck_assert_int_eq(keytabs_get(t, 1, &e), V_NO_KEY); /* had nothing else */
	for (uint32_t i = 2; i < 66; i++) {
		ck_assert_int_eq(keytabs_get(t, i, &e), V_OK);
		ck_assert(e.premaster_len == 100 && keytabs_all(e.premaster, 100, (uint8_t)i));
	}
	ck_assert_uint_eq(keytab_count(t), 65);
	keytabs_free(t);
}
END_TEST

START_TEST(expires)
{
	struct keytab *t = keytabs_new(4096, 10);
	struct key_entry e;

	keytabs_put(t, KEY_MASTER, 1, 1, 48, 0xfffffff8u); /* any origin: the clock may wrap */
	keytabs_put(t, KEY_PREMASTER, 2, 1, 48, 0xfffffffcu);
	keytab_expire(t, 1);
	ck_assert_int_eq(keytabs_get(t, 1, &e), V_OK);
	keytab_expire(t, 2);
	ck_assert_int_eq(keytabs_get(t, 1, &e), V_NO_KEY);
	keytabs_put(t, KEY_PREMASTER, 2, 1, 48, 3); /* put again: starts anew */
	keytab_expire(t, 12);
	ck_assert_int_eq(keytabs_get(t, 2, &e), V_OK);
	keytab_expire(t, 13);
	ck_assert_int_eq(keytabs_get(t, 2, &e), V_NO_KEY);
	ck_assert_uint_eq(keytab_count(t), 0);
	for (uint32_t i = 0; i < 3000; i++)
		keytabs_put(t, KEY_MASTER, i, 1, 48, 20);
	keytab_expire(t, 100);
	ck_assert_uint_gt(keytab_count(t), 0); /* bounded work a call */
	for (int i = 0; i < 8; i++)
		keytab_expire(t, 100);
	ck_assert_uint_eq(keytab_count(t), 0);
	keytabs_free(t);
}
END_TEST

/* No byte of a secret is left once its entry is gone, or the table is. */
START_TEST(leaves_nothing)
{
	struct keytab_cfg cfg = { .max_entries = 256, .ttl_s = 5, .seed = 1 };
	size_t n = keytab_bytes(&cfg);
	uint8_t *mem = aligned_alloc(64, n);
	struct keytab *t;
	size_t run = 0;

	memset(mem, 0, n);
	t = keytab_init(mem, &cfg);
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < 100; i++) {
			keytabs_put(t, KEY_MASTER, i, 0xa5, 48, 0);
			keytabs_put(t, KEY_PREMASTER, i, 0xa5, 200, 0);
		}
		if (pass == 0)
			keytab_expire(t, 5);
		else
			keytab_fini(t);
		for (size_t i = 0; i < n; i++) {
			run = mem[i] == 0xa5 ? run + 1 : 0;
			ck_assert_uint_lt(run, 4);
		}
	}
	free(mem);
}
END_TEST

START_TEST(idle_memory_is_untouched)
{
	struct keytab_cfg cfg = { .max_entries = 1 << 14, .ttl_s = 0, .seed = 1 };
	size_t n = keytab_bytes(&cfg), touched = 0;
	uint8_t *mem = aligned_alloc(64, n);
	struct keytab *t;

	memset(mem, 0, n);
	t = keytab_init(mem, &cfg);
	for (uint32_t i = 0; i < 10; i++)
		keytabs_put(t, KEY_MASTER, i, 1, 48, 0);
	for (size_t i = 0; i + 4096 <= n; i += 4096)
		touched += !keytabs_all(mem + i, 4096, 0);
	ck_assert_uint_le(touched, 16);
	keytab_fini(t);
	free(mem);
}
END_TEST

UNIT_MAIN("keytab", lines_complete_one_another, refuses, version_rises_with_news_only,
	full_table_gives_up_the_oldest, smallest_table, full_bucket, premasters_are_bounded,
	expires, leaves_nothing, idle_memory_is_untouched)
