/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#define SECOND 1000000000ull

static uint8_t bytes[65536];
static struct frag *f;
static uint64_t now;

static void fresh(uint32_t max)
{
	struct frag_cfg cfg = { .max_datagrams = max, .timeout_ms = 30000, .seed = 42 };
	size_t n = frag_bytes(&cfg);
	void *mem = aligned_alloc(64, n);

	free(f);
	f = frag_init(memset(mem, 0xa5, n), &cfg);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + (i >> 8));
	now = 1000 * SECOND;
}

static struct frag_piece piece(uint32_t id, uint32_t off, uint32_t len, bool more)
{
	return (struct frag_piece){
		.src = (const uint8_t *)"\xc0\x00\x02\x01",
		.dst = (const uint8_t *)"\xc0\x00\x02\x02",
		.data = bytes + off,
		.len = len,
		.off = off,
		.id = id,
		.addr_len = 4,
		.proto = 6,
		.more = more,
		.ts_ns = now,
	};
}

/** Push bytes off .. off + len of the datagram; if that makes it whole, compare. */
static enum verdict push(uint32_t id, uint32_t off, uint32_t len, bool more)
{
	struct frag_piece p = piece(id, off, len, more);
	struct rd whole;
	uint8_t proto;
	enum verdict v;

	frag_release(f);
	v = frag_push(f, &p, &whole, &proto);
	if (v == V_OK) {
		ck_assert_uint_eq(proto, 6);
		ck_assert_mem_eq(whole.p, bytes, rd_left(&whole));
	}
	return v;
}

/** Five fragments, in each of the 120 orders. */
START_TEST(any_order)
{
	static const uint32_t cuts[] = { 0, 8, 72, 640, 1280, 1283 };

	fresh(4);
	for (int order = 0; order < 120; order++) {
		bool used[5] = { false };

		for (int left = 5, n = order; left; n /= left--) {
			int i = 0;

			for (int skip = n % left; used[i] || skip--; i++)
				;
			used[i] = true;
			ck_assert_int_eq(
				push((uint32_t)order, cuts[i], cuts[i + 1] - cuts[i], i < 4),
				left > 1 ? V_FRAGMENT : V_OK);
		}
	}
	ck_assert_uint_eq(frag_held(f), 0);
	ck_assert_uint_eq(frag_lost(f), 0);
}
END_TEST

START_TEST(largest)
{
	fresh(1);
	ck_assert_int_eq(push(1, 65528, 7, false), V_FRAGMENT);
	ck_assert_int_eq(push(1, 0, 65528, true), V_OK);
	ck_assert_int_eq(push(2, 65528, 8, false), V_FRAGMENT_BAD);
	ck_assert_int_eq(push(3, 65528, 8, true), V_FRAGMENT_BAD);
	for (uint32_t off = 0; off < 65528; off += 8)
		ck_assert_int_eq(push(4, off, 8, true), V_FRAGMENT);
	ck_assert_int_eq(push(4, 65528, 1, false), V_OK);
}
END_TEST

START_TEST(malformed)
{
	fresh(4);
	ck_assert_int_eq(push(1, 0, 0, true), V_FRAGMENT_BAD);
	ck_assert_int_eq(push(1, 8, 0, false), V_FRAGMENT_BAD);
	ck_assert_int_eq(push(1, 0, 7, true), V_FRAGMENT_BAD);
	ck_assert_uint_eq(frag_held(f), 0);
	/* A malformed one takes its datagram along. */
	ck_assert_int_eq(push(1, 0, 8, true), V_FRAGMENT);
	ck_assert_int_eq(push(1, 8, 9, true), V_FRAGMENT_BAD);
	ck_assert_uint_eq(frag_held(f), 0);
}
END_TEST

START_TEST(duplicates_are_harmless)
{
	fresh(4);
	ck_assert_int_eq(push(1, 0, 64, true), V_FRAGMENT);
	ck_assert_int_eq(push(1, 0, 64, true), V_FRAGMENT);
	ck_assert_int_eq(push(1, 8, 16, true), V_FRAGMENT);
	ck_assert_int_eq(push(1, 72, 5, false), V_FRAGMENT);
	ck_assert_int_eq(push(1, 72, 5, false), V_FRAGMENT);
	ck_assert_int_eq(push(1, 64, 8, true), V_OK);
}
END_TEST

static void overlap(uint32_t off, uint32_t len, bool more)
{
	fresh(4);
	ck_assert_int_eq(push(1, 0, 8, true), V_FRAGMENT);
	ck_assert_int_eq(push(1, 64, 64, true), V_FRAGMENT);
	ck_assert_int_eq(push(1, 192, 20, false), V_FRAGMENT);
	ck_assert_int_eq(push(1, off, len, more), V_FRAGMENT_BAD);
	ck_assert_uint_eq(frag_held(f), 0);
}

START_TEST(overlaps)
{
	overlap(8, 64, true);    /* its end */
	overlap(120, 16, true);  /* its begin */
	overlap(56, 80, true);   /* around one */
	overlap(0, 192, true);   /* around all */
	overlap(192, 24, true);  /* beyond the end */
	overlap(200, 8, false);  /* another end, lower */
	overlap(192, 28, false); /* another end, higher */
	overlap(1000, 8, true);
	/* An end below what is already there. */
	fresh(4);
	ck_assert_int_eq(push(1, 64, 64, true), V_FRAGMENT);
	ck_assert_int_eq(push(1, 64, 60, false), V_FRAGMENT_BAD);
	/* The same place, other bytes. */
	ck_assert_int_eq(push(1, 64, 64, true), V_FRAGMENT);
	bytes[127] ^= 1;
	ck_assert_int_eq(push(1, 64, 64, true), V_FRAGMENT_BAD);
}
END_TEST

START_TEST(identity)
{
	struct frag_piece p;
	struct rd whole;
	uint8_t proto;

	fresh(8);
	ck_assert_int_eq(push(1, 0, 8, true), V_FRAGMENT);
	for (int i = 0; i < 4; i++) {
		p = piece(1, 8, 8, false);
		p.id += i == 0;
		p.proto = i == 1 ? 17 : 6;
		p.src = (const uint8_t *)(i == 2 ? "\xc0\x00\x02\x09" : "\xc0\x00\x02\x01");
		p.dst = (const uint8_t *)(i == 3 ? "\xc0\x00\x02\x09" : "\xc0\x00\x02\x02");
		ck_assert_int_eq(frag_push(f, &p, &whole, &proto), V_FRAGMENT);
	}
	ck_assert_uint_eq(frag_held(f), 5);
	ck_assert_int_eq(push(1, 8, 8, false), V_OK);
}
END_TEST

/* IPv6: what follows is what the first fragment says, whatever the others do. */
START_TEST(first_fragment_names_the_protocol)
{
	struct frag_piece p = piece(1, 8, 8, false);
	struct rd whole;
	uint8_t proto;

	fresh(2);
	p.src = p.dst = (const uint8_t *)"0123456789abcdef";
	p.addr_len = 16;
	p.proto = 58;
	ck_assert_int_eq(frag_push(f, &p, &whole, &proto), V_FRAGMENT);
	p.off = 0;
	p.more = true;
	p.proto = 6;
	ck_assert_int_eq(frag_push(f, &p, &whole, &proto), V_OK);
	ck_assert_uint_eq(proto, 6);
}
END_TEST

START_TEST(times_out)
{
	fresh(8);
	for (uint32_t id = 0; id < 7; id++)
		ck_assert_int_eq(push(id, 0, 8, true), V_FRAGMENT);
	now += 30 * SECOND;
	ck_assert_int_eq(push(7, 0, 8, true), V_FRAGMENT);
	ck_assert_uint_eq(frag_lost(f), 0);
	now += 1;
	/* Too late, for its own datagram as well: it begins a new one. */
	ck_assert_int_eq(push(6, 8, 8, false), V_FRAGMENT);
	ck_assert_uint_eq(frag_lost(f), 5);
	ck_assert_int_eq(push(7, 8, 8, false), V_OK);
	ck_assert_uint_eq(frag_lost(f), 7);
	ck_assert_uint_eq(frag_held(f), 1);
	/* Time that steps back ages nothing. */
	now -= 1000 * SECOND;
	ck_assert_int_eq(push(6, 0, 8, true), V_OK);
	ck_assert_uint_eq(frag_lost(f), 7);
}
END_TEST

START_TEST(evicts_the_oldest)
{
	fresh(3);
	for (uint32_t id = 0; id < 3; id++)
		ck_assert_int_eq(push(id, 0, 8, true), V_FRAGMENT);
	ck_assert_int_eq(push(3, 0, 8, true), V_FRAGMENT);
	ck_assert_uint_eq(frag_lost(f), 1);
	ck_assert_uint_eq(frag_held(f), 3);
	for (uint32_t id = 1; id <= 3; id++)
		ck_assert_int_eq(push(id, 8, 8, false), V_OK);
	ck_assert_int_eq(push(0, 8, 8, false), V_FRAGMENT);
	for (uint32_t id = 100; id < 100000; id++)
		ck_assert_int_eq(push(id, 8, 8, true), V_FRAGMENT);
	ck_assert_uint_eq(frag_held(f), 3);
}
END_TEST

/* What was handed out is not written to before it is released, even by fragments inside it. */
START_TEST(borrowed_until_release)
{
	struct frag_piece p = piece(1, 8, 8, false);
	struct rd whole, other;
	uint8_t proto;

	fresh(1);
	ck_assert_int_eq(push(1, 0, 8, true), V_FRAGMENT);
	ck_assert_int_eq(frag_push(f, &p, &whole, &proto), V_OK);
	p.id = 2;
	ck_assert_int_eq(frag_push(f, &p, &other, &proto), V_FRAGMENT_BAD);
	ck_assert_mem_eq(whole.p, bytes, 16);
	frag_release(f);
	ck_assert_int_eq(frag_push(f, &p, &other, &proto), V_FRAGMENT);
}
END_TEST

/** The TCP segment of @p whole as fragments of @p size bytes, last first. */
static enum verdict as_fragments(const struct frame *whole, uint32_t size, bool ip6, struct pkt *p)
{
	static struct frame part;
	enum verdict v = V_COUNT;

	for (uint32_t i = (whole->len + size - 1) / size; i--;) {
		uint32_t off = i * size;
		uint32_t len = whole->len - off < size ? whole->len - off : size;
		bool more = off + len < whole->len;

		ck_assert(v == V_COUNT || v == V_FRAGMENT);
		frame_fini(&part);
		part = frame_new(LINK_ETHERNET);
		frame_eth(&part, ip6 ? 0x86dd : 0x0800);
		if (ip6) {
			frame_ip6(&part, 44);
			frame_hex(&part, "0600");
			frame_u16(&part, (uint16_t)(off | more));
			frame_hex(&part, "00000001");
		} else {
			frame_ip4_frag(&part, 6, 1, (uint16_t)(off / 8 | more << 13));
		}
		memcpy(part.b + part.len, whole->b + off, len);
		part.len += len;
		frame_close(&part);
		part.len += 6; /* a trailer that must not get into the datagram */
		v = frame_run(&part, f, p);
	}
	return v;
}

START_TEST(through_decode)
{
	struct frame whole = frame_new(LINK_RAW);
	struct pkt p;

	fresh(4);
	frame_tcp(&whole);
	for (int ip6 = 0; ip6 < 2; ip6++) {
		for (uint32_t size = 8; size < whole.len; size += 8) {
			ck_assert_int_eq(as_fragments(&whole, size, ip6, &p), V_OK);
			frame_check(&p, FRAME_PAYLOAD);
		}
	}
}
END_TEST

/* Fragments of a tunnel, in which there are fragments of the segment. */
START_TEST(nested)
{
	static struct frame inner, outer;
	struct pkt p;

	fresh(2);
	for (int i = 0; i < 4; i++) {
		frame_fini(&outer);
		inner = frame_new(LINK_RAW);
		frame_hex(&inner, "0000 0800"); /* GRE */
		frame_ip4_frag(&inner, 6, 1, i < 2 ? 0x2000 : 4);
		frame_tcp(&inner);
		if (i < 2)
			inner.len = inner.tcp + 32;
		else
			memmove(inner.b + inner.tcp, inner.b + inner.tcp + 32, inner.len -= 32);
		frame_close(&inner);
		outer = frame_new(LINK_RAW);
		frame_ip4_frag(&outer, 47, (uint16_t)(7 + i / 2), i % 2 ? 3 : 0x2000);
		memcpy(outer.b + 20, inner.b + i % 2 * 24, inner.len - i % 2 * 24);
		outer.len += i % 2 ? inner.len - 24 : 24;
		ck_assert_int_eq(frame_run(&outer, f, &p), i < 3 ? V_FRAGMENT : V_OK);
	}
	frame_check(&p, FRAME_PAYLOAD);
	ck_assert_uint_eq(frag_held(f), 0);
	frame_fini(&outer);
}
END_TEST

START_TEST(cut_by_the_capture)
{
	struct frame part = frame_new(LINK_RAW);
	struct pkt p;

	fresh(2);
	frame_ip4_frag(&part, 6, 1, 0x2000);
	frame_tcp(&part);
	part.len -= 4;
	ck_assert_int_eq(frame_cut(&part, part.len - 8, part.len, f, &p), V_SHORT);
	ck_assert_uint_eq(frag_held(f), 0);
	frame_fini(&part);
}
END_TEST

UNIT_MAIN("frag", any_order, largest, malformed, duplicates_are_harmless, overlaps, identity,
	first_fragment_names_the_protocol, times_out, evicts_the_oldest, borrowed_until_release,
	through_decode, nested, cut_by_the_capture)
