/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include "keys.h"
#include "pipeline.h"

#define HEAD 40 /* IPv4 and TCP */
#define MSS 700

static struct peers p;
static struct pipeline pl;
static struct keytab_cfg key_cfg = { .max_entries = 256, .seed = 1 };
static struct keytab *keys;
static void *key_mem;
static int held;

/* What the sink was told. */
static struct {
	uint8_t text[2][WIRE_MAX];
	uint32_t len[2];
	int tls, ends, anomalies;
	uint64_t missing;
	enum conn_end why;
} got;

/* The connection under way. */
static struct {
	uint16_t port;
	uint32_t isn[2];
	uint64_t ts_ns;
	uint32_t ack;     /* stream offsets of the other direction: all before has come, */
	uint32_t sack[2]; /* and these, if they are not 0 */
} net = { .port = 40000, .isn = { 0xffffff00, 5 }, .ts_ns = 1700000000000000000u };

static bool keep(void *arg, struct seg *seg)
{
	uint8_t *copy = malloc(seg->len);

	memcpy(copy, seg->data, seg->len);
	seg->data = seg->owner = copy;
	held++;
	return true;
}

static void drop(void *arg, void *owner)
{
	free(owner);
	held--;
}

static void on_tls(void *sink, const struct conn_view *v, const struct tls_meta *m)
{
	got.tls++;
}

static void on_text(void *sink, const struct conn_view *v, const struct text *t)
{
	ck_assert(v->is_tls && t->protected && t->type == TLS_APPLICATION_DATA);
	ck_assert_uint_le(got.len[t->dir] + t->len, WIRE_MAX);
	memcpy(got.text[t->dir] + got.len[t->dir], t->data, t->len);
	got.len[t->dir] += t->len;
}

static void on_anomaly(
	void *sink, const struct conn_view *v, int dir, enum verdict why, uint64_t missing)
{
	got.anomalies++;
	got.missing += missing;
}

static void on_end(void *sink, const struct conn_view *v, enum conn_end why)
{
	got.ends++;
	got.why = why;
}

static const struct sink_ops ops = {
	.scheme = "test", .tls = on_tls, .text = on_text, .anomaly = on_anomaly, .end = on_end
};

static void put_keys(void)
{
	struct key_counts counts = { 0 };

	keys_put_text(keys, p.keylog, strlen(p.keylog), 0, &counts);
	ck_assert_uint_gt(keys_stored(&counts), 0);
}

static struct pipeline_cfg small(void)
{
	struct pipeline_cfg cfg = pipeline_offline_cfg();

	cfg.flow.max_conns = 64;
	cfg.tls = (struct tls_env_cfg){ .max_sessions = 32,
		.max_handshakes = 8,
		.max_buffers = 8,
		.max_openers = 4,
		.max_resumed = 64,
		.max_inflaters = 1 };
	cfg.max_segs = 512;
	cfg.max_bytes = 1 << 20;
	cfg.max_held = 1024;
	return cfg;
}

static void start(const struct pipeline_cfg *cfg)
{
	memset(&pl, 0, sizeof(pl));
	memset(&got, 0, sizeof(got));
	key_mem = calloc(1, keytab_bytes(&key_cfg) + 64);
	keys = keytab_init((void *)(((uintptr_t)key_mem + 63) & ~(uintptr_t)63), &key_cfg);
	ck_assert_int_eq(pipeline_init(&pl, cfg, keys), 0);
	pl.keeper.keep = keep;
	pl.keeper.drop = drop;
	pl.out.at[0].ops = &ops;
	pl.out.n = 1;
	pipeline_serve(&pl, outputs_wants(&pl.out));
}

/* The end of the run, and the sums that must meet. */
static void stop(void)
{
	uint64_t packets = 0;

	pipeline_finish(&pl);
	for (int v = 0; v < V_COUNT; v++)
		if (verdict_stage((enum verdict)v) == STAGE_PKT || v == V_OK || v == V_HELD)
			packets += pl.count.verdict[v];
	ck_assert_uint_eq(packets, pl.count.packets);
	ck_assert_uint_eq(pl.count.plaintext_bytes, got.len[0] + got.len[1]);
	ck_assert_int_eq(held, 0);
	ck_assert_uint_eq(flow_count(pl.flow), 0);
	ck_assert_int_eq(got.ends, (int)pl.count.connections);
	ck_assert_uint_eq(pl.tls->sessions.used, 0);
	ck_assert_uint_eq(pl.tls->handshakes.used, 0);
	pipeline_fini(&pl);
	keytab_fini(keys);
	free(key_mem);
}

/* A segment of one direction, in memory of exactly its size. */
static void segment(int dir, uint8_t flags, uint32_t seq, const void *data, uint32_t len)
{
	const uint32_t head = HEAD + (net.sack[1] ? 12 : 0), n = head + len;
	uint8_t *b = calloc(1, n);
	struct pkt pkt = { .data = b, .len = n, .wire_len = n, .link = LINK_RAW };

	net.ts_ns += 1000000;
	pkt.ts_ns = net.ts_ns;
	b[0] = 0x45;
	put_be16(b + 2, (uint16_t)n);
	b[8] = 64;
	b[9] = 6;
	put_be32(b + 12, dir ? 0x0a000002 : 0x0a000001);
	put_be32(b + 16, dir ? 0x0a000001 : 0x0a000002);
	put_be16(b + 20, dir ? 443 : net.port);
	put_be16(b + 22, dir ? net.port : 443);
	put_be32(b + 24, net.isn[dir] + seq);
	put_be32(b + 28, net.isn[!dir] + 1 + net.ack);
	b[32] = (uint8_t)((head - 20) / 4 << 4);
	b[33] = flags;
	if (net.sack[1]) {
		memcpy(b + HEAD, "\1\1\5\12", 4);
		put_be32(b + HEAD + 4, net.isn[!dir] + 1 + net.sack[0]);
		put_be32(b + HEAD + 8, net.isn[!dir] + 1 + net.sack[1]);
	}
	if (len)
		memcpy(b + head, data, len);
	pipeline_burst(&pl, &pkt, 1);
	free(b);
}

static void open_tcp(void)
{
	segment(0, TCP_SYN, 0, NULL, 0);
	segment(1, TCP_SYN | TCP_ACK, 0, NULL, 0);
}

static void close_tcp(void)
{
	segment(0, TCP_FIN | TCP_ACK, 1 + p.wire_len[0], NULL, 0);
	segment(1, TCP_FIN | TCP_ACK, 1 + p.wire_len[1], NULL, 0);
}

static void send_from(int dir, uint32_t at, uint32_t end)
{
	for (uint32_t n; at < end; at += n) {
		n = end - at < MSS ? end - at : MSS;
		segment(dir, TCP_ACK, 1 + at, p.wire[dir] + at, n);
	}
}

static void send_all(void)
{
	for (int i = 0; i < p.turns; i++)
		send_from(p.turn[i].dir, p.turn[i].at, p.turn[i].at + p.turn[i].len);
}

static void check_all_said(void)
{
	for (int d = 0; d < 2; d++) {
		ck_assert_uint_eq(got.len[d], p.said_len[d]);
		ck_assert_mem_eq(got.text[d], p.said[d], p.said_len[d]);
	}
}

static void record(int version, const char *suite)
{
	uint8_t message[5000];

	peers_init(&p, version, suite);
	peers_connect(&p);
	peers_shake(&p);
	for (int k = 0; k < 12; k++) {
		memset(message, 'A' + k, sizeof(message));
		peers_say(&p, k & 1, message, 1 + (size_t)k * 400);
	}
}

static void record_13(void)
{
	record(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
}

START_TEST(a_connection_from_syn_to_fin)
{
	struct pipeline_cfg cfg = small();

	record_13();
	start(&cfg);
	put_keys();
	open_tcp();
	send_all();
	check_all_said();
	close_tcp();
	ck_assert_int_eq(got.tls, 1);
	stop();
	ck_assert_int_eq(got.why, END_FIN);
	ck_assert_uint_eq(pl.count.tls_connections, 1);
	ck_assert_uint_eq(pl.count.tls_connections_decrypted, 1);
	ck_assert_uint_eq(pl.count.gaps, 0);
	ck_assert_int_eq(got.anomalies, 0);
	for (int v = 0; v < V_COUNT; v++)
		if (verdict_stage((enum verdict)v) == STAGE_REC)
			ck_assert_msg(!pl.count.verdict[v], "%s", verdict_label((enum verdict)v));
	peers_fini(&p);
}
END_TEST

/* Decrypted and verified all the same. */
START_TEST(text_that_nobody_takes)
{
	struct pipeline_cfg cfg = small();

	record_13();
	start(&cfg);
	pipeline_serve(&pl, (struct outputs_wants){ 0 });
	put_keys();
	open_tcp();
	send_all();
	close_tcp();
	ck_assert_uint_eq(got.len[0] + got.len[1], 0);
	ck_assert_uint_eq(pl.count.plaintext_bytes, p.said_len[0] + p.said_len[1]);
	got.len[0] = (uint32_t)pl.count.plaintext_bytes; /* for the sum that has to meet */
	stop();
	peers_fini(&p);
}
END_TEST

START_TEST(one_direction_wholly_before_the_other)
{
	static const char *const suites[] = { "TLS_AES_128_GCM_SHA256",
		"ECDHE-ECDSA-AES128-GCM-SHA256" };
	struct pipeline_cfg cfg = small();

	for (int i = 0; i < 4; i++) {
		record(i & 2 ? TLS1_2_VERSION : TLS1_3_VERSION, suites[i >> 1]);
		start(&cfg);
		put_keys();
		open_tcp();
		for (int k = 0; k < 2; k++)
			send_from(k ^ (i & 1), 0, p.wire_len[k ^ (i & 1)]);
		check_all_said();
		stop();
		peers_fini(&p);
	}
}
END_TEST

/* Each pair of segments the wrong way round, and each of them twice. */
START_TEST(reordered_and_retransmitted)
{
	struct pipeline_cfg cfg = small();

	record_13();
	start(&cfg);
	put_keys();
	open_tcp();
	for (int d = 0; d < 2; d++) {
		for (uint32_t at = 0; at < p.wire_len[d]; at += 2 * MSS) {
			uint32_t mid = at + MSS, end = at + 2 * MSS;

			mid = mid < p.wire_len[d] ? mid : p.wire_len[d];
			end = end < p.wire_len[d] ? end : p.wire_len[d];
			for (int twice = 0; twice < 2; twice++) {
				send_from(d, mid, end);
				send_from(d, at, mid);
			}
		}
	}
	check_all_said();
	ck_assert_uint_gt(pl.count.verdict[V_DUPLICATE], 10);
	stop();
	ck_assert_uint_eq(pl.count.gaps, 0);
	peers_fini(&p);
}
END_TEST

/* What comes out is what was said, less the records that the lost segment touches. */
START_TEST(a_lost_segment)
{
	struct pipeline_cfg cfg = small();

	record_13();
	for (uint32_t lost = 2; (lost + 4) * MSS < p.wire_len[1]; lost += 3) {
		uint32_t n = 0;

		start(&cfg);
		put_keys();
		open_tcp();
		send_from(0, 0, p.wire_len[0]);
		send_from(1, 0, lost * MSS);
		send_from(1, (lost + 1) * MSS, p.wire_len[1]);
		stop();
		ck_assert_uint_eq(pl.count.gaps, 1);
		ck_assert_uint_eq(pl.count.gap_bytes, MSS);
		ck_assert_uint_eq(got.missing, MSS);
		ck_assert_uint_eq(got.len[0], p.said_len[0]);
		for (uint32_t i = 0; i < got.len[1]; i++, n++)
			while (n < p.said_len[1] && p.said[1][n] != got.text[1][i])
				n++;
		ck_assert_uint_le(n, p.said_len[1]);
		/* No message is longer than 4401 bytes; with it goes at most its neighbour. */
		ck_assert_uint_ge(got.len[1] + 4401 + MSS, p.said_len[1]);
	}
	peers_fini(&p);
}
END_TEST

/* A hole is given up when the receiver has what is missing, whichever way it says so. */
START_TEST(a_hole_that_was_received)
{
	static const struct {
		uint32_t ack, sack[2]; /* segments */
		bool received;
	} kinds[] = {
		{ 6, { 0 }, false },
		{ 7, { 0 }, true },
		{ 6, { 6, 9 }, true },
		{ 2, { 5, 7 }, true },
		{ 6, { 7, 9 }, false },
	};
	struct pipeline_cfg cfg = small();

	record_13();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		start(&cfg);
		put_keys();
		open_tcp();
		send_from(0, 0, p.wire_len[0]);
		send_from(1, 0, 6 * MSS);
		send_from(1, 7 * MSS, 9 * MSS);
		net.ack = kinds[i].ack * MSS;
		net.sack[0] = kinds[i].sack[0] * MSS;
		net.sack[1] = kinds[i].sack[1] * MSS;
		for (int k = 0; k < 2; k++) {
			segment(0, TCP_ACK, 1 + p.wire_len[0], NULL, 0);
			ck_assert_uint_eq(got.missing, k && kinds[i].received ? MSS : 0);
			net.ts_ns += 2000000000u;
		}
		net.ack = net.sack[0] = net.sack[1] = 0;
		stop();
	}
	peers_fini(&p);
}
END_TEST

/* Numbers that cannot be computed are looked for, but not without end. */
START_TEST(trials_have_a_budget)
{
	struct pipeline_cfg cfg = small();

	record(TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256");
	for (int i = 0; i < 4; i++) {
		bool rich = i == 3;

		cfg.tls.trial_rate = i & 1 ? 1 << 20 : 1;
		cfg.tls.trial_share = i & 2 ? UINT16_MAX : 1;
		start(&cfg);
		put_keys();
		open_tcp();
		send_from(0, 0, p.wire_len[0]);
		send_from(1, 0, 6 * MSS);
		send_from(1, 7 * MSS, p.wire_len[1]);
		stop();
		ck_assert_uint_eq(pl.count.resyncs, rich);
		ck_assert_int_eq(!pl.count.trials_refused, rich);
	}
	peers_fini(&p);
}
END_TEST

START_TEST(without_keys_and_with_late_ones)
{
	struct pipeline_cfg cfg = small();

	record_13();
	start(&cfg);
	open_tcp();
	send_all();
	stop();
	ck_assert_uint_eq(got.len[0] + got.len[1], 0);
	ck_assert_uint_eq(pl.count.records_decrypted, 0);
	ck_assert_uint_eq(pl.count.key_lookups_missed, 1);
	ck_assert_uint_gt(pl.count.verdict[V_NO_KEY], 10);
	start(&cfg);
	open_tcp();
	send_all();
	put_keys();
	peers_say(&p, 1, "the last word", 13);
	send_from(1, p.turn[p.turns - 1].at, p.wire_len[1]);
	stop();
	ck_assert_uint_eq(got.len[1], 13);
	ck_assert_mem_eq(got.text[1], "the last word", 13);
	peers_fini(&p);
}
END_TEST

/* Time goes on, and no packet comes. */
static void silence(uint32_t ms)
{
	net.ts_ns += (uint64_t)ms * 1000000;
	pl.now_ns = net.ts_ns;
	pipeline_burst(&pl, NULL, 0);
}

/* All of it is kept until the key is there, and no longer; TLS 1.2 and 1.3. */
START_TEST(keys_that_are_waited_for)
{
	struct pipeline_cfg cfg = small();

	cfg.late_ms = 5000;
	cfg.late_bytes = 1 << 16;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		record(version,
			version == TLS1_3_VERSION ? "TLS_AES_128_GCM_SHA256" :
						    "ECDHE-ECDSA-AES128-GCM-SHA256");
		for (int heard = 0; heard < 2; heard++) {
			start(&cfg);
			open_tcp();
			send_all();
			ck_assert_uint_eq(got.len[0] + got.len[1], 0);
			ck_assert_int_gt(held, 10);
			ck_assert_uint_eq(pl.n_late, 1);
			put_keys();
			if (heard)
				close_tcp();
			else
				silence(2);
			check_all_said();
			silence(2);
			ck_assert_uint_eq(pl.n_late, 0);
			stop();
			ck_assert_uint_eq(pl.count.key_waits, 1);
			ck_assert_uint_eq(pl.count.verdict[V_NO_KEY], 0);
		}
		peers_fini(&p);
	}
}
END_TEST

/* A server of TLS 1.2 hands its key over after the client's Finished went by; nothing is missing. */
START_TEST(a_key_before_the_last_flight)
{
	struct pipeline_cfg cfg = small();

	for (int keyed = 0; keyed < 2; keyed++) {
		record(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256");
		start(&cfg);
		open_tcp();
		for (int i = 0; i < p.turns; i++) {
			if (i == 3 && keyed)
				put_keys();
			send_from(p.turn[i].dir, p.turn[i].at, p.turn[i].at + p.turn[i].len);
			ck_assert_int_eq(!held, i != 2);
		}
		if (keyed)
			check_all_said();
		stop();
		ck_assert_int_eq(!pl.count.verdict[V_NO_KEY], keyed);
		ck_assert_uint_eq(pl.count.key_waits, 0);
		peers_fini(&p);
	}
}
END_TEST

/* Time or room is up: what was kept is counted, and what comes after the key is read. */
START_TEST(keys_that_come_too_late)
{
	struct pipeline_cfg cfg = small();

	record_13();
	cfg.late_ms = 5000;
	cfg.late_bytes = 1 << 16;
	for (int crowded = 0; crowded < 2; crowded++) {
		if (crowded)
			cfg.late_bytes = MSS;
		start(&cfg);
		open_tcp();
		send_all();
		if (!crowded) {
			silence(2);
			silence(6000);
		}
		ck_assert_int_eq(held, 0);
		ck_assert_uint_gt(pl.count.verdict[V_NO_KEY], 10);
		put_keys();
		peers_say(&p, 1, "the last word", 13);
		send_from(1, p.turn[p.turns - 1].at, p.wire_len[1]);
		ck_assert_uint_eq(got.len[1], 13);
		stop();
		ck_assert_uint_eq(pl.count.key_waits, 1);
		ck_assert_uint_eq(got.len[0], 0);
	}
	peers_fini(&p);
}
END_TEST

/* More connections than are looked after wait, and end, in any order. */
START_TEST(many_that_wait)
{
	struct pipeline_cfg cfg = small();
	uint16_t first = net.port;

	record_13();
	cfg.flow.max_conns = 1024;
	cfg.tls.max_sessions = 1024;
	cfg.tls.max_handshakes = 1024;
	cfg.max_held = 1 << 16;
	cfg.late_ms = 5000;
	cfg.late_bytes = 1 << 16;
	start(&cfg);
	for (int i = 0; i < PIPELINE_LATE + 20; i++, net.port++) {
		net.ts_ns -= 20000000; /* all at once, as it were */
		open_tcp();
		send_from(0, 0, p.wire_len[0]);
		send_from(1, 0, p.turn[p.turns > 3 ? 3 : 0].at + MSS);
	}
	ck_assert_uint_eq(pl.n_late, PIPELINE_LATE);
	for (net.port = first; net.port < first + 40; net.port += 2) {
		segment(0, TCP_RST, 1 + p.wire_len[0], NULL, 0);
		open_tcp();
		segment(0, TCP_ACK, 1, NULL, 0);
	}
	silence(20000);
	ck_assert_uint_eq(pl.n_late, 0);
	stop();
	peers_fini(&p);
}
END_TEST

START_TEST(a_port_that_is_used_again)
{
	struct pipeline_cfg cfg = small();

	record_13();
	start(&cfg);
	put_keys();
	for (int i = 0; i < 3; i++) {
		memset(got.len, 0, sizeof(got.len));
		net.isn[0] += 0x10000000;
		net.isn[1] += 0x10000000;
		open_tcp();
		send_all();
		check_all_said();
		pl.count.plaintext_bytes = got.len[0] + got.len[1];
	}
	stop();
	ck_assert_int_eq(got.tls, 3);
	ck_assert_uint_eq(pl.count.connections, 3);
	peers_fini(&p);
}
END_TEST

/* Tables that are full cost decryption of what is new, and are counted; nothing breaks. */
START_TEST(no_room_for_sessions_or_handshakes)
{
	struct pipeline_cfg cfg = small();

	record_13();
	cfg.tls.max_sessions = 1;
	start(&cfg);
	put_keys();
	open_tcp();
	send_all();
	net.port++;
	open_tcp();
	send_all();
	check_all_said(); /* once */
	stop();
	ck_assert_uint_ge(pl.count.verdict[V_SESSION_FULL], 1);
	ck_assert_uint_ge(pl.count.verdict[V_CLEAR], 1);
	cfg.tls.max_sessions = 2;
	cfg.tls.max_handshakes = 0;
	start(&cfg);
	put_keys();
	open_tcp();
	send_all();
	stop();
	ck_assert_uint_eq(got.len[0] + got.len[1], 0);
	peers_fini(&p);
}
END_TEST

START_TEST(clear_text_and_what_is_no_tcp)
{
	struct pipeline_cfg cfg = small();
	uint8_t junk[60] = { 0x60 };
	struct pkt pkt = { .data = junk, .len = 60, .wire_len = 60, .link = LINK_RAW };

	start(&cfg);
	open_tcp();
	segment(0, TCP_ACK, 1, "GET / HTTP/1.0\r\n\r\n", 18);
	segment(1, TCP_ACK, 1, "HTTP/1.0 200 OK\r\n\r\n", 19);
	for (uint32_t n = 0; n <= 60; n++) {
		pkt.len = n;
		pipeline_burst(&pl, &pkt, 1);
	}
	pipeline_burst(&pl, &pkt, 0);
	stop();
	ck_assert_uint_eq(pl.count.packets, 4 + 61);
	ck_assert_uint_eq(pl.count.verdict[V_CLEAR], 2);
	ck_assert_uint_eq(pl.count.tls_connections, 0);
	ck_assert_int_eq(got.tls, 0);
}
END_TEST

START_TEST(after_a_line_of_clear_text)
{
	struct pipeline_cfg cfg = small();

	record_13();
	start(&cfg);
	put_keys();
	open_tcp();
	segment(1, TCP_ACK, 1, "220 ready\r\n", 11);
	segment(0, TCP_ACK, 1, "STARTTLS\r\n", 10);
	segment(1, TCP_ACK, 12, "220 go\r\n", 8);
	net.isn[0] += 10;
	net.isn[1] += 19;
	send_all();
	check_all_said();
	stop();
	peers_fini(&p);
}
END_TEST

START_TEST(connections_that_fall_silent)
{
	struct pipeline_cfg cfg = small();

	record_13();
	cfg.flow.idle_ms = 1000;
	start(&cfg);
	put_keys();
	open_tcp();
	send_all();
	net.ts_ns += 10000000000u;
	net.port++;
	open_tcp();
	ck_assert_int_eq(got.ends, 1);
	ck_assert_int_eq(got.why, END_TIMEOUT);
	stop();
	ck_assert_int_eq(got.why, END_CAPTURE);
	peers_fini(&p);
}
END_TEST

START_TEST(a_backend_that_is_not_there)
{
	struct pipeline_cfg cfg = small();

	cfg.tls.backend = "abacus";
	memset(&pl, 0, sizeof(pl));
	ck_assert_int_lt(pipeline_init(&pl, &cfg, NULL), 0);
	pipeline_fini(&pl);
}
END_TEST

UNIT_MAIN("pipeline", a_connection_from_syn_to_fin, text_that_nobody_takes,
	one_direction_wholly_before_the_other, reordered_and_retransmitted, a_lost_segment,
	a_hole_that_was_received, trials_have_a_budget, without_keys_and_with_late_ones,
	keys_that_are_waited_for, a_key_before_the_last_flight, keys_that_come_too_late,
	many_that_wait, a_port_that_is_used_again, no_room_for_sessions_or_handshakes,
	clear_text_and_what_is_no_tcp, after_a_line_of_clear_text, connections_that_fall_silent,
	a_backend_that_is_not_there)
