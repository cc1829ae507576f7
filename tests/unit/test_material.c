/* SPDX-License-Identifier: BSD-3-Clause */
#include "tlsenv.h"

#include "tls/kdf.h"
#include "tls/material.h"

static struct tlsenv t;
static struct session *s;

static void start(void)
{
	struct tls_env_cfg cfg = tlsenv_cfg();

	tlsenv_init(&t, &cfg);
	s = session_new(t.env);
}

static void stop(void)
{
	session_free(t.env, s);
	ck_assert_uint_eq(t.env->macs.used, 0);
	tlsenv_fini(&t);
}

static void same(const struct record_keys *a, const struct record_keys *b)
{
	const struct cipher *c = suite_cipher(a->suite->cipher);

	ck_assert_ptr_eq(a->suite, b->suite);
	ck_assert_uint_eq(a->version, b->version);
	ck_assert_int_eq(a->etm, b->etm);
	ck_assert_mem_eq(a->key, b->key, c->key_len);
	ck_assert_mem_eq(a->iv, b->iv, version_is_13(a->version) ? 12 : c->iv_len);
	ck_assert_mem_eq(a->mac, b->mac, md_len(a->suite->mac));
}

/* What every suite's keys are made of comes back as it was, for both directions at once. */
START_TEST(every_suite_comes_back)
{
	const uint8_t random[32] = { 1 }, master[48] = { 2 };
	const struct kdf_randoms randoms = { random, random };
	const struct suite *table;
	uint32_t n;

	table = suite_table(&n);
	start();
	for (uint32_t i = 0; i < n; i++) {
		struct record_keys in[2], out;

		if (table[i].id >> 8 == 0x13 || table[i].id == 0x00ff)
			continue;
		kdf_key_block(&table[i], TLS12, i & 1, master, &randoms, in);
		for (int d = 0; d < 2; d++)
			material_put(t.env, s, (enum tls_dir)d, &in[d]);
		for (int d = 0; d < 2; d++) {
			material_get(t.env, s, (enum tls_dir)d, &out);
			same(&in[d], &out);
		}
		ck_assert_uint_eq(t.env->macs.used, table[i].mac == MD_NONE ? 0 : 2);
	}
	stop();
}
END_TEST

START_TEST(keys_follow_from_the_traffic_secret)
{
	for (uint16_t id = 0x1301; id <= 0x1303; id++) {
		const uint8_t secret[48] = { 7, [47] = 9 };
		struct record_keys in, out;

		start();
		kdf_traffic_keys(suite_find(id), TLS13, secret, &in);
		material_put(t.env, s, C2S, &in);
		material_get(t.env, s, C2S, &out);
		same(&in, &out);
		ck_assert_mem_eq(in.secret, out.secret, md_len(in.suite->prf));
		stop();
	}
}
END_TEST

START_TEST(what_is_dropped_is_wiped)
{
	struct record_keys k = {
		.suite = suite_find(0x002f), .version = TLS10, .key = { 1 }, .mac = { 2 }
	};
	const struct material zero = { 0 };
	const uint8_t *mac;

	start();
	memset(s->material[S2C].server_random, 3, 32);
	material_drop(t.env, s, S2C); /* not known: the random stays */
	ck_assert_uint_eq(s->material[S2C].server_random[0], 3);
	material_put(t.env, s, S2C, &k);
	ck_assert(s->dir[S2C].known && !s->dir[S2C].runs_on);
	mac = pool_at(&t.env->macs, s->material[S2C].mac);
	ck_assert_uint_eq(mac[0], 2);
	material_drop(t.env, s, S2C);
	ck_assert(!s->dir[S2C].known);
	ck_assert_mem_eq(&s->material[S2C], &zero, sizeof(zero));
	ck_assert_mem_eq(mac + 8, (uint8_t[40]){ 0 }, 40); /* its head is the pool's now */
	stop();
}
END_TEST

UNIT_MAIN("material", every_suite_comes_back, keys_follow_from_the_traffic_secret,
	what_is_dropped_is_wiped)
