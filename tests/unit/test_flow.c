/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "flow/flow.h"

#define SEC 1000000000ull

static void *mem;
static const uint8_t host_a[4] = { 10, 0, 0, 1 }, host_b[4] = { 10, 0, 0, 2 };

static struct flow *table(uint32_t max)
{
	struct flow_cfg cfg = {
		.max_conns = max, .idle_ms = 600000, .new_ms = 20000, .closed_ms = 10000, .seed = 42
	};
	size_t n = (flow_bytes(&cfg) + 63) & ~(size_t)63;

	free(mem);
	mem = aligned_alloc(64, n);
	memset(mem, 0, n);
	return flow_init(mem, &cfg);
}

static struct pkt pkt(bool reply, uint16_t port, uint8_t flags, uint32_t seq, uint32_t ack)
{
	return (struct pkt){ .src = reply ? host_b : host_a,
		.dst = reply ? host_a : host_b,
		.addr_len = 4,
		.sport = reply ? 443 : port,
		.dport = reply ? port : 443,
		.tcp_flags = flags,
		.seq = seq,
		.ack = ack,
		.ts_ns = 1000 * SEC,
		.wire_len = 60 };
}

static struct conn *offer(struct flow *f, const struct pkt *p, int *end, struct conn **old)
{
	struct flow_look l;

	flow_look(f, p, &l);

	*end = l.ends.end;
	return flow_get(f, p, &l, old);
}

static struct conn *get(struct flow *f, struct pkt p, int *end)
{
	struct conn *old, *c = offer(f, &p, end, &old);

	ck_assert_ptr_null(old);
	return c;
}

static const struct conn *peek(struct flow *f, struct pkt p)
{
	struct flow_look l;

	flow_look(f, &p, &l);
	return flow_peek(f, &l);
}

START_TEST(both_directions_are_one)
{
	struct flow *f = table(64);
	int e1, e2;
	struct conn *c = get(f, pkt(false, 5000, TCP_SYN, 100, 0), &e1);

	ck_assert_ptr_nonnull(c);
	ck_assert_ptr_eq(get(f, pkt(true, 5000, TCP_SYN | TCP_ACK, 900, 101), &e2), c);
	ck_assert_int_ne(e1, e2);
	ck_assert_int_eq(c->initiator, e1);
	ck_assert_uint_eq(c->dir[e1].next, 101);
	ck_assert_uint_eq(c->dir[e2].next, 901);
	ck_assert_ptr_ne(get(f, pkt(false, 5001, TCP_SYN, 100, 0), &e1), c);
	ck_assert_uint_eq(flow_count(f), 2);
	ck_assert_uint_eq(c->packets[0] + c->packets[1], 2);
	ck_assert_ptr_eq(peek(f, pkt(true, 5000, TCP_ACK, 901, 101)), c);
	ck_assert_ptr_null(peek(f, pkt(true, 5002, TCP_ACK, 901, 101)));
}
END_TEST

START_TEST(syn_ack_alone_starts_both)
{
	struct flow *f = table(64);
	int end;
	struct conn *c = get(f, pkt(true, 5000, TCP_SYN | TCP_ACK, 900, 101), &end);

	ck_assert_int_eq(c->initiator, !end);
	ck_assert(c->dir[!end].started);
	ck_assert_uint_eq(c->dir[!end].next, 101);
}
END_TEST

START_TEST(lone_rst_makes_nothing)
{
	struct flow *f = table(64);
	int end;

	ck_assert_ptr_null(get(f, pkt(false, 5000, TCP_RST, 1, 0), &end));
	ck_assert_uint_eq(flow_count(f), 0);
}
END_TEST

/* Carry a connection to where data went by in the client's direction. */
static struct conn *talk(struct flow *f)
{
	int end;
	struct conn *c = get(f, pkt(false, 5000, TCP_SYN, 100, 0), &end);

	c->dir[end].off = 10;
	c->dir[end].next = 111;
	return c;
}

START_TEST(port_reuse_after_close)
{
	struct flow *f = table(64);
	struct conn *c = talk(f), *old;
	struct pkt p = pkt(false, 5000, TCP_RST, 111, 0);
	int end;

	ck_assert_ptr_eq(get(f, p, &end), c);
	ck_assert_int_eq(c->state, CONN_CLOSED);
	ck_assert(c->reset && c->closer == end);
	p = pkt(false, 5000, TCP_SYN, 77777, 0);
	ck_assert_ptr_null(offer(f, &p, &end, &old));
	ck_assert_ptr_eq(old, c);
	flow_del(f, old);
	c = get(f, p, &end);
	ck_assert_uint_eq(c->dir[end].next, 77778);
}
END_TEST

START_TEST(forged_syn_and_rst_change_nothing)
{
	struct flow *f = table(64);
	struct conn *c = talk(f);
	int end;

	ck_assert_ptr_eq(get(f, pkt(false, 5000, TCP_SYN, 77777, 0), &end), c);
	ck_assert_ptr_eq(get(f, pkt(false, 5000, TCP_RST, 5000000, 0), &end), c);
	ck_assert_int_ne(c->state, CONN_CLOSED);
	ck_assert(!c->reset && c->closer == END_UNKNOWN);
	ck_assert_ptr_eq(get(f, pkt(false, 5000, TCP_ACK, 111, 5), &end), c);
	ck_assert_uint_eq(c->dir[end].next, 111);
}
END_TEST

START_TEST(who_closes_first)
{
	for (int server = 0; server < 2; server++) {
		struct flow *f = table(64);
		struct conn *c = talk(f);
		int end, first;

		get(f, pkt(server, 5000, TCP_FIN | TCP_ACK, 111, 0), &first);
		get(f, pkt(!server, 5000, TCP_FIN | TCP_ACK, 111, 0), &end);
		ck_assert_int_ne(first, end);
		ck_assert(c->state == CONN_CLOSED && c->closer == first);
		get(f, pkt(!server, 5000, TCP_RST, 112, 0), &end);
		ck_assert(!c->reset && c->closer == first);
	}
}
END_TEST

START_TEST(reuse_without_a_close_needs_proof)
{
	struct flow *f = table(64);
	struct conn *c = talk(f), *old;
	struct pkt p;
	int end;

	get(f, pkt(false, 5000, TCP_SYN, 77777, 0), &end);
	p = pkt(true, 5000, TCP_SYN | TCP_ACK, 900, 77778);
	ck_assert_ptr_null(offer(f, &p, &end, &old));
	ck_assert_ptr_eq(old, c);
	flow_del(f, old);
	c = get(f, p, &end);
	ck_assert_uint_eq(c->dir[!end].next, 77778);
}
END_TEST

START_TEST(timeouts)
{
	struct flow *f = table(64);
	struct conn *c = talk(f), *d;
	struct pkt p = pkt(false, 6000, TCP_ACK, 1, 1);
	int end;

	p.payload_len = 1;
	d = get(f, p, &end);
	ck_assert_int_eq(d->state, CONN_ESTABLISHED);
	ck_assert_ptr_null(flow_expired(f, 1010 * SEC));
	ck_assert_ptr_eq(flow_expired(f, 1030 * SEC), c);
	flow_del(f, c);
	ck_assert_ptr_null(flow_expired(f, 1030 * SEC));
	ck_assert_ptr_null(flow_expired(f, 1590 * SEC));
	ck_assert_ptr_eq(flow_expired(f, 1700 * SEC), d);
	flow_del(f, d);
	ck_assert_ptr_null(flow_any(f));
}
END_TEST

START_TEST(full_table_gives_up_the_least_valuable)
{
	struct flow *f = table(256);
	struct conn *old;
	struct pkt p = pkt(false, 1, TCP_SYN, 1, 0);
	uint32_t made = 0, evicted = 0;
	int end;

	for (uint32_t i = 0; i < 4096; i++) {
		uint8_t src[4] = { 10, 1, (uint8_t)(i >> 8), (uint8_t)i };
		struct conn *c;

		p.src = src;
		p.ts_ns = 1000 * SEC + i * SEC / 1000;
		while (!(c = offer(f, &p, &end, &old))) {
			ck_assert_ptr_nonnull(old);
			ck_assert(!old->valued);
			flow_del(f, old);
			evicted++;
		}
		made++;
		c->valued = made <= 100;
	}
	ck_assert_uint_eq(flow_count(f), made - evicted);
	ck_assert_uint_le(flow_peak(f), 256);
	ck_assert_uint_gt(flow_count(f), 200);
	evicted = 0;
	while ((old = flow_any(f))) {
		evicted += old->valued;
		flow_del(f, old);
	}
	ck_assert_uint_eq(evicted, 100); /* the valued ones were all still there */
	ck_assert_uint_eq(flow_count(f), 0);
}
END_TEST

UNIT_MAIN("flow", both_directions_are_one, syn_ack_alone_starts_both, lone_rst_makes_nothing,
	port_reuse_after_close, forged_syn_and_rst_change_nothing, who_closes_first,
	reuse_without_a_close_needs_proof, timeouts, full_table_gives_up_the_least_valuable)
