/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "flow/ends.h"

#define MAX 64

static struct ends ends;
static struct ends_brief brief[MAX]; /* of connections */
static void *mem;

static void start(uint64_t seed)
{
	size_t n = (ends_bytes(MAX) + 63) & ~(size_t)63;

	free(mem);
	mem = aligned_alloc(64, n);
	memset(mem, 0, n);
	ends_init(&ends, mem, MAX, seed);
}

static const uint8_t v6[3][16] = { { 0x20, 1, 0xd, 0xb8, [15] = 1 },
	{ 0x20, 1, 0xd, 0xb8, [15] = 2 }, { 0x20, 1, 0xd, 0xb8, [7] = 1, [15] = 2 } };
static const uint8_t v4[3][4] = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 }, { 9, 255, 255, 255 } };

static struct pkt between(uint8_t len, int a, uint16_t port_a, int b, uint16_t port_b)
{
	return (struct pkt){ .src = len == 4 ? v4[a] : v6[a],
		.dst = len == 4 ? v4[b] : v6[b],
		.sport = port_a,
		.dport = port_b,
		.addr_len = len };
}

static bool matches(struct pkt p, uint32_t index)
{
	struct ends_look l;

	ends_look(&ends, &p, &l);
	return ends_match(&ends, &brief[index], &p, &l);
}

static int put(uint32_t index, struct pkt p)
{
	struct ends_look l;

	ends_look(&ends, &p, &l);
	ends_put(&ends, &brief[index], &p, &l);
	return l.end;
}

START_TEST(both_directions_are_one_and_nothing_else_is)
{
	for (int i = 0; i < 2; i++) {
		uint8_t len = i ? 16 : 4, other = i ? 4 : 16;

		start(1);
		put(7, between(len, 0, 443, 1, 5000));
		ck_assert(matches(between(len, 0, 443, 1, 5000), 7));
		ck_assert(matches(between(len, 1, 5000, 0, 443), 7));
		ck_assert(!matches(between(len, 0, 5000, 1, 443), 7));
		ck_assert(!matches(between(len, 0, 443, 1, 5001), 7));
		ck_assert(!matches(between(len, 0, 443, 2, 5000), 7));
		ck_assert(!matches(between(len, 2, 443, 1, 5000), 7));
		ck_assert(!matches(between(other, 0, 443, 1, 5000), 7));
		ends_forget(&ends, &brief[7]);
		ck_assert(!matches(between(len, 0, 443, 1, 5000), 7));
	}
}
END_TEST

START_TEST(a_key_comes_back)
{
	for (int i = 0; i < 2; i++) {
		uint8_t len = i ? 16 : 4;
		struct pkt p = between(len, 1, 5000, 0, 443);
		struct ends_look l;
		struct flow_key k;
		int end;

		start(2);
		end = put(3, p);
		k = ends_key(&ends, &brief[3]);
		ck_assert_uint_eq(k.addr_len, len);
		ck_assert_mem_eq(k.addr[end], p.src, len);
		ck_assert_mem_eq(k.addr[!end], p.dst, len);
		ck_assert_uint_eq(k.port[end], 5000);
		ck_assert_uint_eq(k.port[!end], 443);
		ck_assert_int_le(memcmp(k.addr[0], k.addr[1], 16), 0);
		ends_look(&ends, &p, &l);
		ck_assert_uint_eq(ends_hash(&ends, &brief[3]), l.hash);
	}
}
END_TEST

/* IPv6 addresses of one digest are told apart all the same. */
START_TEST(a_digest_is_no_proof)
{
	struct pkt p = between(16, 0, 1, 1, 2), q = between(16, 0, 1, 2, 2);
	struct ends_look l;

	start(3);
	ends_look(&ends, &p, &l);
	ends_put(&ends, &brief[0], &p, &l);
	ck_assert(ends_match(&ends, &brief[0], &p, &l));
	ck_assert(!ends_match(&ends, &brief[0], &q, &l));
}
END_TEST

START_TEST(addresses_are_given_back)
{
	start(4);
	for (int round = 0; round < 3; round++) {
		for (uint32_t n = 0; n < MAX; n++)
			put(n, between(16, 0, (uint16_t)n, 1, 443));
		for (uint32_t n = 0; n < MAX; n++)
			ck_assert(matches(between(16, 1, 443, 0, (uint16_t)n), n));
		for (uint32_t n = 0; n < MAX; n++)
			ends_forget(&ends, &brief[n]);
		ck_assert_uint_eq(ends.addr6.used, 0);
	}
}
END_TEST

/* Ports that go up one by one, whatever the seed is, spread over the buckets. */
START_TEST(hashes_spread)
{
	for (uint64_t seed = 0; seed < 4; seed++) {
		static uint8_t hit[4096];
		int empty = 0;

		start(seed);
		memset(hit, 0, sizeof(hit));
		for (uint32_t n = 0; n < 16384; n++) {
			struct pkt p = between(4, 0, 443, 1, (uint16_t)(1024 + n));

			struct ends_look l;

			ends_look(&ends, &p, &l);
			hit[l.hash % sizeof(hit)] = 1;
		}
		for (size_t i = 0; i < sizeof(hit); i++)
			empty += !hit[i];
		/* e^-4 of them, when drawn at random: 75, give or take 9 */
		ck_assert_int_lt(empty, 150);
	}
}
END_TEST

UNIT_MAIN("ends", both_directions_are_one_and_nothing_else_is, a_key_comes_back,
	a_digest_is_no_proof, addresses_are_given_back, hashes_spread)
