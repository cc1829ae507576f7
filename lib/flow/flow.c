/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection table. A bucket is one cache line: eight 16-bit tags and eight indexes. A connection
 * lives in one of two buckets that its hash names, so a lookup touches at most two lines before it
 * touches the connection, and a table that is full costs no more than one that is empty. When both
 * buckets or the pool are full, the least valuable of a bounded sample has to go.
 */
#include "flow/flow.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

#define WAYS 8
#define SAMPLE 16
#define CONN_HOT offsetof(struct conn, sniff) /* what every packet touches */

_Static_assert(sizeof(struct conn) % 64 == 0, "connections begin where a cache line does");
#define TICK_SHIFT 30 /* nanoseconds to wheel ticks: about a second */
#define WHEEL_SLOTS 4096

struct bucket {
	uint16_t tag[WAYS]; /* 0: free */
	uint32_t conn[WAYS];
	uint32_t pad[4];
} __attribute__((aligned(64)));

struct flow {
	struct flow_cfg cfg;
	struct bucket *bucket;
	uint32_t mask;
	uint32_t hand; /* where flow_any() goes on */
	uint64_t rng;  /* draws samples for eviction */
	struct pool conns;
	struct wheel wheel;
	bool running; /* the wheel knows what time it is */
	uint64_t next_id;
};

static size_t round64(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

static uint32_t bucket_count(uint32_t max_conns)
{
	uint32_t n = 2;

	while ((uint64_t)n * WAYS < (uint64_t)max_conns * 2)
		n *= 2;
	return n;
}

size_t flow_bytes(const struct flow_cfg *cfg)
{
	return round64(sizeof(struct flow)) + bucket_count(cfg->max_conns) * sizeof(struct bucket) +
		round64(pool_bytes(cfg->max_conns, sizeof(struct conn))) +
		wheel_bytes(cfg->max_conns, WHEEL_SLOTS);
}

struct flow *flow_init(void *mem, const struct flow_cfg *cfg)
{
	struct flow *f = mem;
	uint8_t *p = (uint8_t *)mem + round64(sizeof(*f));
	uint32_t n = bucket_count(cfg->max_conns);

	*f = (struct flow){ .cfg = *cfg, .mask = n - 1, .next_id = 1, .rng = cfg->seed };
	f->bucket = (struct bucket *)p;
	p += n * sizeof(struct bucket);
	pool_init(&f->conns, p, cfg->max_conns, sizeof(struct conn));
	p += round64(pool_bytes(cfg->max_conns, sizeof(struct conn)));
	wheel_init(&f->wheel, p, cfg->max_conns, WHEEL_SLOTS, 0);
	return f;
}

/* @return the endpoint that sent the packet: the one with the higher address, or port */
static int order(const struct pkt *p)
{
	int diff;

	if (p->addr_len == 4)
		diff = (get_be32(p->src) > get_be32(p->dst)) -
			(get_be32(p->src) < get_be32(p->dst));
	else
		diff = memcmp(p->src, p->dst, 16);
	return diff > 0 || (diff == 0 && p->sport > p->dport);
}

/* In registers: bytes stored one by one and loaded as words stall. */
struct words {
	uint64_t w[5];
};

_Static_assert(sizeof(struct flow_key) == sizeof(struct words), "a key is five words");

static struct words words_of(const struct flow_key *k)
{
	struct words words;

	memcpy(&words, k, sizeof(words));
	return words;
}

static uint64_t load(const uint8_t *p, size_t n)
{
	uint64_t w = 0;

	memcpy(&w, p, n);
	return w;
}

static struct words key_words(const struct pkt *p, int end)
{
	const uint8_t *low = end ? p->dst : p->src, *high = end ? p->src : p->dst;
	uint64_t low_port = end ? p->dport : p->sport, high_port = end ? p->sport : p->dport;
	uint64_t last = low_port | high_port << 16 | (uint64_t)p->addr_len << 32;

	_Static_assert(
		offsetof(struct flow_key, port) == 32 && offsetof(struct flow_key, addr_len) == 36,
		"the fifth word");
	if (p->addr_len == 4)
		return (struct words){ { load(low, 4), 0, load(high, 4), 0, last } };
	return (struct words){ { load(low, 8), load(low + 8, 8), load(high, 8), load(high + 8, 8),
		last } };
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/*
 * Runs for every packet, so three multiplications instead of a cipher. The seed keeps outsiders from
 * choosing buckets at will; who managed to would only evict worthless connections from two buckets.
 */
static uint32_t key_hash(const struct flow *f, const struct words *k)
{
	uint64_t h = fold(k->w[0] ^ f->cfg.seed, k->w[1] ^ 0x9e3779b97f4a7c15u);

	h ^= fold(k->w[2] ^ 0x2d358dccaa6c78a5u, k->w[3] ^ f->cfg.seed ^ h);
	return (uint32_t)fold(h ^ k->w[4], f->cfg.seed | 1);
}

static bool same(const struct words *a, const struct words *b)
{
	return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) |
		(a->w[3] ^ b->w[3]) | (a->w[4] ^ b->w[4]));
}

static uint16_t tag_of(uint32_t hash)
{
	return (uint16_t)(hash >> 16) | 1;
}

/* The other bucket of a connection; its own inverse. */
static uint32_t other(const struct flow *f, uint32_t b, uint32_t hash)
{
	return (b ^ (tag_of(hash) * 0x5bd1e995u >> 3 | 1)) & f->mask;
}

static struct conn *find_in(
	const struct flow *f, uint32_t b, uint32_t hash, const struct flow_key *k)
{
	const struct bucket *bucket = &f->bucket[b];
	const struct words want = words_of(k);
	uint16_t tag = tag_of(hash);

	for (int i = 0; i < WAYS; i++) {
		struct words have;
		struct conn *c;

		if (bucket->tag[i] != tag)
			continue;
		c = pool_at(&f->conns, bucket->conn[i]);
		have = words_of(&c->key);
		if (same(&have, &want))
			return c;
	}
	return NULL;
}

static struct conn *find(const struct flow *f, uint32_t hash, const struct flow_key *k)
{
	uint32_t b = hash & f->mask;
	struct conn *c = find_in(f, b, hash, k);

	return c ? c : find_in(f, other(f, b, hash), hash, k);
}

static bool worth_less(const struct conn *a, const struct conn *b)
{
	if (a->valued != b->valued)
		return b->valued;
	if ((a->state == CONN_ESTABLISHED) != (b->state == CONN_ESTABLISHED))
		return b->state == CONN_ESTABLISHED;
	return a->last_ns < b->last_ns;
}

static uint32_t random_below(struct flow *f, uint32_t n)
{
	f->rng = f->rng * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((f->rng >> 32) * n >> 32);
}

/*
 * The least valuable of both buckets of a hash, or of a few of the whole table. A connection whose
 * keys are known never makes room for a newcomer: a flood of SYNs cannot push it out.
 */
static struct conn *victim(struct flow *f, const struct bucket *two[2])
{
	struct conn *worst = NULL;

	for (int i = 0; i < SAMPLE; i++) {
		uint32_t index =
			two ? two[i / WAYS]->conn[i % WAYS] : random_below(f, f->conns.fresh);
		struct conn *c = pool_at(&f->conns, index);

		if (!worst || worth_less(c, worst))
			worst = c;
	}
	return worst->valued ? NULL : worst;
}

static int free_way(const struct bucket *b)
{
	for (int i = 0; i < WAYS; i++)
		if (!b->tag[i])
			return i;
	return -1;
}

static void first_packet(struct conn *c, const struct pkt *p, int end)
{
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		c->initiator = (uint8_t)end;
	else if (p->tcp_flags & TCP_SYN)
		c->initiator = (uint8_t)!end;
}

static struct conn *make(struct flow *f, const struct flow_key *k, uint32_t hash, struct conn **old)
{
	const uint32_t first = hash & f->mask;
	uint32_t b = first, b2 = other(f, b, hash);
	int way = free_way(&f->bucket[b]);
	struct conn *c;

	if (way < 0) {
		const struct bucket *two[2] = { &f->bucket[b], &f->bucket[b2] };

		way = free_way(&f->bucket[b2]);
		if (way < 0) {
			*old = victim(f, two);
			return NULL;
		}
		b = b2;
	}
	c = pool_get(&f->conns);
	if (!c) {
		*old = victim(f, NULL);
		return NULL;
	}
	*c = (struct conn){
		.key = *k,
		.hash = hash,
		.second = b != first,
		.initiator = END_UNKNOWN,
		.client = END_UNKNOWN,
		.closer = END_UNKNOWN,
		.id = f->next_id++,
	};
	reasm_init(&c->dir[0]);
	reasm_init(&c->dir[1]);
	f->bucket[b].tag[way] = tag_of(hash);
	f->bucket[b].conn[way] = flow_index(f, c);
	return c;
}

static uint32_t timeout_ms(const struct flow *f, const struct conn *c)
{
	switch (c->state) {
	case CONN_NEW:
		return f->cfg.new_ms;
	case CONN_CLOSED:
		return f->cfg.closed_ms;
	default:
		return f->cfg.idle_ms;
	}
}

static void arm(struct flow *f, const struct conn *c)
{
	uint64_t due = c->last_ns + (uint64_t)timeout_ms(f, c) * 1000000;

	wheel_arm(&f->wheel, flow_index(f, c), (uint32_t)(due >> TICK_SHIFT) + 1);
}

/* A SYN of another number on a live connection may be forged: only what follows it can tell. */
static bool confirms_reuse(const struct conn *c, const struct pkt *p, int end)
{
	if ((c->resyn >> end & 1) && !(p->tcp_flags & TCP_SYN) && p->seq == c->resyn_seq[end] + 1 &&
		p->seq != c->dir[end].next)
		return true;
	return (c->resyn >> !end & 1) &&
		(p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
		p->ack == c->resyn_seq[!end] + 1;
}

static bool begins_anew(struct conn *c, const struct pkt *p, int end)
{
	if (c->resyn && confirms_reuse(c, p, end))
		return true;
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN || !c->dir[end].off ||
		p->seq == c->isn[end])
		return false;
	if (c->state == CONN_CLOSED)
		return true;
	c->resyn |= (uint8_t)(1 << end);
	c->resyn_seq[end] = p->seq;
	return false;
}

/* Begin both streams as well as this packet tells where they begin. */
static void start_streams(struct conn *c, const struct pkt *p, int end)
{
	if (p->tcp_flags & TCP_SYN) {
		if (!c->dir[end].off && c->dir[end].held == POOL_NONE && !(c->resyn >> end & 1))
			c->dir[end].started =
				false; /* the last SYN counts while nothing was said */
		c->isn[end] = p->seq;
		reasm_start(&c->dir[end], p->seq + 1);
		if (p->tcp_flags & TCP_ACK)
			reasm_start(&c->dir[!end], p->ack);
	}
}

static bool in_sequence(const struct conn *c, const struct pkt *p, int end)
{
	return !c->dir[end].started || p->seq - c->dir[end].next <= 0xffff;
}

static void account(struct flow *f, struct conn *c, const struct pkt *p, int end)
{
	uint8_t before = c->state;

	c->packets[end]++;
	c->bytes[end] += p->wire_len;
	c->tcp_flags[end] |= p->tcp_flags;
	if (p->ts_ns > c->last_ns)
		c->last_ns = p->ts_ns;
	if (p->tcp_flags & TCP_RST) {
		if (in_sequence(c, p, end) && c->state != CONN_CLOSED) {
			c->state = CONN_CLOSED;
			c->closer = (uint8_t)end;
			c->reset = true;
		}
	} else if (p->tcp_flags & TCP_FIN) {
		if (c->closer == END_UNKNOWN)
			c->closer = (uint8_t)end;
		c->dir[end].fin = true;
		c->dir[end].fin_seq = p->seq + p->payload_wire;
		if (c->dir[!end].fin)
			c->state = CONN_CLOSED;
	} else if (p->payload_len && c->state == CONN_NEW) {
		c->state = CONN_ESTABLISHED;
	}
	if (c->state != before)
		arm(f, c);
}

struct flow_look flow_look(const struct flow *f, const struct pkt *p)
{
	struct flow_look l = { .end = order(p) };
	struct words key = key_words(p, l.end);

	memcpy(&l.key, &key, sizeof(key));
	l.hash = key_hash(f, &key);
	__builtin_prefetch(&f->bucket[l.hash & f->mask]);
	return l;
}

const struct conn *flow_peek(const struct flow *f, const struct flow_look *l)
{
	const struct bucket *b = &f->bucket[l->hash & f->mask];
	uint16_t tag = tag_of(l->hash);

	for (int i = 0; i < WAYS; i++) {
		const struct conn *c;

		if (b->tag[i] != tag)
			continue;
		c = pool_at(&f->conns, b->conn[i]);
		for (size_t at = 0; at < CONN_HOT; at += 64)
			__builtin_prefetch((const uint8_t *)c + at);
		return c;
	}
	__builtin_prefetch(&f->bucket[other(f, l->hash & f->mask, l->hash)]);
	return NULL;
}

struct conn *flow_get(
	struct flow *f, const struct pkt *p, const struct flow_look *l, struct conn **old)
{
	struct conn *c;

	*old = NULL;
	if (!f->running) {
		f->running = true;
		f->wheel.now = (uint32_t)(p->ts_ns >> TICK_SHIFT);
	}
	c = find(f, l->hash, &l->key);
	if (c && begins_anew(c, p, l->end)) {
		c->reused = true;
		*old = c;
		return NULL;
	}
	if (!c) {
		if (p->tcp_flags & TCP_RST)
			return NULL;
		c = make(f, &l->key, l->hash, old);
		if (!c)
			return NULL;
		first_packet(c, p, l->end);
		c->first_ns = c->last_ns = p->ts_ns;
		arm(f, c);
	}
	start_streams(c, p, l->end);
	account(f, c, p, l->end);
	return c;
}

void flow_del(struct flow *f, struct conn *c)
{
	uint32_t first = c->hash & f->mask, index = flow_index(f, c);
	struct bucket *b = &f->bucket[c->second ? other(f, first, c->hash) : first];

	for (int i = 0; i < WAYS; i++) {
		if (b->tag[i] && b->conn[i] == index) {
			b->tag[i] = 0;
			wheel_disarm(&f->wheel, index);
			c->id = 0;
			pool_put(&f->conns, c);
			return;
		}
	}
	assert(!"connection is not in its bucket");
}

struct conn *flow_expired(struct flow *f, uint64_t now_ns)
{
	uint32_t now = (uint32_t)(now_ns >> TICK_SHIFT), index;

	if (!f->running)
		return NULL;
	while ((index = wheel_due(&f->wheel, now)) != POOL_NONE) {
		struct conn *c = pool_at(&f->conns, index);

		if (c->last_ns + (uint64_t)timeout_ms(f, c) * 1000000 <= now_ns)
			return c;
		arm(f, c);
	}
	return NULL;
}

struct conn *flow_any(struct flow *f)
{
	if (!f->conns.used)
		return NULL;
	for (; f->hand < f->conns.fresh; f->hand++) {
		struct conn *c = pool_at(&f->conns, f->hand);

		if (f->wheel.link[f->hand].slot)
			return c;
	}
	f->hand = 0;
	return flow_any(f);
}

uint32_t flow_index(const struct flow *f, const struct conn *c)
{
	return (uint32_t)(c - (const struct conn *)f->conns.mem);
}

uint32_t flow_count(const struct flow *f)
{
	return f->conns.used;
}

uint32_t flow_peak(const struct flow *f)
{
	return f->conns.peak;
}
