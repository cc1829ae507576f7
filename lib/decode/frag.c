/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP reassembly in bounded memory and bounded time, on input that may be meant to do harm. A
 * datagram is a 64 KB buffer and a bitmap of its 8-byte blocks: a fragment costs its copy and a few
 * words of bitmap however the sender cuts and orders them. Identity is a seeded hash; age is the
 * order in one list, which timeouts and eviction take from its old end.
 */
#include "decode/frag.h"

#include <assert.h>

#include "base/pool.h"

#define DATAGRAM_MAX 65535
#define BUFFER_BYTES 65536
#define WORDS (BUFFER_BYTES / 8 / 64)
#define EXPIRE_BURST 4 /* timeouts served by one call; more than it can add */

struct frag_key {
	uint8_t addr[2][16];
	uint32_t id;
	uint8_t proto;
	uint8_t addr_len;
	uint8_t pad[2];
};

struct datagram {
	struct frag_key key;
	uint32_t bucket;
	uint32_t chain; /* next in the bucket; like all links here, 0: none, else index + 1 */
	uint32_t older;
	uint32_t newer;
	uint64_t born_ns;
	uint32_t total;  /* bytes; 0 until the last fragment is seen */
	uint32_t end;    /* highest byte seen + 1 */
	uint32_t blocks; /* received */
	uint8_t proto;   /* of the first fragment */
	uint64_t map[WORDS];
};

struct frag {
	struct pool pool;
	uint8_t *buffers;
	uint32_t *bucket;
	uint32_t mask;
	uint32_t oldest;
	uint32_t newest;
	uint32_t read; /* handed out, not yet released; linked by `chain` */
	uint32_t held;
	uint64_t timeout_ns;
	uint64_t seed;
	uint64_t lost;
};

static uint32_t buckets_of(const struct frag_cfg *cfg)
{
	uint32_t n = 1;

	while (n < cfg->max_datagrams && n < 1u << 24)
		n *= 2;
	return n;
}

/* The one place that knows what this consists of. @return bytes. */
static size_t layout(const struct frag_cfg *cfg, uint8_t *mem, struct frag *f)
{
	size_t at = 0, buckets = buckets_of(cfg) * sizeof(*f->bucket);
	void *datagrams;

	pool_carve(mem, &at, sizeof(*f));
	f->bucket = pool_carve(mem, &at, buckets);
	datagrams = pool_carve(mem, &at, pool_bytes(cfg->max_datagrams, sizeof(struct datagram)));
	f->buffers = pool_carve(mem, &at, (size_t)cfg->max_datagrams * BUFFER_BYTES);
	if (!mem)
		return at;
	memset(f->bucket, 0, buckets);
	pool_init(&f->pool, datagrams, cfg->max_datagrams, sizeof(struct datagram));
	return at;
}

size_t frag_bytes(const struct frag_cfg *cfg)
{
	struct frag unused;

	return layout(cfg, NULL, &unused);
}

struct frag *frag_init(void *mem, const struct frag_cfg *cfg)
{
	struct frag *f = mem;

	*f = (struct frag){ 0 };
	layout(cfg, mem, f);
	f->mask = buckets_of(cfg) - 1;
	f->timeout_ns = (uint64_t)cfg->timeout_ms * 1000000;
	f->seed = cfg->seed;
	return f;
}

uint64_t frag_lost(const struct frag *f)
{
	return f->lost;
}

uint32_t frag_held(const struct frag *f)
{
	return f->held;
}

static struct datagram *at(const struct frag *f, uint32_t link)
{
	return link ? pool_at(&f->pool, link - 1) : NULL;
}

static uint32_t link_of(const struct frag *f, const struct datagram *d)
{
	return pool_index(&f->pool, d) + 1;
}

static uint8_t *buffer_of(const struct frag *f, const struct datagram *d)
{
	return f->buffers + (size_t)pool_index(&f->pool, d) * BUFFER_BYTES;
}

static struct frag_key key_of(const struct frag_piece *piece)
{
	struct frag_key k = { .id = piece->id, .addr_len = piece->addr_len };

	memcpy(k.addr[0], piece->src, piece->addr_len);
	memcpy(k.addr[1], piece->dst, piece->addr_len);
	/* IPv6: only the first fragment's next header counts (RFC 8200, section 4.5). */
	if (piece->addr_len == 4)
		k.proto = piece->proto;
	return k;
}

static uint32_t hash(const struct frag_key *k, uint64_t seed)
{
	uint64_t h = seed, word;

	_Static_assert(sizeof(*k) % 8 == 0, "hashed by words");
	for (size_t i = 0; i < sizeof(*k); i += 8) {
		memcpy(&word, (const uint8_t *)k + i, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15;
		h ^= h >> 32;
	}
	return (uint32_t)h;
}

/** Take a datagram out of its bucket and out of the order of age. */
static void forget(struct frag *f, struct datagram *d)
{
	uint32_t self = link_of(f, d), *link = &f->bucket[d->bucket];

	while (*link != self)
		link = &at(f, *link)->chain;
	*link = d->chain;
	*(d->older ? &at(f, d->older)->newer : &f->oldest) = d->newer;
	*(d->newer ? &at(f, d->newer)->older : &f->newest) = d->older;
	f->held--;
}

static void drop(struct frag *f, struct datagram *d)
{
	forget(f, d);
	pool_put(&f->pool, d);
}

static void lose(struct frag *f, struct datagram *d)
{
	drop(f, d);
	f->lost++;
}

static bool expired(const struct frag *f, const struct datagram *d, uint64_t now)
{
	/* Packet time may step back between ports: then nothing is late. */
	return now > d->born_ns && now - d->born_ns > f->timeout_ns;
}

static void expire(struct frag *f, uint64_t now)
{
	for (int i = 0; i < EXPIRE_BURST && f->oldest; i++) {
		struct datagram *d = at(f, f->oldest);

		if (!expired(f, d, now))
			return;
		lose(f, d);
	}
}

static struct datagram *find(const struct frag *f, const struct frag_key *k, uint32_t bucket)
{
	struct datagram *d = at(f, f->bucket[bucket]);

	while (d && memcmp(&d->key, k, sizeof(*k)) != 0)
		d = at(f, d->chain);
	return d;
}

static struct datagram *add(struct frag *f, const struct frag_key *k, uint32_t bucket, uint64_t now)
{
	struct datagram *d = pool_get(&f->pool);

	if (!d && f->oldest) {
		lose(f, at(f, f->oldest));
		d = pool_get(&f->pool);
	}
	/* NULL: all that there are are being read; possible in a tunnel with a tiny table. */
	if (!d)
		return NULL;
	memset(d, 0, sizeof(*d));
	d->key = *k;
	d->bucket = bucket;
	d->born_ns = now;
	d->chain = f->bucket[bucket];
	f->bucket[bucket] = link_of(f, d);
	d->older = f->newest;
	*(d->older ? &at(f, d->older)->newer : &f->oldest) = link_of(f, d);
	f->newest = link_of(f, d);
	f->held++;
	return d;
}

enum had { HAD_NONE, HAD_SOME, HAD_ALL };

/** Mark blocks @p first to @p last as received. @return how many of them were so before. */
static enum had mark(struct datagram *d, uint32_t first, uint32_t last)
{
	bool any = false, all = true;

	for (uint32_t w = first / 64; w <= last / 64; w++) {
		uint64_t bits = UINT64_MAX;

		if (w == first / 64)
			bits &= UINT64_MAX << first % 64;
		if (w == last / 64)
			bits &= UINT64_MAX >> (63 - last % 64);
		any |= (d->map[w] & bits) != 0;
		all &= (d->map[w] & bits) == bits;
		d->map[w] |= bits;
	}
	return all ? HAD_ALL : any ? HAD_SOME : HAD_NONE;
}

/** Its end agrees with what is known of the end of the datagram. */
static bool end_fits(const struct datagram *d, const struct frag_piece *piece)
{
	uint32_t end = piece->off + piece->len;

	if (piece->more)
		return !d->total || end <= d->total;
	return d->total ? end == d->total : end >= d->end;
}

/** Put the bytes in their place. @return false: they contradict what is there. */
static bool place(struct frag *f, struct datagram *d, const struct frag_piece *piece)
{
	uint8_t *to = buffer_of(f, d) + piece->off;
	uint32_t end = piece->off + piece->len, blocks = (piece->len + 7) / 8;
	enum had had;

	if (!end_fits(d, piece))
		return false;
	if (!piece->more)
		d->total = end;
	had = mark(d, piece->off / 8, piece->off / 8 + blocks - 1);
	if (had != HAD_NONE)
		return had == HAD_ALL && memcmp(to, piece->data, piece->len) == 0;
	memcpy(to, piece->data, piece->len);
	d->blocks += blocks;
	if (end > d->end)
		d->end = end;
	if (!piece->off)
		d->proto = piece->proto;
	return true;
}

static bool well_formed(const struct frag_piece *piece)
{
	assert(piece->off % 8 == 0);
	return piece->len && (!piece->more || piece->len % 8 == 0) && piece->off <= DATAGRAM_MAX &&
		piece->len <= DATAGRAM_MAX - piece->off;
}

enum verdict frag_push(
	struct frag *f, const struct frag_piece *piece, struct rd *whole, uint8_t *proto)
{
	struct frag_key k = key_of(piece);
	uint32_t bucket = hash(&k, f->seed) & f->mask;
	struct datagram *d;

	expire(f, piece->ts_ns);
	d = find(f, &k, bucket);
	if (d && expired(f, d, piece->ts_ns)) {
		lose(f, d);
		d = NULL;
	}
	if (!well_formed(piece)) {
		if (d)
			drop(f, d);
		return V_FRAGMENT_BAD;
	}
	if (!d)
		d = add(f, &k, bucket, piece->ts_ns);
	if (!d)
		return V_FRAGMENT_BAD;
	if (!place(f, d, piece)) {
		drop(f, d);
		return V_FRAGMENT_BAD;
	}
	if (!d->total || d->blocks < (d->total + 7) / 8)
		return V_FRAGMENT;
	forget(f, d);
	d->chain = f->read;
	f->read = link_of(f, d);
	*whole = rd_init(buffer_of(f, d), d->total);
	*proto = d->proto;
	return V_OK;
}

void frag_release(struct frag *f)
{
	struct datagram *d;

	while ((d = at(f, f->read))) {
		f->read = d->chain;
		pool_put(&f->pool, d);
	}
}
