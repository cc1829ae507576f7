/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "flow/reasm.h"

#define NODES 256
static _Alignas(64) uint8_t node_mem[NODES * 64];
static int kept;

static bool keep(void *arg, struct seg *seg)
{
	uint8_t *copy = malloc(seg->len);

	memcpy(copy, seg->data, seg->len);
	seg->data = copy;
	seg->owner = copy;
	kept++;
	return true;
}

static void drop(void *arg, void *owner)
{
	free(owner);
	kept--;
}

static struct reasm_keeper keeper(void)
{
	struct reasm_keeper k = { .keep = keep, .drop = drop, .max_segs = 64, .max_bytes = 4096 };

	ck_assert_uint_le(pool_bytes(NODES, reasm_node_size()), sizeof(node_mem));
	pool_init(&k.nodes, node_mem, NODES, reasm_node_size());
	kept = 0;
	return k;
}

static struct seg make(uint32_t seq, const char *data)
{
	return (struct seg){
		.data = (const uint8_t *)data, .len = (uint32_t)strlen(data), .seq = seq
	};
}

/* Push and collect all that comes out in order. */
static enum verdict feed(struct reasm *r, struct reasm_keeper *k, struct seg seg, char *out)
{
	enum verdict v = reasm_push(r, k, &seg);
	char *end = out + strlen(out);

	if (v != V_OK)
		return v;
	memcpy(end, seg.data, seg.len);
	end += seg.len;
	while (reasm_pull(r, k, &seg) == V_OK) {
		memcpy(end, seg.data, seg.len);
		end += seg.len;
		k->drop(k->arg, seg.owner);
	}
	*end = '\0';
	return V_OK;
}

START_TEST(in_order_and_retransmitted)
{
	struct reasm_keeper k = keeper();
	struct reasm r;
	char out[64] = "";

	reasm_init(&r);
	reasm_start(&r, 0xfffffffe); /* across the wrap of sequence numbers */
	ck_assert_int_eq(feed(&r, &k, make(0xfffffffe, "abcd"), out), V_OK);
	ck_assert_int_eq(feed(&r, &k, make(0xfffffffe, "abcd"), out), V_DUPLICATE);
	ck_assert_int_eq(feed(&r, &k, make(0, "cdef"), out), V_OK);
	ck_assert_int_eq(feed(&r, &k, make(3, "f"), out), V_DUPLICATE); /* keep-alive */
	ck_assert_str_eq(out, "abcdef");
	ck_assert_uint_eq(r.off, 6);
	ck_assert_int_eq(feed(&r, &k, make(4u + (1u << 30) + 1, "x"), out), V_OUTSIDE);
	ck_assert_int_eq(feed(&r, &k, make(4u - (1u << 30) - 1, "x"), out), V_OUTSIDE);
}
END_TEST

START_TEST(holds_until_filled)
{
	struct reasm_keeper k = keeper();
	struct reasm r;
	char out[64] = "";

	reasm_init(&r);
	reasm_start(&r, 10);
	ck_assert_int_eq(feed(&r, &k, make(16, "gh"), out), V_HELD);
	ck_assert_int_eq(feed(&r, &k, make(12, "cd"), out), V_HELD);
	ck_assert_int_eq(feed(&r, &k, make(12, "XYefgZ"), out), V_HELD); /* only "ef" is new */
	ck_assert_int_eq(feed(&r, &k, make(13, "Xef"), out), V_DUPLICATE);
	ck_assert_uint_eq(r.held_segs, 3);
	ck_assert_int_eq(feed(&r, &k, make(10, "ab"), out), V_OK);
	ck_assert_str_eq(out, "abcdefgh");
	ck_assert_uint_eq(r.held_bytes, 0);
	ck_assert_int_eq(kept, 0);
}
END_TEST

START_TEST(budget_is_kept)
{
	struct reasm_keeper k = keeper();
	struct reasm r;
	char out[64] = "";

	k.max_segs = 2;
	k.max_bytes = 5;
	reasm_init(&r);
	reasm_start(&r, 0);
	ck_assert_int_eq(feed(&r, &k, make(2, "cd"), out), V_HELD);
	ck_assert_int_eq(feed(&r, &k, make(10, "klmn"), out), V_REASM_BUDGET); /* bytes */
	ck_assert_int_eq(feed(&r, &k, make(10, "k"), out), V_HELD);
	ck_assert_int_eq(feed(&r, &k, make(20, "u"), out), V_REASM_BUDGET); /* segments */
	reasm_fini(&r, &k);
	ck_assert_int_eq(kept, 0);
	ck_assert_uint_eq(k.nodes.used, 0);
}
END_TEST

START_TEST(skips_a_hole)
{
	struct reasm_keeper k = keeper();
	struct reasm r;
	struct seg seg;
	uint32_t end;
	char out[64] = "";

	reasm_init(&r);
	reasm_start(&r, 0);
	ck_assert_uint_eq(reasm_skip(&r, &k), 0);
	ck_assert(!reasm_hole(&r, &k, &end));
	feed(&r, &k, make(7, "hi"), out);
	ck_assert(reasm_hole(&r, &k, &end));
	ck_assert_uint_eq(end, 7);
	ck_assert_uint_eq(reasm_skip(&r, &k), 7);
	ck_assert(!reasm_hole(&r, &k, &end));
	ck_assert_uint_eq(reasm_skip(&r, &k), 0);
	ck_assert_int_eq(reasm_pull(&r, &k, &seg), V_OK);
	ck_assert_uint_eq(seg.off, 7);
	k.drop(NULL, seg.owner);
	ck_assert_int_eq(feed(&r, &k, make(3, "late"), out), V_DUPLICATE);
}
END_TEST

/* Bytes 100 to 200 are missing: who says that they were received? */
START_TEST(holes_that_were_received)
{
	static const struct {
		uint32_t ack;
		struct tcp_span sack[3];
		bool received;
	} kinds[] = {
		{ 200, { { 0 } }, true },
		{ 199, { { 0 } }, false },
		{ 100, { { 100, 200 } }, true },
		{ 40, { { 90, 900 } },
			true }, /* the receiver, too, lost something, which we have */
		{ 100, { { 101, 200 } }, false },
		{ 100, { { 100, 199 } }, false },
		{ 150, { { 140, 200 } }, true },
		{ 100, { { 150, 300 }, { 100, 150 } }, true },
		{ 100, { { 180, 200 }, { 140, 180 }, { 100, 140 } }, true },
		{ 100, { { 180, 200 }, { 141, 180 }, { 100, 140 } }, false },
		{ 100, { { 300, 400 }, { 20, 60 } }, false },
	};

	for (uint32_t isn = 0; isn < 3; isn++) {
		const uint32_t base = isn * 0x7fffffb0u; /* also around the end of the numbers */
		struct reasm r = { .next = base + 100 };

		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
			struct tcp_span sack[3];

			for (int k = 0; k < 3; k++)
				sack[k] = (struct tcp_span){ base + kinds[i].sack[k].from,
					base + kinds[i].sack[k].to };
			ck_assert_int_eq(reasm_acked(&r, base + 200, base + kinds[i].ack, sack, 3),
				kinds[i].received);
		}
	}
}
END_TEST

START_TEST(deferred_bytes_come_again)
{
	struct reasm_keeper k = keeper();
	struct reasm r;
	struct seg seg = make(0, "abcdef");

	reasm_init(&r);
	ck_assert_int_eq(reasm_push(&r, &k, &seg), V_OK);
	seg.data += 2; /* the reader took two bytes */
	seg.len -= 2;
	seg.seq += 2;
	ck_assert_int_eq(reasm_defer(&r, &k, &seg, false), V_OK);
	ck_assert_uint_eq(r.off, 2);
	seg = make(0, "abcdefgh"); /* a longer retransmission meanwhile */
	ck_assert_int_eq(reasm_push(&r, &k, &seg), V_OK);
	ck_assert_uint_eq(seg.len, 6);
	ck_assert_int_eq(reasm_defer(&r, &k, &seg, false), V_OK);
	ck_assert_int_eq(reasm_pull(&r, &k, &seg), V_OK);
	ck_assert_mem_eq(seg.data, "cdef", 4);
	ck_assert_int_eq(reasm_defer(&r, &k, &seg, true), V_OK);
	ck_assert_int_eq(reasm_pull(&r, &k, &seg), V_OK);
	ck_assert_mem_eq(seg.data, "cdef", 4);
	k.drop(NULL, seg.owner);
	ck_assert_int_eq(reasm_pull(&r, &k, &seg), V_OK);
	ck_assert_mem_eq(seg.data, "gh", 2);
	k.drop(NULL, seg.owner);
	ck_assert_int_eq(reasm_pull(&r, &k, &seg), V_MORE);
	ck_assert_int_eq(kept, 0);
}
END_TEST

/* Any order, any overlap, duplicates: the stream that comes out is the stream that went in. */
START_TEST(random_order_gives_the_stream)
{
	char text[401], out[512];

	for (int i = 0; i < 400; i++)
		text[i] = (char)('!' + i * 7 % 90);
	text[400] = '\0';
	for (unsigned seed = 0; seed < 500; seed++) {
		struct reasm_keeper k = keeper();
		struct reasm r;
		uint32_t isn;

		srand(seed);
		isn = (uint32_t)rand() * 4;
		reasm_init(&r);
		reasm_start(&r, isn);
		out[0] = '\0';
		for (int n = 0; n < 100000 && r.off < 400; n++) {
			int at = rand() % 400, len = 1 + rand() % 40;
			struct seg seg = { .seq = isn + (uint32_t)at };

			seg.data = (uint8_t *)text + at;
			seg.len = (uint32_t)(at + len > 400 ? 400 - at : len);
			feed(&r, &k, seg, out);
		}
		ck_assert_str_eq(out, text);
		ck_assert_int_eq(kept, 0);
		ck_assert_uint_eq(k.nodes.used, 0);
	}
}
END_TEST

UNIT_MAIN("reasm", in_order_and_retransmitted, holds_until_filled, budget_is_kept, skips_a_hole,
	holes_that_were_received, deferred_bytes_come_again, random_order_gives_the_stream)
