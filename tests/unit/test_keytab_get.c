/* SPDX-License-Identifier: BSD-3-Clause */
#include "keytabs.h"

#include <pthread.h>

#include "keys/keytab_slot.h"

static struct slot *slot_of(struct keytab *t, uint32_t id)
{
	struct key_name name = keytabs_name(id);
	uint64_t h = hash(t, &name);

	for (int i = 0; i < WAYS; i++) {
		uint64_t w = bucket_of(t, h)->way[i];

		if (w && w >> 32 == h >> 32)
			return pool_at(&t->slots, (uint32_t)w - 1);
	}
	ck_abort_msg("no slot");
	return NULL;
}

/* Not known: and nothing is left in the copy, whatever was there. */
static void expect_nothing(const struct keytab *t, uint32_t id)
{
	struct key_entry e;

	memset(&e, 0xa5, sizeof(e));
	ck_assert_int_eq(keytabs_get(t, id, &e), V_NO_KEY);
	ck_assert(keytabs_all(&e, sizeof(e), 0));
}

/* Each label fills its own place, as far as its secret goes, and no other. */
START_TEST(each_label_has_its_place)
{
	static const struct {
		enum key_label label;
		size_t at;
		uint16_t len, max;
	} places[] = {
#define PLACE(label, field, len) { label, offsetof(struct key_entry, field), len, KEY_SECRET_MAX }
		PLACE(KEY_MASTER, master.data, 48),
		PLACE(KEY_CLIENT_EARLY, client_early.data, 1),
		PLACE(KEY_CLIENT_HANDSHAKE, handshake[0].data, 32),
		PLACE(KEY_SERVER_HANDSHAKE, handshake[1].data, 48),
		PLACE(KEY_CLIENT_TRAFFIC, traffic[0].data, 48),
		PLACE(KEY_SERVER_TRAFFIC, traffic[1].data, 32),
#undef PLACE
		{ KEY_PREMASTER, offsetof(struct key_entry, premaster), 1, KEY_PREMASTER_MAX },
		{ KEY_PREMASTER, offsetof(struct key_entry, premaster), 511, KEY_PREMASTER_MAX },
		{ KEY_PREMASTER, offsetof(struct key_entry, premaster), 512, KEY_PREMASTER_MAX },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct keytab *t = keytabs_new(16, 0);
		struct key_entry e;
		uint8_t *p = (uint8_t *)&e + places[i].at;

		memset(&e, 0xa5, sizeof(e));
		keytabs_put(t, places[i].label, 1, 7, places[i].len, 0);
		ck_assert_int_eq(keytabs_get(t, 1, &e), V_OK);
		ck_assert(keytabs_all(p, places[i].len, 7));
		if (places[i].label == KEY_PREMASTER)
			ck_assert_uint_eq(e.premaster_len, places[i].len);
		else
			ck_assert_uint_eq(p[-1], places[i].len); /* key_secret.len */
		memset(p, 0, places[i].len);
		p[-1] = 0;
		e.premaster_len = 0;
		ck_assert(keytabs_all(&e, sizeof(e), 0));
		keytabs_free(t);
	}
}
END_TEST

/* Same bytes, but another kind, length or generation: another name. */
START_TEST(names_are_kept_apart)
{
	static const struct key_name names[] = {
		{ .id = { 1 }, .id_len = 32, .kind = KEY_BY_RANDOM },
		{ .id = { 1 }, .id_len = 32, .kind = KEY_BY_RANDOM, .generation = 1 },
		{ .id = { 1 }, .id_len = 32, .kind = KEY_BY_SESSION_ID },
		{ .id = { 1 }, .id_len = 8, .kind = KEY_BY_SESSION_ID },
		{ .id = { 1, [31] = 1 }, .id_len = 32, .kind = KEY_BY_RANDOM },
	};
	const uint8_t n = sizeof(names) / sizeof(*names);
	struct keytab *t = keytabs_new(16, 0);
	struct key_entry e;

	for (uint8_t i = 0; i < n; i++) {
		struct keylog_line l = keytabs_line(KEY_CLIENT_TRAFFIC, 0, i + 1, 32);

		ck_assert_int_eq(keytab_get(t, &names[i], &e), V_NO_KEY);
		memcpy(l.id, names[i].id, 32);
		l.id_len = names[i].id_len;
		l.id_kind = (enum key_id)names[i].kind;
		l.generation = names[i].generation;
		ck_assert_int_eq(keytab_put(t, &l, 0), V_OK);
		ck_assert_uint_eq(keytab_count(t), i + 1);
	}
	for (uint8_t i = 0; i < n; i++) {
		ck_assert_int_eq(keytab_get(t, &names[i], &e), V_OK);
		ck_assert(keytabs_all(e.traffic[0].data, 32, i + 1));
	}
	keytabs_free(t);
}
END_TEST

/* The writer stopped in the middle of an entry: a reader gives up instead of waiting for it. */
START_TEST(an_entry_being_written)
{
	struct keytab *t = keytabs_new(16, 0);
	struct key_entry e;

	keytabs_put(t, KEY_MASTER, 1, 1, 48, 0);
	keytabs_put(t, KEY_PREMASTER, 1, 2, 300, 0);
	keytabs_put(t, KEY_MASTER, 2, 3, 48, 0);
	slot_of(t, 1)->seq++;
	expect_nothing(t, 1);
	ck_assert_int_eq(keytabs_get(t, 2, &e), V_OK); /* the others are not concerned */
	slot_of(t, 1)->seq++;
	ck_assert_int_eq(keytabs_get(t, 1, &e), V_OK);
	ck_assert(keytabs_all(e.master.data, 48, 1) && keytabs_all(e.premaster, 300, 2));
	keytabs_free(t);
}
END_TEST

/* What a torn read may find for an index of a premaster: it is not followed out of the pool. */
START_TEST(a_torn_index)
{
	static const uint32_t torn[] = { 0, 1, 64, 65, 66, 0x80000000, UINT32_MAX };
	const size_t word = offsetof(struct head, premaster) / 8,
		     shift = offsetof(struct head, premaster) % 8 * 8;
	struct keytab *t = keytabs_new(16, 0);

	keytabs_put(t, KEY_MASTER, 1, 1, 48, 0);
	slot_of(t, 1)->seq++;
	for (size_t i = 0; i < sizeof(torn) / sizeof(*torn); i++) {
		_Atomic uint64_t *w = &slot_of(t, 1)->body[word];

		*w = (*w & ~(0xffffffffull << shift)) | (uint64_t)torn[i] << shift;
		expect_nothing(t, 1);
	}
	keytabs_free(t);
}
END_TEST

/* A tag of the hash says where to look; only the whole name says what was found. */
START_TEST(a_tag_is_not_a_name)
{
	struct key_name name = keytabs_name(2);
	struct keytab *t = keytabs_new(16, 0);
	uint64_t h = hash(t, &name);
	struct slot *further;
	struct key_entry e;
	struct body body;

	keytabs_put(t, KEY_MASTER, 1, 1, 48, 0);
	bucket_of(t, h)->way[0] = way_word(h, pool_index(&t->slots, slot_of(t, 1)));
	expect_nothing(t, 2);
	load_words(&body, slot_of(t, 1)->body, BODY_WORDS);
	body.head.name = name;
	further = pool_at(&t->slots, 5);
	store_words(further->body, &body, BODY_WORDS);
	bucket_of(t, h)->way[WAYS - 1] = way_word(h, 5);
	ck_assert_int_eq(keytabs_get(t, 2, &e), V_OK); /* one of the same tag, further on */
	keytabs_free(t);
}
END_TEST

/* keytab_put() claims a name before it writes the first secret. */
START_TEST(a_name_without_a_secret)
{
	struct keytab *t = keytabs_new(16, 0);
	struct slot *s;

	keytabs_put(t, KEY_MASTER, 1, 1, 48, 0);
	s = slot_of(t, 1);
	for (size_t i = HEAD_WORDS; i < BODY_WORDS; i++)
		s->body[i] = 0;
	expect_nothing(t, 1);
	ck_assert_uint_eq(keytab_count(t), 1);
	keytabs_free(t);
}
END_TEST

/* One table, who reads it, and how often something was there. */
struct crew {
	struct keytab *t;
	pthread_t reader[2];
	_Atomic bool stop;
	_Atomic uint32_t hits;
};

/* @param reader  Returns how often it saw what must not be; until c->stop. */
static void set_off(struct crew *c, void *(*reader)(void *))
{
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&c->reader[i], NULL, reader, c), 0);
}

static void call_in(struct crew *c)
{
	void *wrong;

	c->stop = true;
	for (int i = 0; i < 2; i++) {
		pthread_join(c->reader[i], &wrong);
		ck_assert_ptr_null(wrong);
	}
	keytabs_free(c->t);
}

/* Mostly one name that is always rewritten, else names that take each other's slots. */
static uint32_t name_at(uint32_t i)
{
	return i % 4 ? 0 : i / 4 % 24;
}

/* Every secret of an entry is filled with one byte: any mixture is a torn read. */
static void *reader(void *arg)
{
	struct crew *c = arg;
	uintptr_t torn = 0;
	uint32_t i = 0;

	for (; !atomic_load_explicit(&c->stop, memory_order_relaxed); i++) {
		uint32_t id = name_at(i);
		struct key_entry e;
		uint8_t fill;

		if (keytabs_get(c->t, id, &e) != V_OK)
			continue;
		c->hits++;
		fill = e.premaster_len ? e.premaster[0] : e.master.data[0];
		torn += e.master.len && !keytabs_all(e.master.data, 48, e.master.data[0]);
		torn += e.premaster_len && !keytabs_all(e.premaster, 300, fill);
		torn += !e.premaster_len && !keytabs_all(e.premaster, KEY_PREMASTER_MAX, 0);
		torn += e.master.len && e.master.data[0] % 24 != id;
	}
	return (void *)torn;
}

START_TEST(readers_beside_the_writer)
{
	struct crew c = { .t = keytabs_new(8, 3) };

	set_off(&c, reader);
	/* More names than entries: every slot changes hands, until enough was read meanwhile. */
	for (uint32_t i = 0; i < 20000 || c.hits < 50000; i++) {
		uint32_t id = name_at(i);
		uint8_t fill = (uint8_t)(id + 24 * (i % 10));

		keytabs_put(c.t, KEY_MASTER, id, fill, 48, i / 8);
		if (i % 3 == 0)
			keytabs_put(c.t, KEY_PREMASTER, id, fill, 300, i / 8);
		if (i % 64 == 0)
			keytab_expire(c.t, i / 8);
	}
	call_in(&c);
}
END_TEST

/* The secret counts up with the version: who has seen a version sees no older secret. */
static void *follower(void *arg)
{
	struct crew *c = arg;
	uintptr_t stale = 0;

	while (!atomic_load_explicit(&c->stop, memory_order_relaxed)) {
		uint32_t version = keytab_version(c->t), secret;
		struct key_entry e;

		if (keytabs_get(c->t, 1, &e) != V_OK)
			continue;
		c->hits++;
		memcpy(&secret, e.master.data, sizeof(secret));
		stale += secret < version;
	}
	return (void *)stale;
}

START_TEST(a_version_promises_its_secrets)
{
	struct keylog_line l = keytabs_line(KEY_MASTER, 1, 0, 48);
	struct crew c = { .t = keytabs_new(8, 0) };

	set_off(&c, follower);
	for (uint32_t i = 1; i < 20000 || c.hits < 50000; i++) {
		memcpy(l.secret, &i, sizeof(i));
		keytab_put(c.t, &l, 0);
		ck_assert_uint_eq(keytab_version(c.t), i);
	}
	call_in(&c);
}
END_TEST

/* The name has now a premaster secret, now a master secret, never both. */
static void *either_reader(void *arg)
{
	struct crew *c = arg;
	uintptr_t mixed = 0;

	while (!atomic_load_explicit(&c->stop, memory_order_relaxed)) {
		struct key_entry e;

		if (keytabs_get(c->t, 1, &e) != V_OK)
			continue;
		c->hits++;
		if (e.premaster_len)
			mixed += e.master.len || !keytabs_all(e.premaster, KEY_PREMASTER_MAX, 2);
		else
			mixed += !e.master.len || !keytabs_all(e.premaster, KEY_PREMASTER_MAX, 0);
	}
	return (void *)mixed;
}

/* A try that failed leaves nothing of the entry before in the copy. */
START_TEST(nothing_of_a_torn_try)
{
	struct crew c = { .t = keytabs_new(1, 1) };

	set_off(&c, either_reader);
	for (uint32_t i = 0; i < 500000 || c.hits < 50000; i++) {
		keytab_expire(c.t, i);
		if (i % 2)
			keytabs_put(c.t, KEY_PREMASTER, 1, 2, KEY_PREMASTER_MAX, i);
		else
			keytabs_put(c.t, KEY_MASTER, 1, 1, 48, i);
	}
	call_in(&c);
}
END_TEST

UNIT_MAIN("keytab_get", each_label_has_its_place, names_are_kept_apart, an_entry_being_written,
	a_torn_index, a_tag_is_not_a_name, a_name_without_a_secret, readers_beside_the_writer,
	nothing_of_a_torn_try, a_version_promises_its_secrets)
