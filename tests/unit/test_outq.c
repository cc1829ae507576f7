/* SPDX-License-Identifier: BSD-3-Clause */
#include "sinks.h"

#include <pthread.h>
#include <stdlib.h>

#include "outq.h"

#define SIZE (256u << 10)

static _Alignas(64) uint8_t mem[SIZE + (128u << 10)];

static void start(struct outq *q, uint32_t worker, uint32_t workers, uint32_t max_conns)
{
	ck_assert_uint_le(outq_bytes(SIZE, max_conns), sizeof(mem));
	memset(mem, 0, sizeof(mem));
	outq_init(q, mem, SIZE, worker, workers, max_conns);
}

/* A sink that checks what it is told against what was put in. */
struct check {
	uint64_t texts, bytes, ends, tls, txns, anomalies, missed, last_id, ended_id;
	uint32_t index;
	enum conn_end why;
	bool wrong;
	struct tls_meta meta;
};

static void see_text(void *sink, const struct conn_view *v, const struct text *t)
{
	struct check *k = sink;

	k->texts++;
	k->bytes += t->len;
	k->last_id = v->id;
	k->index = v->index;
	for (uint32_t i = 0; i < t->len; i++)
		k->wrong |= t->data[i] != (uint8_t)(t->len + i);
}

static void see_tls(void *sink, const struct conn_view *v, const struct tls_meta *m)
{
	struct check *k = sink;

	k->tls++;
	k->meta = *m;
}

/* A target of n bytes has them all, and a status of n. */
static void see_txn(void *sink, const struct conn_view *v, const struct txn *t)
{
	struct check *k = sink;
	size_t len;
	const char *target = txn_get(t, TXN_TARGET, &len);

	k->txns++;
	k->wrong |= !target || len != t->status;
	for (size_t i = 0; i < len; i++)
		k->wrong |= target[i] != (char)(len + i);
}

static void see_anomaly(
	void *sink, const struct conn_view *v, int dir, enum verdict why, uint64_t missing)
{
	struct check *k = sink;

	k->anomalies++;
	k->wrong |= dir != S2C || why != V_GAP || missing != 1ull << 40;
}

static void see_end(void *sink, const struct conn_view *v, enum conn_end why)
{
	struct check *k = sink;

	k->ends++;
	k->ended_id = v->id;
	k->why = why;
	k->wrong |= v->conn->tls != NULL;
}

static void see_missed(void *sink, const struct conn_view *v, int dir, uint64_t bytes)
{
	struct check *k = sink;

	k->missed += bytes;
}

static const struct sink_ops check_ops = { .scheme = "check",
	.text = see_text,
	.tls = see_tls,
	.txn = see_txn,
	.anomaly = see_anomaly,
	.missed = see_missed,
	.end = see_end };

static struct outputs into(struct check *k)
{
	return (struct outputs){ .n = 1, .at = { { &check_ops, k } } };
}

static void put_text(struct outq *q, const struct conn_view *v, uint32_t len)
{
	static uint8_t data[65536];
	struct text t = { .data = data, .len = len };

	for (uint32_t i = 0; i < len; i++)
		data[i] = (uint8_t)(len + i);
	outq_ops.text(q, v, &t);
}

static void put_txn(struct outq *q, const struct conn_view *v, uint16_t len)
{
	struct txn t = { .status = len };
	char target[2048];

	for (int i = 0; i < len; i++)
		target[i] = (char)(len + i);
	txn_put(&t, TXN_TARGET, target, len);
	outq_ops.txn(q, v, &t);
}

START_TEST(every_event_comes_out_as_it_went_in)
{
	static struct tls_meta m = { .version = 0x0304, .sni = "a.example", .chain_len = 7 };
	static struct check k;
	struct outputs out = into(&k);
	struct conn c = closed_conn();
	struct conn_view v = { .conn = &c, .index = 5, .is_tls = true };
	const uint32_t lens[] = { 0, META_CERT_MAX / 2, META_CERT_MAX };
	struct outq q;

	start(&q, 2, 3, 100);
	v.id = 9;
	for (int i = 0; i < 3; i++) {
		m.cert_len = lens[i];
		memset(m.cert, i + 1, m.cert_len);
		outq_ops.tls(&q, &v, &m);
		ck_assert_int_eq(outq_drain(&q, &out, 10), 1);
		ck_assert_uint_eq(k.meta.cert_len, lens[i]);
		ck_assert_mem_eq(k.meta.cert, m.cert, lens[i]);
		ck_assert_uint_eq(k.meta.chain_len, 7);
		ck_assert_str_eq(k.meta.sni, "a.example");
	}
	for (uint16_t len = 0; len <= 2048; len += 13) {
		put_txn(&q, &v, len);
		ck_assert_int_eq(outq_drain(&q, &out, 10), 1);
	}
	ck_assert(!k.wrong && k.txns == 2048 / 13 + 1);
	put_text(&q, &v, 16384);
	outq_ops.anomaly(&q, &v, S2C, V_GAP, 1ull << 40);
	outq_ops.end(&q, &v, END_RST);
	ck_assert_int_eq(outq_drain(&q, &out, 10), 3);
	ck_assert(!k.wrong && k.texts == 1 && k.anomalies == 1 && k.ends == 1 && k.why == END_RST);
	ck_assert_uint_eq(k.index, 2 * 100 + 5);
	ck_assert_uint_eq(k.last_id, 9 * 3 + 2);
	ck_assert_int_eq(outq_drain(&q, &out, 10), 0);
}
END_TEST

START_TEST(wraps_at_every_length)
{
	static struct check k;
	struct outputs out = into(&k);
	struct conn c = closed_conn();
	struct conn_view v = { .conn = &c };
	uint64_t bytes = 0;
	struct outq q;

	start(&q, 0, 1, 1);
	for (uint32_t len = 0; len < 20000; len += len < 64 ? 1 : 13) {
		put_text(&q, &v, len);
		bytes += len;
		ck_assert_int_eq(outq_drain(&q, &out, 1), 1);
	}
	ck_assert(!k.wrong);
	ck_assert_uint_eq(k.bytes, bytes);
	ck_assert_uint_eq(outq_dropped(&q), 0);
	ck_assert_uint_eq(q.tail, q.head);
}
END_TEST

START_TEST(full_drops_and_counts_but_keeps_the_last_words)
{
	static struct check k;
	struct outputs out = into(&k);
	struct conn c = closed_conn();
	struct conn_view tls = { .conn = &c, .is_tls = true }, tcp = { .conn = &c };
	struct outq q;
	uint64_t dropped;

	start(&q, 0, 1, 1);
	for (int i = 0; i < 64; i++)
		put_text(&q, &tls, 16384);
	dropped = outq_dropped(&q);
	ck_assert_uint_gt(dropped, 0);
	while (outq_dropped(&q) == dropped)
		outq_ops.end(&q, &tcp, END_RST);
	outq_ops.end(&q, &tls, END_RST);
	ck_assert_uint_eq(outq_dropped(&q), dropped + 1);
	while (outq_drain(&q, &out, 3))
		;
	ck_assert(!k.wrong);
	ck_assert_uint_eq(k.texts, 64 - dropped);
	ck_assert_uint_ge(k.ends, 1);
}
END_TEST

START_TEST(what_sinks_take)
{
	static const struct sink_ops deaf = { .scheme = "deaf" }, shows = { .prints = true };
	static struct check k;
	struct outputs out = into(&k), quiet = { .n = 1, .at[0].ops = &deaf };

	ck_assert(outputs_wants(&out).text);
	ck_assert(!outputs_wants(&quiet).text);
	ck_assert(!outputs_wants(&quiet).prints);
	quiet.at[quiet.n++].ops = &shows;
	ck_assert(outputs_wants(&quiet).prints);
}
END_TEST

/* However many connections without TLS end, or anomalies come, there is room for text. */
START_TEST(a_flood_leaves_room_for_text)
{
	static struct check k;
	struct outputs out = into(&k);
	struct conn c = closed_conn();
	struct conn_view tls = { .conn = &c, .is_tls = true }, tcp = { .conn = &c };
	struct outq q;
	uint64_t dropped;

	start(&q, 0, 1, 1);
	for (int i = 0; i < 100000; i++) {
		outq_ops.end(&q, &tcp, END_EVICTED);
		outq_ops.anomaly(&q, &tls, S2C, V_GAP, 1ull << 40);
	}
	dropped = outq_dropped(&q);
	ck_assert_uint_gt(dropped, 0);
	put_text(&q, &tls, 16384);
	put_text(&q, &tls, 16384);
	ck_assert_uint_eq(outq_dropped(&q), dropped);
	while (outq_drain(&q, &out, 64))
		;
	ck_assert_uint_eq(k.texts, 2);
	ck_assert(!k.wrong);
}
END_TEST

/* Text of the connection in @p v, as the session counts it. */
static void speak(struct outq *q, struct conn_view *v, uint32_t len)
{
	v->text_bytes[C2S] += len;
	put_text(q, v, len);
}

START_TEST(lost_text_is_missed_and_lost_last_words_are_said)
{
	static struct check k;
	struct outputs out = into(&k);
	struct conn a = closed_conn(), b = closed_conn(), other = closed_conn();
	struct conn_view va = { .conn = &a, .is_tls = true }, vb = { .conn = &b, .is_tls = true };
	struct conn_view vo = { .conn = &other, .is_tls = true, .index = 1 };
	struct outq q;
	uint64_t dropped;

	start(&q, 0, 1, 2);
	va.id = 1, vb.id = 2, vo.id = 3;
	speak(&q, &va, 16384);
	while (!outq_dropped(&q))
		speak(&q, &va, 16384);
	while (outq_drain(&q, &out, 64))
		;
	ck_assert_uint_eq(k.missed, 0); /* nobody can know yet */
	speak(&q, &va, 100);
	outq_drain(&q, &out, 64);
	ck_assert_uint_eq(k.missed, 16384);
	for (dropped = outq_dropped(&q); outq_dropped(&q) == dropped;)
		outq_ops.end(&q, &vo, END_FIN);
	outq_ops.end(&q, &va, END_FIN);
	while (outq_drain(&q, &out, 64))
		;
	ck_assert_uint_eq(k.ended_id, 3);
	speak(&q, &vb, 10);
	outq_drain(&q, &out, 64);
	ck_assert_uint_eq(k.ended_id, 1);
	ck_assert_int_eq(k.why, END_EVICTED);
	ck_assert_uint_eq(k.last_id, 2);
	ck_assert_uint_eq(k.missed, 16384);
	outq_finish(&q, &out);
	ck_assert_uint_eq(k.ended_id, 2);
	ck_assert(!k.wrong);
}
END_TEST

static void *writer(void *arg)
{
	struct outq *q = arg;
	struct conn c = closed_conn();
	struct conn_view v = { .conn = &c };

	for (uint32_t i = 0; i < 20000; i++)
		put_text(q, &v, i % 3000);
	outq_ops.end(q, &v, END_RST);
	return NULL;
}

START_TEST(two_threads)
{
	static struct check k;
	struct outputs out = into(&k);
	struct outq q;
	pthread_t t;

	start(&q, 0, 1, 1);
	q.patient = true;
	ck_assert_int_eq(pthread_create(&t, NULL, writer, &q), 0);
	while (!k.ends)
		outq_drain(&q, &out, 64);
	pthread_join(t, NULL);
	ck_assert(!k.wrong);
	ck_assert_uint_eq(k.texts, 20000);
	ck_assert_uint_eq(outq_dropped(&q), 0);
}
END_TEST

UNIT_MAIN("outq", every_event_comes_out_as_it_went_in, wraps_at_every_length,
	full_drops_and_counts_but_keeps_the_last_words, what_sinks_take,
	a_flood_leaves_room_for_text, lost_text_is_missed_and_lost_last_words_are_said, two_threads)
