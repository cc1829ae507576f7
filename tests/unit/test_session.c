/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include "keys.h"
#include "tls/session.h"

enum order { AS_SENT, SERVER_FIRST, CLIENT_FIRST, ORDERS };

static struct peers p;
static struct keytab_cfg key_cfg = { .max_entries = 64, .seed = 1 };
static struct tls_env_cfg env_cfg = { .max_sessions = 4,
	.max_handshakes = 4,
	.max_buffers = 8,
	.max_openers = 4,
	.max_resumed = 64,
	.max_inflaters = 1,
	.seed = 1 };
static struct keytab *keys;
static struct tls_env *env;
static void *mem[2];

/* What came out, and a record of it for each text. */
static struct {
	uint8_t text[2][WIRE_MAX];
	uint32_t len[2];
	uint32_t opened;
	uint32_t failed;
	uint32_t gaps;   /* texts that have one before them */
	uint32_t gap_at; /* text before the last of those */
} got;

static void *zeros(size_t n)
{
	void *m = aligned_alloc(64, (n + 63) & ~(size_t)63);

	memset(m, 0, n);
	return m;
}

static void start(const char *backend)
{
	mem[0] = zeros(keytab_bytes(&key_cfg));
	keys = keytab_init(mem[0], &key_cfg);
	env_cfg.backend = backend;
	mem[1] = zeros(tls_env_bytes(&env_cfg));
	env = tls_env_init(mem[1], &env_cfg, keys);
	ck_assert_ptr_nonnull(env);
}

static void stop(void)
{
	ck_assert_uint_eq(env->sessions.used, 0);
	ck_assert_uint_eq(env->handshakes.used, 0);
	ck_assert_uint_eq(env->messages.used, 0);
	ck_assert_uint_eq(env->buffers.used, env->lent != NULL);
	tls_env_fini(env);
	keytab_fini(keys);
	free(mem[0]);
	free(mem[1]);
}

/* Key-log lines that contain a word; "" is all. */
static void put_keys(const char *word)
{
	struct key_counts counts = { 0 };
	char *copy = strdup(p.keylog), *line, *rest = copy;

	while ((line = strsep(&rest, "\n")))
		if (strstr(line, word))
			keys_put_text(keys, line, strlen(line), 0, &counts);
	free(copy);
}

/* Offer bytes of one direction, a piece at a time. @return bytes used. */
static uint32_t offer(struct session *s, int d, uint32_t at, uint32_t end, uint32_t piece)
{
	while (at < end) {
		uint32_t n = end - at < piece ? end - at : piece;
		struct rd in = rd_init(p.wire[d] + at, n);
		enum verdict v;
		struct text t;

		while ((v = session_next(env, s, (enum tls_dir)d, &in, &t)) != V_MORE &&
			v != V_WAIT && v != V_STOPPED) {
			got.opened += v == V_OK && t.protected;
			got.failed += verdict_stage(v) == STAGE_REC;
			if (v != V_OK || t.type != TLS_APPLICATION_DATA || !t.protected)
				continue;
			if (t.after_gap) {
				got.gaps++;
				got.gap_at = got.len[d];
			}
			memcpy(got.text[d] + got.len[d], t.data, t.len);
			got.len[d] += t.len;
		}
		at += n - (uint32_t)rd_left(&in);
		if (v == V_WAIT)
			break;
	}
	return at;
}

static void offer_both(struct session *s, uint32_t at[2], const uint32_t end[2], uint32_t piece)
{
	for (uint32_t before = UINT32_MAX; before != at[0] + at[1];) {
		before = at[0] + at[1];
		at[0] = offer(s, 0, at[0], end[0], piece);
		at[1] = offer(s, 1, at[1], end[1], piece);
	}
}

/* The recorded connection through a session; cut: bytes of each direction that are there. */
static void watch(enum order order, uint32_t piece, const uint32_t cut[2])
{
	struct session *s = session_new(env);
	uint32_t at[2] = { 0 }, end[2] = { 0 };

	memset(got.len, 0, sizeof(got.len));
	got.opened = got.failed = got.gaps = 0;
	for (int i = 0; order == AS_SENT && i < p.turns; i++) {
		const struct turn *t = &p.turn[i];

		end[t->dir] = t->at + t->len < cut[t->dir] ? t->at + t->len : cut[t->dir];
		offer_both(s, at, end, piece);
	}
	if (order != AS_SENT) {
		end[order == SERVER_FIRST] = cut[order == SERVER_FIRST];
		offer_both(s, at, end, piece);
	}
	offer_both(s, at, cut, piece);
	session_end(env, s, C2S);
	session_end(env, s, S2C);
	session_free(env, s);
}

static void check_all_said(void)
{
	for (int d = 0; d < 2; d++) {
		ck_assert_uint_eq(got.len[d], p.said_len[d]);
		ck_assert_mem_eq(got.text[d], p.said[d], p.said_len[d]);
	}
	ck_assert_uint_eq(got.failed, 0);
}

/* Twenty messages each way, the k-th of which is full of k. */
static void talk(void)
{
	uint8_t message[3000];

	for (int k = 0; k < 20; k++) {
		memset(message, 'A' + k, sizeof(message));
		peers_say(&p, 0, message, 1 + (size_t)k * 37);
		peers_say(&p, 1, message, k == 7 ? sizeof(message) : 100);
	}
}

static void record(int version, const char *suites)
{
	peers_init(&p, version, suites);
	peers_connect(&p);
	peers_shake(&p);
	talk();
}

static const struct {
	int version;
	const char *suites;
} kinds[] = {
	{ TLS1_VERSION, "ECDHE-ECDSA-AES128-SHA" },
	{ TLS1_1_VERSION, "ECDHE-ECDSA-AES256-SHA" },
	{ TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256" },
	{ TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305" },
	{ TLS1_2_VERSION, "ECDHE-ECDSA-AES256-CCM8" },
	{ TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA384" },
	{ TLS1_2_VERSION, "ECDHE-ECDSA-NULL-SHA" },
	{ TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256" },
	{ TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384" },
	{ TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256" },
	{ TLS1_3_VERSION, "TLS_AES_128_CCM_SHA256" },
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

START_TEST(every_version_order_and_piece)
{
	static const uint32_t pieces[] = { 1, 7, 1448, WIRE_MAX };

	for (size_t k = 0; k < KINDS; k++) {
		record(kinds[k].version, kinds[k].suites);
		for (int b = 0; b < 2; b++) {
			start(b ? "openssl" : NULL);
			put_keys("");
			for (int order = 0; order < ORDERS; order++) {
				for (int i = 0; i < 4; i++) {
					watch((enum order)order, pieces[i], p.wire_len);
					check_all_said();
				}
			}
			stop();
		}
		peers_fini(&p);
	}
}
END_TEST

START_TEST(cut_at_every_byte_gives_a_prefix)
{
	record(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
	start(NULL);
	put_keys("");
	for (uint32_t n = 0; n < p.wire_len[1]; n += n < 1500 ? 1 : 37) {
		uint32_t cut[2] = { p.wire_len[0], n };

		watch(AS_SENT, 1448, cut);
		ck_assert_uint_le(got.len[1], p.said_len[1]);
		ck_assert_mem_eq(got.text[1], p.said[1], got.len[1]);
	}
	stop();
	peers_fini(&p);
}
END_TEST

/* Whatever byte is wrong: what comes out is what was said, less whole records. */
START_TEST(flipped_bytes_never_change_the_text)
{
	for (int k = 2; k < 8; k += 5) {
		record(kinds[k].version, kinds[k].suites);
		start(NULL);
		put_keys("");
		for (uint32_t i = 0; i < p.wire_len[1]; i += 11) {
			uint32_t at = 0;

			p.wire[1][i] ^= (uint8_t)(1 << i % 8);
			watch(AS_SENT, 500, p.wire_len);
			p.wire[1][i] ^= (uint8_t)(1 << i % 8);
			for (uint32_t n = 0; n < got.len[1]; n++, at++) {
				while (at < p.said_len[1] && p.said[1][at] != got.text[1][n])
					at++;
				ck_assert_uint_lt(at, p.said_len[1]);
			}
		}
		stop();
		peers_fini(&p);
	}
}
END_TEST

START_TEST(application_secrets_are_enough)
{
	record(TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384");
	start(NULL);
	put_keys("_TRAFFIC_SECRET_0");
	watch(AS_SENT, 1448, p.wire_len);
	for (int d = 0; d < 2; d++) {
		ck_assert_uint_eq(got.len[d], p.said_len[d]);
		ck_assert_mem_eq(got.text[d], p.said[d], p.said_len[d]);
	}
	ck_assert_uint_gt(got.failed, 0); /* the encrypted handshake */
	stop();
	peers_fini(&p);
}
END_TEST

START_TEST(no_keys_and_wrong_keys)
{
	for (size_t k = 0; k < KINDS; k++) {
		record(kinds[k].version, kinds[k].suites);
		start(NULL);
		watch(AS_SENT, 1448, p.wire_len);
		ck_assert_uint_eq(got.opened, 0);
		ck_assert_uint_gt(got.failed, 40);
		for (char *c = p.keylog; *c; c++) /* the secret is the last field of a line */
			if (c[1] == '\n')
				*c = *c == '0' ? '1' : '0';
		put_keys("");
		watch(AS_SENT, 1448, p.wire_len);
		ck_assert_uint_eq(got.len[0] + got.len[1], 0);
		stop();
		peers_fini(&p);
	}
}
END_TEST

START_TEST(a_late_key_opens_the_rest)
{
	for (size_t k = 0; k < KINDS; k++) {
		struct session *s;
		uint32_t at[2] = { 0 }, end[2] = { 0 };

		if (kinds[k].version <
			TLS1_2_VERSION) /* a chained IV has to be seen from the start */
			continue;
		record(kinds[k].version, kinds[k].suites);
		start(NULL);
		s = session_new(env);
		memset(&got.len, 0, sizeof(got.len));
		for (int i = 0; i < p.turns; i++) {
			end[p.turn[i].dir] = p.turn[i].at + p.turn[i].len;
			offer_both(s, at, end, 1448);
			if (i == p.turns / 2)
				put_keys("");
		}
		session_free(env, s);
		for (int d = 0; d < 2; d++) { /* the end of what was said, and a good part of it */
			ck_assert_uint_gt(got.len[d], 500);
			ck_assert_mem_eq(
				got.text[d], p.said[d] + p.said_len[d] - got.len[d], got.len[d]);
		}
		stop();
		peers_fini(&p);
	}
}
END_TEST

START_TEST(key_updates_both_ways)
{
	record(TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256");
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(SSL_key_update(p.ssl[i & 1], SSL_KEY_UPDATE_REQUESTED), 1);
		talk();
	}
	start(NULL);
	put_keys("");
	for (int order = 0; order < ORDERS; order++) {
		watch((enum order)order, 1448, p.wire_len);
		check_all_said();
	}
	stop();
	peers_fini(&p);
}
END_TEST

START_TEST(resumption_by_ticket_needs_no_line_of_its_own)
{
	record(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256");
	start(NULL);
	put_keys("");
	watch(AS_SENT, 1448, p.wire_len);
	check_all_said();
	peers_connect(&p); /* the key table knows nothing of this one */
	peers_shake(&p);
	ck_assert(SSL_session_reused(p.ssl[0]));
	talk();
	watch(AS_SENT, 1448, p.wire_len);
	check_all_said();
	stop();
	peers_fini(&p);
}
END_TEST

START_TEST(hello_retry_request)
{
	peers_init(&p, TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
	ck_assert_int_eq(SSL_CTX_set1_groups_list(p.ctx[0], "X25519:P-384"), 1);
	ck_assert_int_eq(SSL_CTX_set1_groups_list(p.ctx[1], "P-384"), 1);
	peers_connect(&p);
	peers_shake(&p);
	talk();
	start(NULL);
	put_keys("");
	for (int order = 0; order < ORDERS; order++) {
		watch((enum order)order, 1, p.wire_len);
		check_all_said();
	}
	stop();
	peers_fini(&p);
}
END_TEST

/* A hole of any place and size: what comes out is what was said, less whole records. */
START_TEST(goes_on_after_a_hole)
{
	for (size_t k = 0; k < KINDS; k++) {
		uint32_t lost_at, recovered = 0;

		record(kinds[k].version, kinds[k].suites);
		start(NULL);
		put_keys("");
		for (lost_at = p.turn[p.turns - 30].at; lost_at < p.wire_len[1] - 600;
			lost_at += 97) {
			struct session *s = session_new(env);
			uint32_t at[2] = { 0 }, hole = 1 + lost_at % 400;
			uint32_t first[2] = { p.wire_len[0], lost_at };
			size_t n;

			memset(&got.len, 0, sizeof(got.len));
			got.gaps = 0;
			offer_both(s, at, first, 1448);
			ck_assert_uint_eq(got.gaps, 0);
			n = got.len[1];
			session_gap(env, s, S2C, hole);
			at[1] = lost_at + hole;
			offer_both(s, at, p.wire_len, 1448);
			session_free(env, s);
			ck_assert_mem_eq(got.text[1], p.said[1], n);
			ck_assert_mem_eq(got.text[1] + n,
				p.said[1] + p.said_len[1] - (got.len[1] - n), got.len[1] - n);
			ck_assert_uint_eq(got.gaps, got.len[1] > n);
			ck_assert(!got.gaps || got.gap_at == n);
			recovered += got.len[1] > n;
		}
		ck_assert_uint_gt(recovered, 3);
		stop();
		peers_fini(&p);
	}
}
END_TEST

/* What is compressed and cannot be inflated is no plaintext. */
START_TEST(no_inflater_no_text)
{
	uint32_t at[2] = { 0 }, end[2];
	struct session *s;

	record(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256");
	env_cfg.max_inflaters = 0;
	start(NULL);
	env_cfg.max_inflaters = 1;
	put_keys("");
	s = session_new(env);
	memset(&got.len, 0, sizeof(got.len));
	got.opened = got.failed = 0;
	end[0] = p.turn[0].len;
	end[1] = p.turn[1].len;
	offer_both(s, at, end, WIRE_MAX);
	ck_assert_uint_eq(s->version, TLS12);
	s->compression = 1; /* as if the ServerHello had said so */
	offer_both(s, at, p.wire_len, 1448);
	ck_assert_uint_eq(got.opened, 0);
	ck_assert_uint_gt(got.failed, 40);
	ck_assert_uint_eq(got.len[0] + got.len[1], 0);
	ck_assert_int_eq(s->reason, V_COMPRESSION);
	session_free(env, s);
	stop();
	peers_fini(&p);
}
END_TEST

/* All the sessions that there may be hear the same, a piece of each turn by turns. */
static void many_at_once(uint32_t openers, uint32_t pieces)
{
	struct session *s[4];

	record(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
	env_cfg.max_openers = openers;
	start(NULL);
	env_cfg.max_openers = 4;
	put_keys("");
	memset(&got.len, 0, sizeof(got.len));
	got.failed = 0;
	for (int n = 0; n < 4; n++)
		s[n] = session_new(env);
	for (uint32_t i = 0; i < (uint32_t)p.turns * pieces; i++)
		for (int n = 0; n < 4; n++) {
			const struct turn *t = &p.turn[i / pieces];
			uint32_t at = i % pieces;

			offer(s[n], t->dir, t->at + t->len * at / pieces,
				t->at + t->len * (at + 1) / pieces, WIRE_MAX);
		}
	ck_assert_uint_eq(got.failed, 0);
	ck_assert_uint_eq(got.len[1], 4 * p.said_len[1]);
	for (int n = 0; n < 4; n++)
		session_free(env, s[n]);
	ck_assert_uint_eq(env->pinned, 0);
	stop();
	peers_fini(&p);
}

START_TEST(one_opener_for_many)
{
	many_at_once(1, 1);
}
END_TEST

/* Every session is in the middle of a record: whoever has no opener then collects it. */
START_TEST(more_records_in_flight_than_openers)
{
	many_at_once(2, 3);
}
END_TEST

UNIT_MAIN("session", every_version_order_and_piece, cut_at_every_byte_gives_a_prefix,
	flipped_bytes_never_change_the_text, application_secrets_are_enough, no_keys_and_wrong_keys,
	a_late_key_opens_the_rest, key_updates_both_ways,
	resumption_by_ticket_needs_no_line_of_its_own, hello_retry_request, goes_on_after_a_hole,
	no_inflater_no_text, one_opener_for_many, more_records_in_flight_than_openers)
