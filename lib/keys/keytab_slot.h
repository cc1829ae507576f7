/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/pool.h"
#include "keys/keytab.h"

/*
 * What the writer (keytab.c) and the readers (keytab_get.c) of a key table share: how it lies in
 * memory, and how words get from one to the other.
 *
 * A bucket is one cache line of eight words: a tag of the hash and the number of a slot. A slot is
 * read under its sequence number, which is odd while it is being written; a reader copies, and tries
 * again if the number moved. Premasters are rare and long: they lie in a small pool of their own,
 * guarded by the sequence number of the slot that names them.
 */

#define WAYS 8
#define LINE 64

enum { MASTER, EARLY, HANDSHAKE, TRAFFIC = HANDSHAKE + 2, SECRETS = TRAFFIC + 2 };

struct head {
	struct key_name name;
	uint32_t premaster; /* index in the pool of premasters, + 1; 0: none */
};

/* What readers copy out of a slot, as a whole number of words. */
struct body {
	struct head head;
	uint16_t premaster_len;
	struct key_secret secret[SECRETS];
};

#define HEAD_WORDS (sizeof(struct head) / sizeof(uint64_t))
#define BODY_WORDS (sizeof(struct body) / sizeof(uint64_t))
#define PREMASTER_WORDS (KEY_PREMASTER_MAX / sizeof(uint64_t))

struct slot {
	uint32_t older; /* writer only; the pool's link while the slot is free */
	uint32_t newer;
	uint32_t put_s;
	_Atomic uint32_t seq;
	_Atomic uint64_t body[BODY_WORDS];
};

struct premaster {
	uint32_t link; /* of the pool, while free */
	uint32_t owner;
	_Atomic uint64_t data[PREMASTER_WORDS];
};

struct bucket {
	_Atomic uint64_t way[WAYS]; /* tag << 32 | slot + 1; 0: empty */
};

struct keytab {
	struct bucket *buckets; /* set once: shared by all */
	uint64_t mask;
	struct hash_key key;
	uint32_t ttl_s;
	/* the writer's; of the pools, readers use what never changes */
	_Alignas(LINE) struct pool slots;
	struct pool premasters;
	uint32_t oldest;
	uint32_t newest;
	uint32_t hand; /* next premaster to give way */
	/* what readers poll */
	_Alignas(LINE) _Atomic uint32_t version;
	_Atomic uint32_t count;
};

_Static_assert(sizeof(struct key_name) == 36, "a name is hashed and compared as bytes");
_Static_assert(sizeof(struct head) % sizeof(uint64_t) == 0, "compared as words");
_Static_assert(sizeof(struct body) % sizeof(uint64_t) == 0, "copied as words");
_Static_assert(KEY_PREMASTER_MAX % sizeof(uint64_t) == 0, "copied as words");

/*
 * Words are stored with release and loaded with acquire instead of between fences: who sees a new
 * word also sees the odd sequence number before it. On x86 all of these are plain moves.
 */
static inline void store_words(_Atomic uint64_t *to, const void *from, size_t words)
{
	const uint8_t *p = from;

	for (size_t i = 0; i < words; i++, p += sizeof(uint64_t)) {
		uint64_t w;

		memcpy(&w, p, sizeof(w));
		atomic_store_explicit(&to[i], w, memory_order_release);
	}
}

static inline void load_words(void *to, const _Atomic uint64_t *from, size_t words)
{
	uint8_t *p = to;

	for (size_t i = 0; i < words; i++, p += sizeof(uint64_t)) {
		uint64_t w = atomic_load_explicit(&from[i], memory_order_acquire);

		memcpy(p, &w, sizeof(w));
	}
}

static inline uint64_t hash(const struct keytab *t, const struct key_name *name)
{
	return hash_bytes(&t->key, name, sizeof(*name));
}

static inline uint64_t way_word(uint64_t h, uint32_t slot)
{
	return (h & 0xffffffff00000000u) | (slot + 1);
}

static inline struct bucket *bucket_of(const struct keytab *t, uint64_t h)
{
	return &t->buckets[h & t->mask];
}

static inline bool holds_secret(const struct body *b)
{
	for (int i = 0; i < SECRETS; i++)
		if (b->secret[i].len)
			return true;
	return false;
}
