/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly against a table of bytes: for each stream offset what is held there. Every segment has
 * bytes of its own, so that a copy of the wrong one shows. Input: u32 sequence number of the first
 * byte, then steps: u8 operation, u16 offset, u8 length.
 */

#include "base/bytes.h"
#include "check.h"
#include "flow/reasm.h"

#define STREAM_MAX (65536 + 512)
#define NODES 48
#define NONE (-1)

enum op { PUSH, SKIP, DEFER, FAR, OPS };

static struct reasm r;
static struct reasm_keeper k;
static _Alignas(64) uint8_t node_mem[NODES * 128];
static int16_t held[STREAM_MAX];
static uint32_t base, next; /* sequence number of offset 0; offset expected next */
static int kept;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(uint32_t seq)
{
	k = (struct reasm_keeper){
		.keep = keep, .drop = drop, .arg = &kept, .max_segs = NODES - 8, .max_bytes = 4096
	};
	check(pool_bytes(NODES, reasm_node_size()) <= sizeof(node_mem), "nodes fit");
	pool_init(&k.nodes, node_mem, NODES, reasm_node_size());
	for (int i = 0; i < STREAM_MAX; i++)
		held[i] = NONE;
	base = seq;
	next = 0;
	kept = 0;
	reasm_init(&r);
	reasm_start(&r, seq);
}

/* Hold the first @p n bytes that are not held yet. @return how many there were. */
static uint32_t hold(const struct seg *seg, uint32_t n)
{
	uint32_t at = seg->seq - base, found = 0;

	for (uint32_t i = 0; i < seg->len; i++) {
		if (held[at + i] != NONE)
			continue;
		if (found++ < n)
			held[at + i] = seg->data[i];
	}
	return found;
}

/* A segment that came out in order: of what is expected, and where. */
static void delivered(const struct seg *seg)
{
	check(seg->len > 0, "something is delivered");
	check(seg->off == next, "at its offset");
	check(seg->seq == base + next, "with its sequence number");
	next += seg->len;
	check(r.off == next && r.next == base + next, "and the stream goes on behind it");
}

/* Give back the last bytes of what was delivered. */
static void defer(struct seg *seg, uint32_t n, bool from_pull)
{
	uint32_t before = r.held_bytes;
	enum verdict v;

	seg->data += seg->len - n;
	seg->seq += seg->len - n;
	seg->len = n;
	v = reasm_defer(&r, &k, seg, from_pull);
	check(v == V_OK || v == V_REASM_BUDGET, "deferred or no room");
	/* Where an old copy is held still, that one stays. */
	hold(seg, r.held_bytes - before);
	if (v == V_OK)
		next -= n;
	else if (from_pull)
		k.drop(k.arg, seg->owner);
}

/* @param again  So often the last byte of what comes out is given back. */
static void pull_all(int again)
{
	struct seg seg;

	while (reasm_pull(&r, &k, &seg) == V_OK) {
		for (uint32_t i = 0; i < seg.len; i++)
			check(held[next + i] == seg.data[i], "the first copy that was held");
		delivered(&seg);
		for (uint32_t i = next - seg.len; i < next; i++)
			held[i] = NONE;
		if (again-- > 0)
			defer(&seg, 1, true);
		else
			k.drop(k.arg, seg.owner);
	}
	for (uint32_t i = 0; i < next; i++)
		held[i] = NONE;
	check(held[next] == NONE, "nothing that is next is left");
}

static void push(struct seg *seg, bool give_back)
{
	uint32_t at = seg->seq - base, before = r.held_bytes;
	const struct seg whole = *seg;
	enum verdict v = reasm_push(&r, &k, seg);

	if (at > next) {
		uint32_t new = r.held_bytes - before, all = hold(&whole, new);

		check(new <= all, "no byte is held twice");
		check(v ==
				(new < all          ? V_REASM_BUDGET :
						new ? V_HELD :
						      V_DUPLICATE),
			"held, known, or no room");
		return;
	}
	if (at + whole.len <= next) {
		check(v == V_DUPLICATE, "delivered before");
		return;
	}
	check(v == V_OK, "in order");
	check(seg->len == at + whole.len - next, "what is new of it");
	check(seg->data == whole.data + (next - at), "begins where the old ends");
	delivered(seg);
	if (give_back)
		defer(seg, seg->len / 2 + 1, false);
	pull_all(give_back);
}

static void skip(void)
{
	uint32_t end = 0, gap, at = next;
	bool hole = reasm_hole(&r, &k, &end);

	while (at < STREAM_MAX && held[at] == NONE)
		at++;
	check(hole == (at < STREAM_MAX), "a hole is where something is held behind it");
	check(!hole || end == base + at, "it ends there");
	gap = reasm_skip(&r, &k);
	check(gap == (hole ? at - next : 0), "all of it is skipped");
	next += gap;
	pull_all(0);
}

/* What lies beyond any window changes nothing. */
static void far(struct seg seg)
{
	struct reasm before = r;

	seg.seq = r.next + (seg.seq & 1 ? (1u << 30) + 1 : -(1u << 30) - 1);
	check(reasm_push(&r, &k, &seg) == V_OUTSIDE, "outside");
	check(!memcmp(&before, &r, sizeof(r)), "nothing changed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	uint8_t op, len, bytes[256], fill = 0;
	uint16_t at;
	uint32_t seq;

	if (rd_u32(&in, &seq) != V_OK)
		return 0;
	start(seq);
	while (rd_u8(&in, &op) == V_OK && rd_u16(&in, &at) == V_OK && rd_u8(&in, &len) == V_OK) {
		struct seg seg = { .data = bytes, .len = len + 1u, .seq = base + at };

		memset(bytes, ++fill, sizeof(bytes));
		if (op % OPS == SKIP)
			skip();
		else if (op % OPS == FAR)
			far(seg);
		else
			push(&seg, op % OPS == DEFER);
		check(kept == r.held_segs, "what is kept is held");
		check(k.nodes.used == r.held_segs, "in nodes");
		check(r.held_bytes <= k.max_bytes, "within the budget");
		check(!r.held_bytes == !r.held_segs, "what is let go is not counted on");
	}
	reasm_fini(&r, &k);
	check(!kept && !k.nodes.used, "nothing is left");
	return 0;
}
