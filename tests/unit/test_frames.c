/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "base/bytes.h"
#include "decode/pkt.h"
#include "write/frames.h"

/* One frame, taken apart by a reader that shares nothing with the writer. */
struct seen {
	int dir;
	uint8_t flags;
	uint32_t seq, ack, len;
	const uint8_t *data;
};

static uint16_t checksum(const uint8_t *p, size_t n, uint32_t acc)
{
	for (size_t i = 0; i < n; i++)
		acc += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (acc >> 16)
		acc = (acc & 0xffff) + (acc >> 16);
	return (uint16_t)acc;
}

static uint32_t add(const uint8_t *p, size_t n)
{
	uint32_t acc = 0;

	for (size_t i = 0; i < n; i += 2)
		acc += get_be16(p + i);
	return acc;
}

static struct seen take_apart(const struct frames *f, const uint8_t *b, size_t n)
{
	bool v4 = f->addr_len == 4;
	const uint8_t *ip = b + 14, *addr = ip + (v4 ? 12 : 8), *t = ip + (v4 ? 20 : 40);
	uint32_t len = (uint32_t)(n - (size_t)(t - b)), head;
	struct seen s = { .dir = b[5] == 2 ? C2S : S2C };

	ck_assert_uint_ge(n, v4 ? 54 : 74);
	ck_assert_uint_le(n, FRAMES_MAX);
	ck_assert_mem_eq(b,
		s.dir == C2S ? "\x02\x63\x74\0\0\x02\x02\x63\x74\0\0\x01" :
			       "\x02\x63\x74\0\0\x01\x02\x63\x74\0\0\x02",
		12);
	ck_assert_uint_eq(get_be16(b + 12), v4 ? 0x0800 : 0x86dd);
	if (v4) {
		ck_assert_uint_eq(ip[0], 0x45);
		ck_assert_uint_eq(get_be16(ip + 2), n - 14);
		ck_assert_uint_eq(ip[9], 6);
		ck_assert_uint_eq(checksum(ip, 20, 0), 0xffff);
	} else {
		ck_assert_uint_eq(ip[0], 0x60);
		ck_assert_uint_eq(get_be16(ip + 4), n - 54);
		ck_assert_uint_eq(ip[6], 6);
	}
	ck_assert_mem_eq(addr, f->addr[s.dir], f->addr_len);
	ck_assert_mem_eq(addr + f->addr_len, f->addr[!s.dir], f->addr_len);
	ck_assert_uint_eq(checksum(t, len, 6 + len + add(addr, 2u * f->addr_len)), 0xffff);
	ck_assert_uint_eq(get_be16(t), f->port[s.dir]);
	ck_assert_uint_eq(get_be16(t + 2), f->port[!s.dir]);
	head = (uint32_t)(t[12] >> 4) * 4;
	s.flags = t[13];
	s.seq = get_be32(t + 4);
	s.ack = get_be32(t + 8);
	s.data = t + head;
	s.len = len - head;
	return s;
}

/* A strict receiver of both sides. */
struct peer {
	uint32_t next[2];  /* sequence number expected of each side */
	uint32_t acked[2]; /* what the other side acknowledged */
	uint8_t got[2][40000];
	uint32_t n[2];
	uint32_t frames, acks;
};

static uint8_t run(struct frames *f, struct peer *p)
{
	uint8_t buf[FRAMES_MAX], flags = 0;
	size_t n;

	while ((n = frames_next(f, buf))) {
		struct seen s = take_apart(f, buf, n);

		if (s.flags & TCP_SYN)
			p->next[s.dir] = p->acked[s.dir] = s.seq;
		ck_assert_uint_eq(s.seq, p->next[s.dir]);
		if (s.flags & TCP_ACK) {
			ck_assert_uint_eq(s.ack, p->next[!s.dir]);
			p->acked[!s.dir] = s.ack;
		}
		ck_assert_uint_lt(p->next[s.dir] - p->acked[s.dir], 65535);
		memcpy(p->got[s.dir] + p->n[s.dir], s.data, s.len);
		p->n[s.dir] += s.len;
		p->next[s.dir] += s.len + !!(s.flags & (TCP_SYN | TCP_FIN));
		p->frames++;
		p->acks += s.flags == TCP_ACK && !s.len;
		flags |= s.flags;
	}
	return flags;
}

static const struct flow_key keys[] = {
	{ .addr = { { 192, 0, 2, 1 }, { 198, 51, 100, 7 } },
		.port = { 50000, 443 },
		.addr_len = 4 },
	{ .addr = { { 0x20, 1, 0xd, 0xb8, [15] = 1 }, { 0x20, 1, 0xd, 0xb8, [15] = 0xff } },
		.port = { 50000, 443 },
		.addr_len = 16 },
};

static struct peer peer;
static uint8_t text[40000];

static void setup(struct frames *f, int key, int client)
{
	memset(&peer, 0, sizeof(peer));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 31 + i / 256);
	memset(f, 0, sizeof(*f));
	ck_assert(!frames_begun(f));
	frames_init(f, &keys[key], client, 42, FRAMES_MTU);
	ck_assert(frames_begun(f));
	ck_assert_mem_eq(f->addr[C2S], keys[key].addr[client], f->addr_len);
	ck_assert_uint_eq(f->port[C2S], keys[key].port[client]);
}

START_TEST(whole_conversation)
{
	for (int i = 0; i < 4; i++) {
		static const uint32_t sizes[] = { 1, 1440, 1441, 1460, 1461, 16384, 7 };
		struct frames f;
		uint32_t total = 0;

		setup(&f, i & 1, i >> 1);
		for (size_t s = 0; s < 7; s++) {
			frames_text(&f, C2S, text + total, sizes[s]);
			run(&f, &peer);
			frames_text(&f, S2C, text + total, sizes[s]);
			run(&f, &peer);
			total += sizes[s];
			ck_assert_uint_eq(peer.acked[C2S], peer.next[C2S]);
			ck_assert_uint_eq(peer.acked[S2C], peer.next[S2C]);
		}
		ck_assert_uint_eq(peer.n[C2S], total);
		ck_assert_uint_eq(peer.n[S2C], total);
		ck_assert_mem_eq(peer.got[C2S], text, total);
		ck_assert_mem_eq(peer.got[S2C], text, total);
		ck_assert_uint_eq(peer.acks, 1 + 14);
		frames_end(&f, i & 1 ? S2C : C2S, false);
		peer.frames = 0;
		ck_assert_uint_eq(run(&f, &peer), TCP_FIN | TCP_ACK);
		ck_assert_uint_eq(peer.frames, 3);
		ck_assert_uint_eq(peer.acked[C2S], peer.next[C2S]);
		ck_assert_uint_eq(peer.acked[S2C], peer.next[S2C]);
	}
}
END_TEST

START_TEST(handshake_then_reset)
{
	struct frames f;

	setup(&f, 0, 1);
	frames_text(&f, S2C, text, 3);
	ck_assert_uint_eq(run(&f, &peer), TCP_SYN | TCP_ACK | TCP_PSH);
	ck_assert_uint_eq(peer.frames, 3 + 2);
	frames_end(&f, S2C, true);
	ck_assert_uint_eq(run(&f, &peer), TCP_RST | TCP_ACK);
	ck_assert_uint_eq(peer.frames, 3 + 2 + 1);
	ck_assert_uint_eq(run(&f, &peer), 0);
}
END_TEST

START_TEST(long_burst_is_acknowledged_on_the_way)
{
	struct frames f;

	setup(&f, 1, 0);
	frames_text(&f, C2S, text, sizeof(text));
	run(&f, &peer);
	ck_assert_uint_eq(peer.n[C2S], sizeof(text));
	ck_assert_uint_eq(peer.acks, 1 + 2);
}
END_TEST

START_TEST(hole)
{
	struct frames f;
	uint32_t at;

	setup(&f, 0, 0);
	frames_gap(&f, C2S, 5); /* not begun: no hole */
	frames_text(&f, C2S, text, 10);
	run(&f, &peer);
	at = peer.next[C2S];
	frames_gap(&f, C2S, 1000);
	ck_assert_uint_eq(f.seq[C2S], at + 1000);
	frames_gap(&f, C2S, UINT64_MAX);
	ck_assert_uint_eq(f.seq[C2S], at + 1000 + FRAMES_GAP_MAX);
	peer.next[C2S] = peer.acked[C2S] = f.seq[C2S];
	frames_text(&f, C2S, text, 10);
	run(&f, &peer);
}
END_TEST

/* Sequence spaces wrap: the sums are modulo 2^32 everywhere. */
START_TEST(wraps)
{
	struct frames f;

	setup(&f, 0, 0);
	f.seq[C2S] = UINT32_MAX - 5;
	f.seq[S2C] = UINT32_MAX;
	frames_text(&f, C2S, text, 5000);
	run(&f, &peer);
	frames_text(&f, S2C, text, 5000);
	run(&f, &peer);
	ck_assert_mem_eq(peer.got[C2S], text, 5000);
	ck_assert_mem_eq(peer.got[S2C], text, 5000);
}
END_TEST

START_TEST(smallest_mtu)
{
	struct frames f;

	setup(&f, 1, 0);
	frames_init(&f, &keys[1], 0, 1, 576);
	frames_text(&f, C2S, text, 2 * 516 + 1);
	run(&f, &peer);
	ck_assert_uint_eq(peer.frames, 3 + 3 + 1);
}
END_TEST

UNIT_MAIN("frames", whole_conversation, handshake_then_reset, long_burst_is_acknowledged_on_the_way,
	hole, wraps, smallest_mtu)
