/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection table. A bucket is one cache line: eight 16-bit tags and eight indexes. A connection
 * lives in one of two buckets that its hash names, so a lookup touches at most two lines before the
 * connection itself, which holds its key (ends.h), and a table that is full costs no more than one that
 * is empty. When both buckets or the pool are full, the least valuable of a bounded sample has to go.
 */
#include "flow/flow.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

#define WAYS 8
#define TAGS 4 /* in a word */
#define SAMPLE 16

_Static_assert(WAYS == 2 * TAGS, "a bucket has two words of tags");
_Static_assert(sizeof(struct conn) == 128 && offsetof(struct conn, dir) == 64,
	"a connection is two cache lines");
#define TICK_SHIFT 30 /* nanoseconds to wheel ticks: about a second */
#define WHEEL_SLOTS 4096

struct bucket {
	union {
		uint16_t tag[WAYS]; /* 0: free */
		uint64_t tags[WAYS / TAGS];
	};
	uint32_t conn[WAYS];
	uint32_t pad[4];
} __attribute__((aligned(64)));

struct flow {
	struct flow_cfg cfg;
	struct bucket *bucket;
	struct ends ends;
	struct conn_birth *birth; /* by index of the connection, as the next */
	struct conn_rest *rest;
	uint32_t mask;
	uint32_t hand; /* where flow_any() goes on */
	uint64_t rng;  /* draws samples for eviction */
	struct pool conns;
	struct wheel wheel;
	bool running; /* the wheel knows what time it is */
	uint64_t next_id;
};

static uint32_t bucket_count(uint32_t max_conns)
{
	uint32_t n = 2;

	while ((uint64_t)n * WAYS < (uint64_t)max_conns * 2)
		n *= 2;
	return n;
}

/* The one place that knows what a table consists of. @return bytes. */
static size_t layout(const struct flow_cfg *cfg, uint8_t *mem, struct flow *f)
{
	size_t at = 0, max = cfg->max_conns;
	void *ends, *conns, *wheel;

	pool_carve(mem, &at, sizeof(*f));
	f->bucket = pool_carve(mem, &at, bucket_count(cfg->max_conns) * sizeof(struct bucket));
	ends = pool_carve(mem, &at, ends_bytes(cfg->max_conns));
	conns = pool_carve(mem, &at, pool_bytes(cfg->max_conns, sizeof(struct conn)));
	f->birth = pool_carve(mem, &at, max * sizeof(struct conn_birth));
	f->rest = pool_carve(mem, &at, max * sizeof(struct conn_rest));
	wheel = pool_carve(mem, &at, wheel_bytes(cfg->max_conns, WHEEL_SLOTS));
	if (!mem)
		return at;
	pool_init(&f->conns, conns, cfg->max_conns, sizeof(struct conn));
	ends_init(&f->ends, ends, cfg->max_conns, cfg->seed);
	wheel_init(&f->wheel, wheel, cfg->max_conns, WHEEL_SLOTS, 0);
	return at;
}

size_t flow_bytes(const struct flow_cfg *cfg)
{
	struct flow unused;

	return layout(cfg, NULL, &unused);
}

struct flow *flow_init(void *mem, const struct flow_cfg *cfg)
{
	struct flow *f = mem;

	*f = (struct flow){ .cfg = *cfg,
		.mask = bucket_count(cfg->max_conns) - 1,
		.next_id = 1,
		.rng = cfg->seed };
	layout(cfg, mem, f);
	return f;
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

/*
 * The tags of a word that are equal to `tag`, as the top bit of each; what lies above a true one may be a
 * false one, which comparing keys tells.
 */
static uint64_t equal_tags(uint64_t word, uint16_t tag)
{
	uint64_t x = word ^ tag * 0x0001000100010001u;

	return (x - 0x0001000100010001u) & ~x & 0x8000800080008000u;
}

static struct conn *conn_at(const struct flow *f, uint32_t index)
{
	return (struct conn *)f->conns.mem + index;
}

static int first_tag(uint64_t equal)
{
	return __builtin_ctzll(equal) / (64 / TAGS);
}

static struct conn *find_in(
	const struct flow *f, uint32_t b, const struct pkt *p, const struct flow_look *l)
{
	const struct bucket *bucket = &f->bucket[b];

	for (int i = 0; i < WAYS / TAGS; i++) {
		uint64_t equal = equal_tags(bucket->tags[i], tag_of(l->ends.hash));

		for (; equal; equal &= equal - 1) {
			struct conn *c = conn_at(f, bucket->conn[i * TAGS + first_tag(equal)]);

			if (ends_match(&f->ends, &c->ends, p, &l->ends))
				return c;
		}
	}
	return NULL;
}

static __attribute__((noinline)) struct conn *search(
	const struct flow *f, const struct pkt *p, const struct flow_look *l)
{
	uint32_t b = l->ends.hash & f->mask;
	struct conn *c = find_in(f, b, p, l);

	return c ? c : find_in(f, other(f, b, l->ends.hash), p, l);
}

inline struct conn *flow_find(const struct flow *f, const struct pkt *p, const struct flow_look *l)
{
	if (__builtin_expect(l->guess && ends_match(&f->ends, &l->guess->ends, p, &l->ends), 1))
		return l->guess;
	return search(f, p, l);
}

struct flow_key flow_key(const struct flow *f, const struct conn *c)
{
	return ends_key(&f->ends, &c->ends);
}

const struct conn_birth *flow_birth(const struct flow *f, const struct conn *c)
{
	return &f->birth[flow_index(f, c)];
}

struct conn_rest *flow_rest(const struct flow *f, const struct conn *c)
{
	return &f->rest[flow_index(f, c)];
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
		struct conn *c = conn_at(f, index);

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

static struct conn *make(
	struct flow *f, const struct pkt *p, const struct flow_look *l, struct conn **old)
{
	const uint32_t first = l->ends.hash & f->mask;
	uint32_t b = first, b2 = other(f, b, l->ends.hash);
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
		.second = b != first,
		.initiator = END_UNKNOWN,
		.client = END_UNKNOWN,
		.closer = END_UNKNOWN,
		.last_ns = p->ts_ns,
	};
	reasm_init(&c->dir[0]);
	reasm_init(&c->dir[1]);
	f->birth[flow_index(f, c)] = (struct conn_birth){ f->next_id++, p->ts_ns };
	ends_put(&f->ends, &c->ends, p, &l->ends);
	f->bucket[b].tag[way] = tag_of(l->ends.hash);
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
static bool confirms_reuse(const struct conn *c, uint32_t resyn_seq, const struct pkt *p, int end)
{
	if ((c->resyn >> end & 1) && !(p->tcp_flags & TCP_SYN) && p->seq == resyn_seq + 1 &&
		p->seq != c->dir[end].next)
		return true;
	return (c->resyn >> !end & 1) &&
		(p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
		p->ack == resyn_seq + 1;
}

static bool begins_anew(const struct flow *f, struct conn *c, const struct pkt *p, int end)
{
	if (c->resyn && confirms_reuse(c, flow_rest(f, c)->resyn_seq, p, end))
		return true;
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN || !c->dir[end].off ||
		p->seq + 1 == c->dir[end].next - (uint32_t)c->dir[end].off)
		return false; /* no SYN, no data yet, or the SYN that began it once more */
	if (c->state == CONN_CLOSED)
		return true;
	c->resyn = end ? 2 : 1;
	flow_rest(f, c)->resyn_seq = p->seq;
	return false;
}

/* Begin both streams as well as this packet tells where they begin. */
static void start_streams(struct conn *c, const struct pkt *p, int end)
{
	if (p->tcp_flags & TCP_SYN) {
		if (!c->dir[end].off && c->dir[end].held == POOL_NONE && !(c->resyn >> end & 1))
			c->dir[end].started =
				false; /* the last SYN counts while nothing was said */
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

	c->packets[end] += c->packets[end] != UINT32_MAX;
	c->bytes[end] += p->wire_len;
	c->tcp_flags[end] |= p->tcp_flags;
	if (p->ts_ns > c->last_ns)
		c->last_ns = p->ts_ns;
	if (p->tcp_flags & TCP_RST) {
		if (in_sequence(c, p, end) && c->state != CONN_CLOSED) {
			c->state = CONN_CLOSED;
			c->closer = end & 1;
			c->reset = true;
		}
	} else if (p->tcp_flags & TCP_FIN) {
		if (c->closer == END_UNKNOWN)
			c->closer = end & 1;
		if (c->tcp_flags[!end] & TCP_FIN)
			c->state = CONN_CLOSED;
	} else if (p->payload_len && c->state == CONN_NEW) {
		c->state = CONN_ESTABLISHED;
	}
	if (c->state != before)
		arm(f, c);
}

void flow_look(const struct flow *f, const struct pkt *p, struct flow_look *l)
{
	ends_look(&f->ends, p, &l->ends);
	l->guess = NULL;
	__builtin_prefetch(&f->bucket[l->ends.hash & f->mask]);
}

struct conn *flow_peek(const struct flow *f, struct flow_look *l)
{
	const struct bucket *b = &f->bucket[l->ends.hash & f->mask];
	uint64_t low = equal_tags(b->tags[0], tag_of(l->ends.hash));
	uint64_t high = equal_tags(b->tags[1], tag_of(l->ends.hash));

	if (!(low | high)) {
		__builtin_prefetch(&f->bucket[other(f, l->ends.hash & f->mask, l->ends.hash)]);
		return NULL;
	}
	l->guess = conn_at(f, b->conn[low ? first_tag(low) : TAGS + first_tag(high)]);
	__builtin_prefetch(l->guess);
	return l->guess;
}

/* A packet of no connection that is known. */
static __attribute__((noinline)) struct conn *begin(
	struct flow *f, const struct pkt *p, const struct flow_look *l, struct conn **old)
{
	struct conn *c;

	if (!f->running) {
		f->running = true;
		f->wheel.now = (uint32_t)(p->ts_ns >> TICK_SHIFT);
	}
	if (p->tcp_flags & TCP_RST)
		return NULL;
	c = make(f, p, l, old);
	if (!c)
		return NULL;
	first_packet(c, p, l->ends.end);
	arm(f, c);
	return c;
}

struct conn *flow_get(
	struct flow *f, const struct pkt *p, const struct flow_look *l, struct conn **old)
{
	struct conn *c = flow_find(f, p, l);

	*old = NULL;
	if (c && begins_anew(f, c, p, l->ends.end)) {
		c->reused = true;
		*old = c;
		return NULL;
	}
	if (!c)
		c = begin(f, p, l, old);
	if (!c)
		return NULL;
	start_streams(c, p, l->ends.end);
	account(f, c, p, l->ends.end);
	return c;
}

void flow_del(struct flow *f, struct conn *c)
{
	uint32_t hash = ends_hash(&f->ends, &c->ends), first = hash & f->mask,
		 index = flow_index(f, c);
	struct bucket *b = &f->bucket[c->second ? other(f, first, hash) : first];

	for (int i = 0; i < WAYS; i++) {
		if (b->tag[i] && b->conn[i] == index) {
			b->tag[i] = 0;
			wheel_disarm(&f->wheel, index);
			ends_forget(&f->ends, &c->ends);
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
		struct conn *c = conn_at(f, index);

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
		struct conn *c = conn_at(f, f->hand);

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
