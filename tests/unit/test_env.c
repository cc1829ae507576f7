/* SPDX-License-Identifier: BSD-3-Clause */
#include "tlsenv.h"

START_TEST(every_part_has_its_room)
{
	struct tls_env_cfg cfg = tlsenv_cfg();
	size_t n = tls_env_bytes(&cfg);
	struct tlsenv t;
	uint8_t *mem;

	tlsenv_init(&t, &cfg);
	mem = t.mem[1];
	for (int i = 0; i < 2; i++) {
		uint8_t *buf = pool_get(&t.env->buffers);

		ck_assert(buf >= mem && buf + RECORD_MAX <= mem + n);
		memset(buf, 0xff, RECORD_MAX); /* an overlap would break what follows */
	}
	ck_assert_ptr_null(pool_get(&t.env->buffers));
	memset(t.env->scratch, 0xff, RECORD_MAX);
	ck_assert_ptr_nonnull(opener_backend(t.env->openers, suite_find(0x1301)->cipher));
	ck_assert_uint_eq(keytab_count(t.env->resumed), 0);
	tlsenv_fini(&t);
	for (int i = 0; i <= 20; i += 5) {
		struct tls_env_cfg more = cfg;

		more.max_buffers += 1u << i; /* in size_t, not in 32 bits */
		ck_assert_uint_ge(tls_env_bytes(&more) - n, (size_t)RECORD_MAX << i);
	}
}
END_TEST

START_TEST(a_backend_that_is_not_there)
{
	struct tls_env_cfg cfg = tlsenv_cfg();
	const struct keytab_cfg keys = { .max_entries = 64 };
	void *key_mem = tlsenv_zeros(keytab_bytes(&keys));
	void *mem = tlsenv_zeros(tls_env_bytes(&cfg));

	cfg.backend = "abacus";
	ck_assert_ptr_null(tls_env_init(mem, &cfg, keytab_init(key_mem, &keys)));
	free(mem);
	free(key_mem);
}
END_TEST

START_TEST(trials_are_paid_for_with_time)
{
	struct tls_env_cfg cfg = tlsenv_cfg();
	uint64_t now = 1700000000000000000u;
	struct trial_spent spent = { 0 };
	struct tlsenv t;

	tlsenv_init(&t, &cfg);
	ck_assert(tls_env_try(t.env, &spent, 1u << 30)); /* offline there is no bound */
	tlsenv_fini(&t);
	cfg.trial_rate = 100;
	cfg.trial_share = UINT16_MAX;
	tlsenv_init(&t, &cfg);
	ck_assert(!tls_env_try(t.env, &spent, 1));
	tls_env_clock(t.env, now); /* time since ever: no more than what may be saved up */
	ck_assert_uint_eq(t.env->trial_bytes, 25600);
	ck_assert(tls_env_try(t.env, &spent, 25600));
	ck_assert(!tls_env_try(t.env, &spent, 1));
	tls_env_clock(t.env, now);
	ck_assert_uint_eq(t.env->trial_bytes, 0);
	tls_env_clock(t.env, now += 3 << 20);
	ck_assert_uint_eq(t.env->trial_bytes, 300);
	ck_assert(!tls_env_try(t.env, &spent, 301));
	ck_assert(tls_env_try(t.env, &spent, 299));
	for (int i = 0; i < 1000; i++)
		tls_env_clock(t.env, now += 1 << 20);
	ck_assert_uint_eq(t.env->trial_bytes, 25600);
	ck_assert_uint_eq(t.env->now_s, now / 1000000000);
	tlsenv_fini(&t);
}
END_TEST

/* One connection gets its share of a second, and each trial is at least a KB of it. */
START_TEST(trials_of_a_connection)
{
	struct tls_env_cfg cfg = tlsenv_cfg();
	uint64_t now = 1700000000000000000u;
	struct trial_spent one = { 0 }, other = { 0 };
	struct tlsenv t;

	cfg.trial_rate = 1 << 20;
	cfg.trial_share = 10;
	tlsenv_init(&t, &cfg);
	for (int second = 0; second < 300; second++) {
		tls_env_clock(t.env, now += 1000000000);
		ck_assert(!tls_env_try(t.env, &one, 10 << 10));
		ck_assert(tls_env_try(t.env, &one, (4 << 10) - 1));
		for (int i = 0; i < 6; i++)
			ck_assert(tls_env_try(t.env, &one, 1));
		ck_assert(!tls_env_affords(t.env, &one, 1));
		ck_assert(!tls_env_try(t.env, &one, 1));
		ck_assert(tls_env_try(t.env, &other, 1));
		ck_assert_uint_eq(t.env->trials_refused, 2 * (second + 1));
	}
	tlsenv_fini(&t);
}
END_TEST

START_TEST(a_lease_lasts_until_it_is_released)
{
	struct tls_env_cfg cfg = tlsenv_cfg();
	struct tlsenv t;
	struct lease *l;
	uint32_t hint = POOL_NONE, other = POOL_NONE;
	bool fresh;

	tlsenv_init(&t, &cfg);
	tls_env_release(t.env, "a", 0); /* holds none: nothing happens */
	l = tls_env_lease(t.env, "a", &hint, &fresh);
	ck_assert(l && l->opener && fresh);
	ck_assert_ptr_eq(tls_env_lease(t.env, "a", &hint, &fresh), l);
	ck_assert(!fresh);
	ck_assert_ptr_ne(tls_env_lease(t.env, "b", &other, &fresh), l);
	ck_assert(fresh);
	tls_env_release(t.env, "a", other); /* somebody else's */
	tls_env_lease(t.env, "b", &other, &fresh);
	ck_assert(!fresh);
	tls_env_release(t.env, "a", hint);
	ck_assert_ptr_eq(tls_env_lease(t.env, "a", &hint, &fresh), l);
	ck_assert(fresh); /* the keys of a released lease are not to be trusted */
	tlsenv_fini(&t);
}
END_TEST

START_TEST(who_used_it_longest_ago_loses_it)
{
	struct tls_env_cfg cfg = tlsenv_cfg();
	struct tlsenv t;
	uint32_t hint[4] = { 0 };
	bool fresh;

	cfg.max_openers = 3;
	tlsenv_init(&t, &cfg);
	for (int i = 0; i < 3; i++)
		tls_env_lease(t.env, &hint[i], &hint[i], &fresh);
	/* All were used: the hand takes their second chances away, and the first falls. */
	ck_assert_ptr_nonnull(tls_env_lease(t.env, &hint[3], &hint[3], &fresh));
	ck_assert_uint_eq(hint[3], hint[0]);
	tls_env_lease(t.env, &hint[1], &hint[1], &fresh);
	ck_assert(!fresh);
	tls_env_lease(t.env, &hint[0], &hint[0], &fresh); /* 1 was just used, 2 was not */
	ck_assert(fresh);
	ck_assert_uint_eq(hint[0], hint[2]);
	tlsenv_fini(&t);
}
END_TEST

START_TEST(pinned_leases_stay)
{
	struct tls_env_cfg cfg = tlsenv_cfg();
	struct tlsenv t;
	struct lease *l[2];
	uint32_t hint[3] = { 0 };
	bool fresh;

	tlsenv_init(&t, &cfg);
	for (int i = 0; i < 2; i++) {
		l[i] = tls_env_lease(t.env, &hint[i], &hint[i], &fresh);
		tls_env_pin(t.env, l[i], true);
	}
	ck_assert_ptr_null(tls_env_lease(t.env, &hint[2], &hint[2], &fresh));
	tls_env_pin(t.env, l[0], false);
	for (int i = 0; i < 5; i++) {
		ck_assert_ptr_eq(tls_env_lease(t.env, &t + i, &hint[2], &fresh), l[0]);
		ck_assert(fresh);
	}
	ck_assert_ptr_eq(tls_env_lease(t.env, &hint[1], &hint[1], &fresh), l[1]);
	ck_assert(!fresh);
	tls_env_release(t.env, &hint[1], hint[1]);
	ck_assert(!l[1]->pinned); /* who takes it next may be evicted */
	tlsenv_fini(&t);
}
END_TEST

UNIT_MAIN("env", every_part_has_its_room, a_backend_that_is_not_there,
	trials_are_paid_for_with_time, trials_of_a_connection, a_lease_lasts_until_it_is_released,
	who_used_it_longest_ago_loses_it, pinned_leases_stay)
