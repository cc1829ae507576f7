/* SPDX-License-Identifier: BSD-3-Clause */
#include "seal.h"
#include "tlsenv.h"

#include "tls/kdf.h"
#include "tls/secrets.h"
#include "tls/unlock.h"

#define TRIALS_MAX 256
#define SPAN 1024

static struct tlsenv t;
static struct session *s;
static struct session_dir *dir;
static uint8_t rec[RECORD_MAX + 512];
static int misses;

static void missed(void *arg, const uint8_t client_random[32])
{
	ck_assert_ptr_eq(arg, &misses);
	ck_assert_mem_eq(client_random, s->client_random, 32);
	misses++;
}

/* A session as it is after both hellos, the server's direction in this epoch. */
static void start(uint16_t version, uint16_t suite, enum epoch epoch)
{
	struct tls_env_cfg cfg = tlsenv_cfg();

	tlsenv_init(&t, &cfg);
	t.env->miss = missed;
	t.env->miss_arg = &misses;
	misses = 0;
	s = session_new(t.env);
	s->version = version;
	s->suite_id = suite;
	s->has_random = true;
	memset(s->client_random, 0xc1, 32);
	dir = &s->dir[S2C];
	dir->epoch = epoch;
	for (int d = 0; d < 2; d++)
		memset(s->material[d].server_random, 0x5e, 32);
}

static void stop(void)
{
	session_free(t.env, s);
	tlsenv_fini(&t);
}

static void put(enum key_label label, uint8_t first)
{
	const bool is_13 = label != KEY_MASTER;
	const struct suite *suite = session_suite(s);

	tlsenv_put(t.keys, label, s->by_tuple ? KEY_BY_TUPLE : KEY_BY_RANDOM, s->client_random,
		first,
		is_13 && suite ? (uint16_t)md_len(suite->prf) :
			is_13  ? 32 :
				 48);
}

/* The secret that put() stored, after so many KeyUpdates, as keys. */
static struct record_keys keys_of(uint16_t suite_id, uint8_t first, int generation)
{
	const struct suite *suite = suite_find(suite_id);
	struct record_keys k;
	uint8_t secret[48];

	for (int i = 0; i < 48; i++)
		secret[i] = (uint8_t)(first + i);
	while (generation--)
		kdf_traffic_update(suite, secret);
	kdf_traffic_keys(suite, s->version, secret, &k);
	return k;
}

/* The server's keys of TLS <= 1.2 by the master secret that put() stored. */
static struct record_keys block_of(uint8_t first)
{
	const uint8_t server_random[32] = { [0 ... 31] = 0x5e };
	const struct kdf_randoms randoms = { s->client_random, server_random };
	struct record_keys both[2];
	uint8_t master[48];

	for (int i = 0; i < 48; i++)
		master[i] = (uint8_t)(first + i);
	kdf_key_block(session_suite(s), s->version, s->etm, master, &randoms, both);
	return both[S2C];
}

/* Seal the next record of a direction that runs on (chains, key streams), and have its header read. */
static void next_record(struct sealer *from, uint64_t seq)
{
	const size_t n = seal(from, seq, 23, (const uint8_t *)"plain text", 10, rec);

	memcpy(dir->hdr, rec, 5);
	dir->body_len = (uint16_t)n;
}

static void record(const struct record_keys *k, uint64_t seq)
{
	struct sealer from;

	sealer_init(&from, k);
	next_record(&from, seq);
	sealer_fini(&from);
}

static enum verdict open_record(void)
{
	uint8_t *body = memcpy(malloc(dir->body_len), rec + 5, dir->body_len), type = 0;
	size_t len = 0;
	enum verdict v = unlock_open(t.env, s, S2C, body, &len, &type);

	free(body);
	for (uint32_t i = 0; i < t.cfg.max_openers; i++) { /* those lent for trials are back */
		const void *holder = t.env->lease[i].holder;

		ck_assert(!holder || holder == dir);
	}
	if (v == V_OK) {
		ck_assert_uint_eq(type, 23);
		ck_assert_uint_eq(len, 10);
		ck_assert_mem_eq(t.env->scratch, "plain text", 10);
	}
	return v;
}

START_TEST(says_why_not)
{
	static const struct {
		uint16_t version, suite;
		enum epoch epoch;
		uint8_t compression;
		enum verdict v;
	} facts[] = {
		{ 0, 0x009c, EPOCH_DATA, 0, V_NO_HELLO },
		{ TLS12, 0x009c, EPOCH_CLEAR, 0, V_NO_HELLO },
		{ 0x7f16, 0x1301, EPOCH_DATA, 0, V_VERSION }, /* drafts before 23 */
		{ 0x7f17, 0x1301, EPOCH_DATA, 0, V_NO_KEY },
		{ TLS12, 0, EPOCH_DATA, 0, V_SUITE },
		{ TLS12, 0xfafa, EPOCH_DATA, 0, V_SUITE },
		{ TLS13, 0x00c6, EPOCH_DATA, 0, V_SUITE }, /* SM4: nobody opens it */
		{ TLS12, 0x009c, EPOCH_DATA, 2, V_COMPRESSION },
		{ TLS12, 0x009c, EPOCH_DATA, 1, V_NO_KEY },
		{ TLS12, 0x009c, EPOCH_DATA, 0, V_NO_KEY },
		{ SSL3, 0x0005, EPOCH_DATA, 0, V_NO_KEY },
		{ TLS13, 0x1301, EPOCH_HANDSHAKE, 0, V_NO_KEY },
		{ TLS13, 0x1301, EPOCH_DATA, 0, V_NO_KEY },
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		start(facts[i].version, facts[i].suite, facts[i].epoch);
		s->compression = facts[i].compression & 3;
		for (int again = 0; again < 2; again++)
			ck_assert_int_eq(unlock_ready(t.env, s, S2C), facts[i].v);
		ck_assert_int_eq(misses, facts[i].v == V_NO_KEY); /* once */
		ck_assert(!dir->known && !s->keyed);
		stop();
	}
}
END_TEST

/* Whoever can find secrets elsewhere is asked once, and only by a name that means something there. */
START_TEST(a_miss_is_told_once)
{
	for (int kind = 0; kind < 3; kind++) {
		start(TLS13, 0x1301, EPOCH_DATA);
		s->by_tuple = kind == 1;
		t.env->miss = kind == 2 ? NULL : missed;
		for (uint8_t i = 0; i < 3; i++) {
			const uint8_t other[32] = { i };

			ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_NO_KEY);
			tlsenv_put(t.keys, KEY_MASTER, KEY_BY_RANDOM, other, 1, 48);
		}
		ck_assert_int_eq(misses, kind == 0);
		ck_assert(s->missed);
		stop();
	}
}
END_TEST

START_TEST(a_key_is_found_once_it_is_there)
{
	static const struct {
		uint16_t version, suite;
		enum epoch epoch;
		enum key_label label;
	} facts[] = {
		{ SSL3, 0x0005, EPOCH_DATA, KEY_MASTER },
		{ TLS10, 0x002f, EPOCH_DATA, KEY_MASTER },
		{ TLS12, 0x009c, EPOCH_DATA, KEY_MASTER },
		{ TLS13, 0x1301, EPOCH_HANDSHAKE, KEY_SERVER_HANDSHAKE },
		{ TLS13, 0x1302, EPOCH_DATA, KEY_SERVER_TRAFFIC },
		{ 0x7f1c, 0x1303, EPOCH_DATA, KEY_SERVER_TRAFFIC },
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		struct record_keys k;

		start(facts[i].version, facts[i].suite, facts[i].epoch);
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_NO_KEY);
		put(facts[i].label, 9);
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
		ck_assert(dir->known && s->keyed && misses == 1);
		k = facts[i].label == KEY_MASTER ? block_of(9) : keys_of(facts[i].suite, 9, 0);
		record(&k, 0);
		ck_assert_int_eq(open_record(), V_OK);
		stop();
	}
}
END_TEST

/* Only a later epoch's secret is there: its first record is tried with that, and named if it fails. */
START_TEST(candidates_of_later_epochs)
{
	static const struct {
		enum epoch epoch;
		enum key_label label;
		uint8_t generation;
		enum verdict name;
	} facts[] = {
		{ EPOCH_EARLY, KEY_SERVER_HANDSHAKE, 0, V_EARLY_DATA },
		{ EPOCH_EARLY, KEY_SERVER_TRAFFIC, 0, V_EARLY_DATA },
		{ EPOCH_HANDSHAKE, KEY_SERVER_TRAFFIC, 0, V_HANDSHAKE_KEY },
		{ EPOCH_HANDSHAKE, KEY_SERVER_TRAFFIC, 1, V_HANDSHAKE_KEY },
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		struct keylog_line line = { .label = facts[i].label,
			.id_kind = KEY_BY_RANDOM,
			.id_len = 32,
			.secret_len = 32,
			.generation = facts[i].generation };
		struct record_keys right, wrong;

		start(TLS13, 0x1301, facts[i].epoch);
		memcpy(line.id, s->client_random, 32);
		for (uint8_t j = 0; j < 32; j++)
			line.secret[j] = 9 + j;
		keytab_put(t.keys, &line, 0);
		right = keys_of(0x1301, 9, 0);
		wrong = keys_of(0x1301, 8, 0);
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_MORE);
		ck_assert_int_eq(misses, 0);
		record(&wrong, 0);
		ck_assert_int_eq(open_record(), facts[i].name);
		record(&right, 1); /* a new epoch begins at 0 */
		ck_assert_int_eq(open_record(), facts[i].name);
		ck_assert_uint_eq(dir->trials, 2);
		record(&right, 0);
		ck_assert_int_eq(open_record(), V_OK);
		ck_assert_uint_eq(dir->epoch,
			facts[i].label == KEY_SERVER_TRAFFIC ? EPOCH_DATA : EPOCH_HANDSHAKE);
		ck_assert_uint_eq(dir->generation, facts[i].generation);
		ck_assert(dir->known && s->keyed && dir->seq == 0 && dir->trials == 0);
		stop();
	}
}
END_TEST

/* Where records went by, a later epoch's number is not 0 any more. */
START_TEST(candidates_after_a_hole)
{
	static const struct {
		bool lost, adrift;
		uint64_t seq, number;
		enum verdict v;
	} facts[] = {
		{ false, false, 7, 1, V_HANDSHAKE_KEY },
		{ true, true, 7, SPAN - 1, V_OK },
		{ true, true, 7, SPAN, V_HANDSHAKE_KEY },
		{ false, true, 7, 7, V_OK }, /* no more than went by */
		{ false, true, 7, 8, V_HANDSHAKE_KEY },
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		struct record_keys k;

		start(TLS13, 0x1303, EPOCH_HANDSHAKE);
		put(KEY_SERVER_TRAFFIC, 9);
		k = keys_of(0x1303, 9, 0);
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_MORE);
		dir->lost = facts[i].lost;
		dir->adrift = facts[i].adrift;
		dir->seq = facts[i].seq;
		record(&k, facts[i].number);
		ck_assert_msg(open_record() == facts[i].v, "line %zu", i);
		if (facts[i].v == V_OK)
			ck_assert(dir->seq == facts[i].number && dir->epoch == EPOCH_DATA);
		stop();
	}
}
END_TEST

START_TEST(present_keys)
{
	struct record_keys k;

	start(TLS13, 0x1301, EPOCH_DATA);
	put(KEY_SERVER_TRAFFIC, 9);
	k = keys_of(0x1301, 9, 0);
	ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
	for (dir->seq = 0; dir->seq < 3; dir->seq++) {
		record(&k, dir->seq + 1); /* without a hole, no other number will do */
		ck_assert_int_eq(open_record(), V_TAG);
		record(&k, dir->seq);
		ck_assert_int_eq(open_record(), V_OK);
	}
	ck_assert_uint_eq(dir->trials, 0);
	stop();
}
END_TEST

/* After a hole: AES-GCM's number is computed, others are looked for. */
START_TEST(numbers_after_a_hole)
{
	static const struct {
		uint16_t version, suite;
		uint64_t ahead;
		enum verdict v;
	} facts[] = {
		{ TLS13, 0x1301, 0, V_OK },
		{ TLS13, 0x1301, 2, V_OK },
		{ TLS13, 0x1301, 3, V_OK },
		{ TLS13, 0x1301, SPAN, V_OK },
		{ TLS13, 0x1302, 1ull << 40, V_OK },
		{ TLS12, 0x009c, 1ull << 40, V_OK },
		{ TLS13, 0x1303, 0, V_OK },
		{ TLS13, 0x1303, 2, V_OK },
		{ TLS13, 0x1303, 3, V_OK },
		{ TLS13, 0x1303, SPAN - 1, V_OK },
		{ TLS13, 0x1303, SPAN, V_CUT },
		{ TLS13, 0x1304, SPAN - 1, V_OK },
		{ TLS12, 0xc0a0, SPAN, V_CUT }, /* CCM_8 */
		{ TLS12, 0x002f, SPAN - 1, V_OK },
		{ TLS12, 0x002f, SPAN, V_CUT },
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		const bool is_13 = facts[i].version == TLS13;
		struct record_keys k;

		start(facts[i].version, facts[i].suite, EPOCH_DATA);
		put(is_13 ? KEY_SERVER_TRAFFIC : KEY_MASTER, 9);
		k = is_13 ? keys_of(facts[i].suite, 9, 0) : block_of(9);
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
		dir->seq = 5;
		dir->lost = dir->adrift = true;
		record(&k, 5 + facts[i].ahead);
		ck_assert_msg(open_record() == facts[i].v, "line %zu", i);
		ck_assert_int_eq(dir->lost, facts[i].v != V_OK);
		ck_assert_uint_eq(dir->seq, facts[i].v == V_OK ? 5 + facts[i].ahead : 5);
		ck_assert_uint_eq(dir->trials, facts[i].v != V_OK);
		stop();
	}
}
END_TEST

/* KeyUpdates that the hole has swallowed. */
START_TEST(generations_after_a_hole)
{
	for (int ahead = 0; ahead <= 5; ahead++) {
		struct record_keys k;

		start(TLS13, 0x1301, EPOCH_DATA);
		put(KEY_SERVER_TRAFFIC, 9);
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
		dir->seq = 1000;
		dir->lost = true;
		k = keys_of(0x1301, 9, ahead);
		record(&k, 1);
		ck_assert_int_eq(open_record(), ahead <= 4 ? V_OK : V_CUT);
		ck_assert_uint_eq(dir->generation, ahead <= 4 ? ahead : 0);
		ck_assert_uint_eq(dir->seq, ahead <= 4 ? 1 : 1000);
		if (ahead <= 4) { /* and from there it goes on */
			record(&k, ++dir->seq);
			ck_assert_int_eq(open_record(), V_OK);
		}
		stop();
	}
}
END_TEST

/* Taken up in the middle: whatever suite the secret is long enough for. */
START_TEST(any_suite)
{
	static const uint16_t suites[] = { 0x1301, 0x1303, 0x1304, 0x1305 };

	for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++) {
		const uint8_t name[32] = { 0x77 };
		struct record_keys k;

		start(0, 0, EPOCH_CLEAR);
		session_attach(s, name);
		put(KEY_SERVER_TRAFFIC, 9);
		k = keys_of(0x1301, 8, 0);
		for (int vain = 0; vain < 7; vain++) {
			ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_MORE);
			record(&k, 0);
			ck_assert_int_eq(open_record(), V_NO_HELLO);
			ck_assert_uint_eq(s->suite_id, 0);
		}
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_MORE);
		k = keys_of(suites[i], 9, 0);
		record(&k, 321);
		ck_assert_int_eq(open_record(), V_OK);
		ck_assert_uint_eq(s->suite_id, suites[i]);
		ck_assert_uint_eq(dir->seq, 321);
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
		s->suite_id = 0; /* as if it had not */
		dir->known = false;
		dir->trials = 8;
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_NO_HELLO);
		dir->known = true;
		stop();
	}
}
END_TEST

/* Who forges records gets only so many of them tried, and only so many bytes. */
START_TEST(trials_are_bounded)
{
	struct record_keys good, bad;
	uint64_t before;

	start(TLS13, 0x1303, EPOCH_DATA);
	put(KEY_SERVER_TRAFFIC, 9);
	good = keys_of(0x1303, 9, 0);
	bad = keys_of(0x1303, 8, 0);
	ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
	dir->lost = true;
	t.env->trial_bytes = 0; /* refused, before anything is computed */
	record(&good, 0);
	ck_assert_int_eq(open_record(), V_CUT);
	ck_assert_uint_gt(t.env->trials_refused, 0);
	t.env->trial_bytes = UINT64_MAX;
	ck_assert_int_eq(open_record(), V_OK);
	dir->lost = true;
	record(&bad, 0);
	for (int i = 0; i < TRIALS_MAX; i++) {
		before = t.env->trial_bytes;
		ck_assert_int_eq(open_record(), V_CUT);
		ck_assert_uint_lt(t.env->trial_bytes, before);
	}
	before = t.env->trial_bytes;
	record(&good, 0);
	ck_assert_int_eq(open_record(), V_CUT);
	ck_assert_uint_eq(t.env->trial_bytes, before);
	stop();
}
END_TEST

/* Computing a number costs as much as opening four records, besides the near ones and the right one. */
START_TEST(computing_is_bounded)
{
	for (int enough = 0; enough < 2; enough++) {
		struct record_keys k;
		uint64_t trial;

		start(TLS13, 0x1301, EPOCH_DATA);
		put(KEY_SERVER_TRAFFIC, 9);
		k = keys_of(0x1301, 9, 0);
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
		dir->lost = true;
		record(&k, 99);
		trial = dir->body_len + 64u;
		t.env->trial_bytes = 4 * trial + 4u * dir->body_len - !enough;
		ck_assert_int_eq(open_record(), enough ? V_OK : V_CUT);
		ck_assert_int_eq(t.env->trials_refused > 0, !enough);
		if (enough)
			ck_assert_uint_eq(t.env->trial_bytes, 0);
		stop();
	}
}
END_TEST

/* No candidate is named for ever: then it is said which secret is missing. */
START_TEST(candidates_are_bounded)
{
	start(TLS13, 0x1301, EPOCH_HANDSHAKE);
	put(KEY_SERVER_TRAFFIC, 9);
	dir->trials = TRIALS_MAX - 1;
	ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_MORE);
	dir->trials = TRIALS_MAX;
	ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_HANDSHAKE_KEY);
	stop();
}
END_TEST

/* A key stream counts bytes, but not how many of those that are missing were in headers. */
START_TEST(key_stream_after_a_hole)
{
	static const struct {
		size_t records; /* that are missing, headers and all */
		bool lost;
		enum verdict v;
	} facts[] = { { 0, false, V_OK }, { 0, true, V_OK }, { 1, true, V_OK }, { 20, true, V_OK },
		{ 1, false, V_MAC } };

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		struct record_keys k;
		struct sealer from;
		uint64_t seq = 0;

		start(TLS12, 0x0005, EPOCH_DATA);
		put(KEY_MASTER, 9);
		k = block_of(9);
		sealer_init(&from, &k);
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
		s->material[S2C].passed = 0;
		while (seq < facts[i].records) {
			next_record(&from, seq++);
			s->material[S2C].passed += 5u + dir->body_len;
		}
		dir->lost = facts[i].lost;
		next_record(&from, seq);
		ck_assert_int_eq(open_record(), facts[i].v);
		if (facts[i].v == V_OK) {
			ck_assert_uint_eq(dir->seq, seq);
			ck_assert_uint_eq(s->material[S2C].passed, 0);
			ck_assert(t.env->lease[dir->lease].pinned); /* its stream is in it */
			next_record(&from, ++dir->seq);
			ck_assert_int_eq(open_record(), V_OK);
		}
		s->material[S2C].passed = UINT32_MAX; /* more than can be counted */
		ck_assert_int_eq(open_record(), V_CUT);
		sealer_fini(&from);
		stop();
	}
}
END_TEST

/* CBC up to TLS 1.0: whatever became of a record, it is the next one's IV. */
START_TEST(chained_records)
{
	enum { FORGED, UNCHAINED, NO_OPENER, OPENER_LOST };
	static const enum verdict verdicts[] = { V_MAC, V_CUT, V_BUFFERS, V_OK };

	for (int why = FORGED; why <= OPENER_LOST; why++) {
		struct lease *leases;
		struct record_keys k;
		struct sealer from;

		start(TLS10, 0x002f, EPOCH_DATA);
		put(KEY_MASTER, 9);
		k = block_of(9);
		sealer_init(&from, &k);
		ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
		leases = t.env->lease;
		next_record(&from, 0);
		if (why == FORGED)
			rec[5] ^= 1; /* its last block stays */
		dir->unchained = why == UNCHAINED;
		leases[0].pinned = leases[1].pinned = why == NO_OPENER;
		ck_assert_int_eq(open_record(), verdicts[why]);
		leases[0].pinned = leases[1].pinned = false;
		ck_assert(!dir->unchained);
		if (why == OPENER_LOST)
			tls_env_release(t.env, dir, dir->lease);
		dir->seq++;
		next_record(&from, 1);
		ck_assert_int_eq(open_record(), V_OK);
		sealer_fini(&from);
		stop();
	}
}
END_TEST

START_TEST(an_opener_is_kept_and_keyed_anew)
{
	struct opener *o;

	start(TLS13, 0x1301, EPOCH_DATA);
	put(KEY_SERVER_TRAFFIC, 9);
	ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
	o = unlock_opener(t.env, s, S2C);
	ck_assert_ptr_nonnull(o);
	ck_assert_ptr_eq(unlock_opener(t.env, s, S2C), o);
	t.env->lease[0].pinned = t.env->lease[1].pinned = true;
	ck_assert_ptr_eq(unlock_opener(t.env, s, S2C), o); /* it is this direction's */
	tls_env_release(t.env, dir, dir->lease);
	t.env->lease[0].pinned = t.env->lease[1].pinned = true;
	ck_assert_ptr_null(unlock_opener(t.env, s, S2C));
	t.env->lease[0].pinned = t.env->lease[1].pinned = false;
	ck_assert_ptr_nonnull(unlock_opener(t.env, s, S2C));
	stop();
}
END_TEST

/* A key stream that was never lost is not looked for: its records are free, however many they are. */
START_TEST(records_in_order_cost_no_trial)
{
	struct record_keys k;
	struct sealer from;

	start(TLS12, 0x0005, EPOCH_DATA);
	t.env->cfg.trial_rate = t.env->cfg.trial_share = 1;
	put(KEY_MASTER, 7);
	ck_assert_int_eq(unlock_ready(t.env, s, S2C), V_OK);
	s->material[S2C].passed = 0;
	k = block_of(7);
	sealer_init(&from, &k);
	for (uint64_t seq = 0; seq < 10; seq++) {
		dir->seq = seq;
		next_record(&from, seq);
		ck_assert_int_eq(open_record(), V_OK);
	}
	ck_assert_uint_eq(t.env->trials_refused, 0);
	sealer_fini(&from);
	stop();
}
END_TEST

UNIT_MAIN("unlock", says_why_not, a_miss_is_told_once, candidates_after_a_hole,
	computing_is_bounded, a_key_is_found_once_it_is_there, candidates_of_later_epochs,
	present_keys, numbers_after_a_hole, generations_after_a_hole, any_suite, trials_are_bounded,
	candidates_are_bounded, key_stream_after_a_hole, records_in_order_cost_no_trial,
	chained_records, an_opener_is_kept_and_keyed_anew)
