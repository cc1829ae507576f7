/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer's side of the key table, and its set-up. The key thread writes, every worker reads, and
 * no worker may ever wait for the key thread.
 *
 * Slots are handed out densely, so that memory is touched as keys arrive. A list in order of arrival,
 * known to the writer only, finds what is oldest.
 */
#include "keys/keytab_slot.h"

#define EXPIRE_BATCH 1024
#define PREMASTER_MIN 64

void key_cleanse(void *p, size_t n)
{
	if (n)
		memset(p, 0, n);
	/* The bytes escape here, so the stores above cannot be left out. */
	__asm__ volatile("" : : "r"(p) : "memory");
}

static void zero_words(_Atomic uint64_t *to, size_t words)
{
	for (size_t i = 0; i < words; i++)
		atomic_store_explicit(&to[i], 0, memory_order_release);
}

static void write_begin(struct slot *s)
{
	uint32_t seq = atomic_load_explicit(&s->seq, memory_order_relaxed);

	atomic_store_explicit(&s->seq, seq + 1, memory_order_relaxed);
}

static void write_end(struct slot *s)
{
	uint32_t seq = atomic_load_explicit(&s->seq, memory_order_relaxed);

	atomic_store_explicit(&s->seq, seq + 1, memory_order_release);
}

static void changed(struct keytab *t)
{
	atomic_fetch_add_explicit(&t->version, 1, memory_order_release);
}

static uint32_t entries(const struct keytab_cfg *cfg)
{
	return cfg->max_entries ? cfg->max_entries : 1;
}

/* Two entries a bucket of eight when the table is full: a bucket overflows once in thousands. */
static size_t bucket_count(const struct keytab_cfg *cfg)
{
	size_t n = 1;

	while (n < entries(cfg) / 2)
		n *= 2;
	return n;
}

static uint32_t premaster_count(const struct keytab_cfg *cfg)
{
	uint32_t n = entries(cfg) / 16;

	return n < PREMASTER_MIN ? PREMASTER_MIN : n;
}

/* The one place that knows what a table consists of. @return bytes. */
static size_t layout(const struct keytab_cfg *cfg, uint8_t *mem, struct keytab *t)
{
	void *slots, *premasters;
	size_t at = 0;

	pool_carve(mem, &at, sizeof(*t));
	t->buckets = pool_carve(mem, &at, bucket_count(cfg) * sizeof(struct bucket));
	slots = pool_carve(mem, &at, pool_bytes(entries(cfg), sizeof(struct slot)));
	premasters =
		pool_carve(mem, &at, pool_bytes(premaster_count(cfg), sizeof(struct premaster)));
	if (!mem)
		return at;
	pool_init(&t->slots, slots, entries(cfg), sizeof(struct slot));
	pool_init(&t->premasters, premasters, premaster_count(cfg), sizeof(struct premaster));
	return at;
}

size_t keytab_bytes(const struct keytab_cfg *cfg)
{
	struct keytab unused;

	return layout(cfg, NULL, &unused);
}

struct keytab *keytab_init(void *mem, const struct keytab_cfg *cfg)
{
	struct keytab *t = mem;

	layout(cfg, mem, t);
	t->mask = bucket_count(cfg) - 1;
	t->key = hash_key(cfg->seed);
	t->ttl_s = cfg->ttl_s;
	t->oldest = POOL_NONE;
	t->newest = POOL_NONE;
	return t;
}

void keytab_fini(struct keytab *t)
{
	key_cleanse(t->slots.mem, (size_t)t->slots.fresh * t->slots.size);
	key_cleanse(t->premasters.mem, (size_t)t->premasters.fresh * t->premasters.size);
	key_cleanse(t, sizeof(*t));
}

static void unlink_slot(struct keytab *t, struct slot *s)
{
	if (s->older == POOL_NONE)
		t->oldest = s->newer;
	else
		((struct slot *)pool_at(&t->slots, s->older))->newer = s->newer;
	if (s->newer == POOL_NONE)
		t->newest = s->older;
	else
		((struct slot *)pool_at(&t->slots, s->newer))->older = s->older;
}

static void link_newest(struct keytab *t, struct slot *s)
{
	uint32_t index = pool_index(&t->slots, s);

	s->older = t->newest;
	s->newer = POOL_NONE;
	if (t->newest == POOL_NONE)
		t->oldest = index;
	else
		((struct slot *)pool_at(&t->slots, t->newest))->newer = index;
	t->newest = index;
}

/* Only after the slot that named it was written: its readers must see that it is theirs no more. */
static void put_premaster(struct keytab *t, uint32_t index)
{
	struct premaster *p = pool_at(&t->premasters, index);

	zero_words(p->data, PREMASTER_WORDS);
	pool_put(&t->premasters, p);
}

static void drop_way(struct keytab *t, const struct key_name *name, uint32_t slot)
{
	uint64_t h = hash(t, name);
	struct bucket *b = bucket_of(t, h);

	for (int i = 0; i < WAYS; i++)
		if (atomic_load_explicit(&b->way[i], memory_order_relaxed) == way_word(h, slot))
			atomic_store_explicit(&b->way[i], 0, memory_order_release);
}

static void wipe(struct keytab *t, struct slot *s)
{
	struct head head;

	load_words(&head, s->body, HEAD_WORDS);
	drop_way(t, &head.name, pool_index(&t->slots, s));
	write_begin(s);
	zero_words(s->body, BODY_WORDS);
	write_end(s);
	if (head.premaster)
		put_premaster(t, head.premaster - 1);
	unlink_slot(t, s);
	pool_put(&t->slots, s);
	atomic_fetch_sub_explicit(&t->count, 1, memory_order_relaxed);
}

static struct slot *find(const struct keytab *t, const struct key_name *name, uint64_t h)
{
	struct bucket *b = bucket_of(t, h);

	for (int i = 0; i < WAYS; i++) {
		uint64_t w = atomic_load_explicit(&b->way[i], memory_order_relaxed);
		struct head head;
		struct slot *s;

		if (!w || w >> 32 != h >> 32)
			continue;
		s = pool_at(&t->slots, (uint32_t)w - 1);
		load_words(&head, s->body, HEAD_WORDS);
		if (memcmp(&head.name, name, sizeof(*name)) == 0)
			return s;
	}
	return NULL;
}

/* An empty way of the bucket; if there is none, that of the entry put longest ago. */
static int free_way(struct keytab *t, struct bucket *b, uint32_t now_s, bool *full)
{
	uint32_t age = 0, victim = 0;
	int way = 0;

	for (int i = 0; i < WAYS; i++) {
		uint64_t w = atomic_load_explicit(&b->way[i], memory_order_relaxed);
		const struct slot *s;

		if (!w)
			return i;
		s = pool_at(&t->slots, (uint32_t)w - 1);
		if (i == 0 || now_s - s->put_s > age) {
			age = now_s - s->put_s;
			victim = (uint32_t)w - 1;
			way = i;
		}
	}
	wipe(t, pool_at(&t->slots, victim));
	*full = true;
	return way;
}

static struct slot *take_slot(struct keytab *t, bool *full)
{
	struct slot *s = pool_get(&t->slots);

	if (!s) {
		wipe(t, pool_at(&t->slots, t->oldest));
		*full = true;
		s = pool_get(&t->slots);
	}
	link_newest(t, s);
	atomic_fetch_add_explicit(&t->count, 1, memory_order_relaxed);
	return s;
}

/* All premasters are taken: the next in turn gives way, with its entry if it was all that had. */
static void evict_premaster(struct keytab *t)
{
	uint32_t index = t->hand;
	struct premaster *p = pool_at(&t->premasters, index);
	struct slot *s = pool_at(&t->slots, p->owner);
	struct body body;

	t->hand = (t->hand + 1) % t->premasters.max;
	load_words(&body, s->body, BODY_WORDS);
	if (holds_secret(&body)) {
		body.head.premaster = 0;
		body.premaster_len = 0;
		write_begin(s);
		store_words(s->body, &body, BODY_WORDS);
		write_end(s);
		put_premaster(t, index);
	} else {
		wipe(t, s);
	}
	key_cleanse(&body, sizeof(body));
}

static struct premaster *take_premaster(struct keytab *t, uint32_t owner, bool *full)
{
	struct premaster *p = pool_get(&t->premasters);

	if (!p) {
		evict_premaster(t);
		*full = true;
		p = pool_get(&t->premasters);
	}
	p->owner = owner;
	return p;
}

/* A slot for a new name. It is written before its bucket leads readers to it. */
static struct slot *claim(
	struct keytab *t, const struct key_name *name, uint64_t h, uint32_t now_s, bool *full)
{
	struct body body = { .head.name = *name };
	struct slot *s = take_slot(t, full);
	struct bucket *b = bucket_of(t, h);
	int way = free_way(t, b, now_s, full);

	write_begin(s);
	store_words(s->body, &body, BODY_WORDS);
	write_end(s);
	atomic_store_explicit(
		&b->way[way], way_word(h, pool_index(&t->slots, s)), memory_order_release);
	return s;
}

static struct key_secret *place(struct body *b, enum key_label label)
{
	switch (label) {
	case KEY_MASTER:
		return &b->secret[MASTER];
	case KEY_CLIENT_EARLY:
		return &b->secret[EARLY];
	case KEY_CLIENT_HANDSHAKE:
		return &b->secret[HANDSHAKE];
	case KEY_SERVER_HANDSHAKE:
		return &b->secret[HANDSHAKE + 1];
	case KEY_CLIENT_TRAFFIC:
		return &b->secret[TRAFFIC];
	case KEY_SERVER_TRAFFIC:
		return &b->secret[TRAFFIC + 1];
	default:
		return NULL;
	}
}

/* @return whether this changed what readers see. */
static bool put_secret(struct slot *s, const struct keylog_line *line)
{
	struct body body;
	struct key_secret *to = place(&body, line->label);
	struct key_secret want = { .len = (uint8_t)line->secret_len };
	bool differs;

	memcpy(want.data, line->secret, line->secret_len);
	load_words(&body, s->body, BODY_WORDS);
	differs = memcmp(to, &want, sizeof(want)) != 0;
	if (differs) {
		*to = want;
		write_begin(s);
		store_words(s->body, &body, BODY_WORDS);
		write_end(s);
	}
	key_cleanse(&want, sizeof(want));
	key_cleanse(&body, sizeof(body));
	return differs;
}

static bool put_long_secret(
	struct keytab *t, struct slot *s, const struct keylog_line *line, bool *full)
{
	uint8_t want[KEY_PREMASTER_MAX] = { 0 }, have[KEY_PREMASTER_MAX];
	struct premaster *p;
	struct body body;
	bool differs = true;

	load_words(&body, s->body, BODY_WORDS);
	memcpy(want, line->secret, line->secret_len);
	if (body.head.premaster) {
		p = pool_at(&t->premasters, body.head.premaster - 1);
		load_words(have, p->data, PREMASTER_WORDS);
		differs = body.premaster_len != line->secret_len ||
			memcmp(have, want, sizeof(want)) != 0;
		key_cleanse(have, sizeof(have));
	} else {
		p = take_premaster(t, pool_index(&t->slots, s), full);
	}
	if (differs) {
		body.head.premaster = pool_index(&t->premasters, p) + 1;
		body.premaster_len = line->secret_len;
		write_begin(s);
		store_words(p->data, want, PREMASTER_WORDS);
		store_words(s->body, &body, BODY_WORDS);
		write_end(s);
	}
	key_cleanse(want, sizeof(want));
	key_cleanse(&body, sizeof(body));
	return differs;
}

static enum verdict name_of(const struct keylog_line *line, struct key_name *name)
{
	size_t max = line->label == KEY_PREMASTER ? KEY_PREMASTER_MAX : KEY_SECRET_MAX;

	if (!line->secret_len || line->secret_len > max)
		return V_KEY_LEN;
	if (!line->id_len || line->id_len > sizeof(name->id) || line->generation > UINT16_MAX)
		return V_KEY_LEN;
	*name = (struct key_name){
		.id_len = (uint8_t)line->id_len,
		.kind = (uint8_t)line->id_kind,
		.generation = (uint16_t)line->generation,
	};
	memcpy(name->id, line->id, line->id_len);
	return V_OK;
}

enum verdict keytab_put(struct keytab *t, const struct keylog_line *line, uint32_t now_s)
{
	struct key_name name;
	struct slot *s;
	bool full = false, differs;
	uint64_t h;

	if (line->label == KEY_UNUSED)
		return V_MORE;
	TRY(name_of(line, &name));
	h = hash(t, &name);
	s = find(t, &name, h);
	if (s) {
		unlink_slot(t, s);
		link_newest(t, s);
	} else {
		s = claim(t, &name, h, now_s, &full);
	}
	s->put_s = now_s;
	if (line->label == KEY_PREMASTER)
		differs = put_long_secret(t, s, line, &full);
	else
		differs = put_secret(s, line);
	if (differs)
		changed(t);
	return full ? V_KEY_FULL : V_OK;
}

void keytab_expire(struct keytab *t, uint32_t now_s)
{
	for (int i = 0; t->ttl_s && t->oldest != POOL_NONE && i < EXPIRE_BATCH; i++) {
		struct slot *s = pool_at(&t->slots, t->oldest);

		if (now_s - s->put_s < t->ttl_s)
			return;
		wipe(t, s);
	}
}
