/* SPDX-License-Identifier: BSD-3-Clause */
#include "tlsenv.h"

#include "tls/kdf.h"
#include "tls/secrets.h"

static struct tlsenv t;
static struct session *s;

/* A session as it is after both hellos. */
static void start(uint16_t version, uint16_t suite)
{
	struct tls_env_cfg cfg = tlsenv_cfg();

	tlsenv_init(&t, &cfg);
	s = session_new(t.env);
	s->version = version;
	s->suite_id = suite;
	s->has_random = true;
	memset(s->client_random, 0xc1, 32);
	ck_assert_ptr_nonnull(negotiation_get(t.env, s));
	memset(s->neg->server_random, 0x5e, 32);
}

static void stop(void)
{
	session_free(t.env, s);
	tlsenv_fini(&t);
}

static enum verdict traffic(enum tls_dir d, enum epoch epoch, uint16_t generation)
{
	const struct era era = { (uint8_t)epoch, generation };
	uint8_t secret[48];

	return secrets_traffic(t.env, s, d, &era, secret);
}

/* The secret looked up begins with @p first. */
static void expect_traffic(enum tls_dir d, enum epoch epoch, uint16_t generation, uint8_t first)
{
	const struct era era = { (uint8_t)epoch, generation };
	uint8_t secret[48] = { 0 };

	ck_assert_int_eq(secrets_traffic(t.env, s, d, &era, secret), V_OK);
	ck_assert_uint_eq(secret[0], first);
}

static enum verdict master(uint8_t *first)
{
	uint8_t m[48] = { 0 };
	enum verdict v = secrets_master(t.env, s, m);

	*first = m[0];
	return v;
}

START_TEST(each_epoch_has_its_secret)
{
	static const enum key_label labels[] = { KEY_CLIENT_EARLY, KEY_CLIENT_HANDSHAKE,
		KEY_SERVER_HANDSHAKE, KEY_CLIENT_TRAFFIC, KEY_SERVER_TRAFFIC };

	start(TLS13, 0x1301);
	ck_assert_int_eq(traffic(C2S, EPOCH_DATA, 0), V_NO_KEY);
	for (uint8_t i = 0; i < 5; i++)
		tlsenv_put(t.keys, labels[i], KEY_BY_RANDOM, s->client_random,
			(uint8_t)(10 * i + 1), 32);
	expect_traffic(C2S, EPOCH_EARLY, 0, 1);
	expect_traffic(C2S, EPOCH_HANDSHAKE, 0, 11);
	expect_traffic(S2C, EPOCH_HANDSHAKE, 0, 21);
	expect_traffic(C2S, EPOCH_DATA, 0, 31);
	expect_traffic(S2C, EPOCH_DATA, 0, 41);
	ck_assert_int_eq(traffic(S2C, EPOCH_DATA, 1), V_NO_KEY);
	s->suite_id = 0x1302; /* SHA-384: of 32 bytes no secret of it can be */
	ck_assert_int_eq(traffic(S2C, EPOCH_DATA, 0), V_NO_KEY);
	s->suite_id = 0;
	ck_assert_int_eq(traffic(S2C, EPOCH_DATA, 0), V_SUITE);
	s->suite_id = 0x1301;
	s->has_random = false;
	ck_assert_int_eq(traffic(S2C, EPOCH_DATA, 0), V_NO_HELLO);
	stop();
}
END_TEST

START_TEST(a_generation_and_a_tuple_are_names_of_their_own)
{
	struct keylog_line line = { .label = KEY_SERVER_TRAFFIC,
		.id_kind = KEY_BY_RANDOM,
		.generation = 3,
		.id_len = 32,
		.secret_len = 48,
		.secret = { 77 } };

	start(TLS13, 0x1302);
	memcpy(line.id, s->client_random, 32);
	ck_assert_int_eq(keytab_put(t.keys, &line, 0), V_OK);
	expect_traffic(S2C, EPOCH_DATA, 3, 77);
	ck_assert_int_eq(traffic(S2C, EPOCH_DATA, 2), V_NO_KEY);
	s->by_tuple = true;
	ck_assert_int_eq(traffic(S2C, EPOCH_DATA, 3), V_NO_KEY);
	tlsenv_put(t.keys, KEY_SERVER_TRAFFIC, KEY_BY_TUPLE, s->client_random, 88, 48);
	expect_traffic(S2C, EPOCH_DATA, 0, 88);
	stop();
}
END_TEST

START_TEST(a_master_secret_by_random)
{
	uint8_t first;

	start(TLS12, 0xc02f);
	ck_assert_int_eq(master(&first), V_NO_KEY);
	tlsenv_put(t.keys, KEY_MASTER, KEY_BY_RANDOM, s->client_random, 5, 48);
	ck_assert_int_eq(master(&first), V_OK);
	ck_assert_uint_eq(first, 5);
	session_release(t.env, s); /* the handshake is over and forgotten */
	ck_assert_int_eq(master(&first), V_OK);
	s->suite_id = 0;
	ck_assert_int_eq(master(&first), V_SUITE);
	s->suite_id = 0xc02f;
	s->has_random = false;
	ck_assert_int_eq(master(&first), V_NO_HELLO);
	stop();
}
END_TEST

START_TEST(a_premaster_secret_by_its_ciphertext)
{
	uint8_t got[48], want[48], pre[48];

	start(TLS12, 0x002f);
	for (uint8_t i = 0; i < 48; i++)
		pre[i] = (uint8_t)(3 + i);
	tlsenv_put(t.keys, KEY_PREMASTER, KEY_BY_EPMS, "12345678", 3, 48);
	ck_assert_int_eq(secrets_master(t.env, s, got), V_NO_KEY);
	memcpy(s->neg->epms, "12345678", 8);
	s->neg->has_epms = true;
	ck_assert_int_eq(secrets_master(t.env, s, got), V_OK);
	/* RFC 5246, 8.1 */
	kdf_prf(&(struct kdf_secret){ TLS12, MD_SHA256, rd_init(pre, 48) }, "master secret",
		rd_init(s->client_random, 32), rd_init(s->neg->server_random, 32), want, 48);
	ck_assert_mem_eq(got, want, 48);
	stop();
}
END_TEST

START_TEST(an_extended_master_secret_waits_for_its_hash)
{
	struct transcript *tr;
	uint8_t got[48], want[48], pre[48], hash[36];
	struct md md;

	for (uint8_t i = 0; i < 48; i++)
		pre[i] = (uint8_t)(9 + i);
	for (uint16_t version = TLS11; version <= TLS12; version++) {
		size_t n = 0;

		start(version, 0x002f);
		tr = &s->neg->transcript;
		tlsenv_put(t.keys, KEY_PREMASTER, KEY_BY_RANDOM, s->client_random, 9, 48);
		s->neg->ems = tr->on = true;
		for (int i = 0; i < 2; i++) {
			md_init(&md, version == TLS12 ? MD_SHA256 : i ? MD_SHA1 : MD_MD5);
			md_update(&md, "handshake", 9);
			tr->md[i] = md;
			md_final(&md, hash + n);
			n += i && version == TLS12 ? 0 : md_len(md.alg);
		}
		ck_assert_int_eq(secrets_master(t.env, s, got), V_NO_KEY);
		tr->closed = true;
		for (int twice = 0; twice < 2; twice++) { /* the running hash is not spent */
			ck_assert_int_eq(secrets_master(t.env, s, got), V_OK);
			kdf_prf(&(struct kdf_secret){ version, MD_SHA256, rd_init(pre, 48) },
				"extended master secret", rd_init(hash, n), rd_init(NULL, 0), want,
				48); /* RFC 7627, 4 */
			ck_assert_mem_eq(got, want, 48);
		}
		stop();
	}
}
END_TEST

/* "Decrypts" what begins with 1. */
static bool decrypt(void *arg, const uint8_t *in, size_t len, uint8_t premaster[48])
{
	*(int *)arg += 1;
	memset(premaster, 0xaa, 48);
	return in[0] == 1 && len == 128;
}

START_TEST(a_premaster_secret_by_the_servers_key)
{
	uint8_t in[128] = { 1 }, got[48], want[48], pre[48];
	int asked = 0;

	start(TLS12, 0x002f);
	memset(pre, 0xaa, 48);
	s->neg->has_epms = true;
	memcpy(s->neg->epms, in, 8);
	secrets_rsa(t.env, s, rd_init(in, sizeof(in))); /* nobody holds a key */
	t.env->decrypt = decrypt;
	t.env->decrypt_arg = &asked;
	secrets_rsa(t.env, s, rd_init(in, 7));
	ck_assert_int_eq(asked, 0);
	in[0] = 2;
	secrets_rsa(t.env, s, rd_init(in, sizeof(in)));
	in[0] = 1;
	ck_assert_int_eq(secrets_master(t.env, s, got), V_NO_KEY);
	secrets_rsa(t.env, s, rd_init(in, sizeof(in)));
	ck_assert_int_eq(asked, 2);
	ck_assert_int_eq(secrets_master(t.env, s, got), V_OK);
	kdf_prf(&(struct kdf_secret){ TLS12, MD_SHA256, rd_init(pre, 48) }, "master secret",
		rd_init(s->client_random, 32), rd_init(s->neg->server_random, 32), want, 48);
	ck_assert_mem_eq(got, want, 48);
	stop();
}
END_TEST

/* As the next connection sees it: another random, the same tables. */
static void next_connection(void)
{
	session_free(t.env, s);
	s = session_new(t.env);
	s->version = TLS12;
	s->suite_id = 0xc02f;
	s->has_random = true;
	memset(s->client_random, 0xc2, 32);
	ck_assert_ptr_nonnull(negotiation_get(t.env, s));
}

static void set_session_id(uint8_t client, uint8_t server)
{
	s->neg->client_session_len = s->neg->server_session_len = 32;
	memset(s->neg->client_session_id, client, 32);
	memset(s->neg->server_session_id, server, 32);
}

START_TEST(resumption_by_session_id)
{
	uint8_t first;

	start(TLS12, 0xc02f);
	tlsenv_put(t.keys, KEY_MASTER, KEY_BY_RANDOM, s->client_random, 5, 48);
	set_session_id(0, 0x11);
	ck_assert_int_eq(master(&first), V_OK);
	next_connection();
	set_session_id(0x11, 0x11);
	ck_assert_int_eq(master(&first), V_OK);
	ck_assert_uint_eq(first, 5);
	set_session_id(0x12, 0x11); /* not what the client offered: a full handshake */
	ck_assert_int_eq(master(&first), V_NO_KEY);
	set_session_id(0x12, 0x12);
	ck_assert_int_eq(master(&first), V_NO_KEY);
	tlsenv_put(t.keys, KEY_MASTER, KEY_BY_SESSION_ID, s->neg->server_session_id, 6, 48);
	ck_assert_int_eq(master(&first), V_OK);
	ck_assert_uint_eq(first, 6);
	stop();
}
END_TEST

START_TEST(resumption_by_ticket)
{
	uint8_t first;

	start(TLS12, 0xc02f);
	tlsenv_put(t.keys, KEY_MASTER, KEY_BY_RANDOM, s->client_random, 5, 48);
	s->neg->has_new_ticket = true;
	memset(s->neg->new_ticket, 0x33, 32);
	ck_assert_int_eq(master(&first), V_OK);
	next_connection();
	s->neg->has_ticket = true;
	memset(s->neg->ticket, 0x34, 32);
	ck_assert_int_eq(master(&first), V_NO_KEY);
	memset(s->neg->ticket, 0x33, 32);
	s->neg->hello_done = true; /* the server did not take it */
	ck_assert_int_eq(master(&first), V_NO_KEY);
	s->neg->hello_done = false;
	s->neg->has_new_ticket = true; /* a fresh one, for the connection after this */
	memset(s->neg->new_ticket, 0x35, 32);
	ck_assert_int_eq(master(&first), V_OK);
	ck_assert_uint_eq(first, 5);
	next_connection();
	s->neg->has_ticket = true;
	memset(s->neg->ticket, 0x35, 32);
	ck_assert_int_eq(master(&first), V_OK);
	ck_assert_uint_eq(first, 5);
	stop();
}
END_TEST

UNIT_MAIN("secrets", each_epoch_has_its_secret, a_generation_and_a_tuple_are_names_of_their_own,
	a_master_secret_by_random, a_premaster_secret_by_its_ciphertext,
	a_premaster_secret_by_the_servers_key, an_extended_master_secret_waits_for_its_hash,
	resumption_by_session_id, resumption_by_ticket)
