/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The readers' side of the key table: a worker copies an entry out while the key thread may be
 * writing it, and must get all of it or nothing, without waiting.
 */
#include "keys/keytab_slot.h"

/* A reader that meets the writer this often gives up: the version rises when the writer is done. */
#define READ_TRIES 64

/* A consistent copy of a slot, if it still bears this name. */
static bool read_slot(const struct keytab *t, const struct slot *s, const struct key_name *name,
	struct body *body, uint8_t premaster[KEY_PREMASTER_MAX])
{
	for (int i = 0; i < READ_TRIES; i++) {
		uint32_t seq = atomic_load_explicit(&s->seq, memory_order_acquire);

		load_words(body, s->body, BODY_WORDS);
		/* May be torn, so not an index to trust, until the sequence number says so. */
		if (body->head.premaster && body->head.premaster <= t->premasters.max) {
			const struct premaster *p =
				pool_at(&t->premasters, body->head.premaster - 1);

			load_words(premaster, p->data, PREMASTER_WORDS);
		}
		if (!(seq & 1) && atomic_load_explicit(&s->seq, memory_order_relaxed) == seq)
			return memcmp(&body->head.name, name, sizeof(*name)) == 0;
	}
	return false;
}

static void fill(struct key_entry *out, const struct body *body)
{
	out->master = body->secret[MASTER];
	out->client_early = body->secret[EARLY];
	for (int i = 0; i < 2; i++) {
		out->handshake[i] = body->secret[HANDSHAKE + i];
		out->traffic[i] = body->secret[TRAFFIC + i];
	}
	out->premaster_len = body->premaster_len;
	/* What was there before, or a premaster that a torn try copied and this entry does not have. */
	if (!body->head.premaster)
		key_cleanse(out->premaster, sizeof(out->premaster));
}

enum verdict keytab_get(const struct keytab *t, const struct key_name *name, struct key_entry *out)
{
	uint64_t h = hash(t, name);
	const struct bucket *b = bucket_of(t, h);
	enum verdict v = V_NO_KEY;
	struct body body;

	for (int i = 0; i < WAYS && v != V_OK; i++) {
		uint64_t w = atomic_load_explicit(&b->way[i], memory_order_acquire);

		if (!w || w >> 32 != h >> 32)
			continue;
		if (read_slot(t, pool_at(&t->slots, (uint32_t)w - 1), name, &body, out->premaster))
			v = V_OK;
	}
	/* A name just claimed, whose secret is yet to be written, is not known either. */
	if (v == V_OK && !body.head.premaster && !holds_secret(&body))
		v = V_NO_KEY;
	if (v == V_OK)
		fill(out, &body);
	else
		key_cleanse(out, sizeof(*out));
	key_cleanse(&body, sizeof(body));
	return v;
}

uint32_t keytab_version(const struct keytab *t)
{
	return atomic_load_explicit(&t->version, memory_order_acquire);
}

uint32_t keytab_count(const struct keytab *t)
{
	return atomic_load_explicit(&t->count, memory_order_relaxed);
}
