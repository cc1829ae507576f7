/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "unit.h"

#include "keys/keytab.h"

/** A key table on the heap; keytabs_fini() gives it back. */
static inline struct keytab *keytabs_new(uint32_t max, uint32_t ttl_s)
{
	struct keytab_cfg cfg = { .max_entries = max, .ttl_s = ttl_s, .seed = 42 };
	size_t n = keytab_bytes(&cfg);
	void *mem = aligned_alloc(64, (n + 63) & ~(size_t)63);

	ck_assert_uint_eq(n % 64, 0);
	memset(mem, 0, n);
	return keytab_init(mem, &cfg);
}

static inline void keytabs_free(struct keytab *t)
{
	keytab_fini(t);
	free(t);
}

/** A line whose secret is @p len times @p fill. */
static inline struct keylog_line keytabs_line(
	enum key_label label, uint32_t id, uint8_t fill, uint16_t len)
{
	struct keylog_line l = {
		.label = label, .id_kind = KEY_BY_RANDOM, .id_len = 32, .secret_len = len
	};

	memcpy(l.id, &id, sizeof(id));
	memset(l.secret, fill, len);
	return l;
}

static inline struct key_name keytabs_name(uint32_t id)
{
	struct key_name name = { .id_len = 32, .kind = KEY_BY_RANDOM };

	memcpy(name.id, &id, sizeof(id));
	return name;
}

static inline enum verdict keytabs_put(struct keytab *t, enum key_label label, uint32_t id,
	uint8_t fill, uint16_t len, uint32_t now)
{
	struct keylog_line l = keytabs_line(label, id, fill, len);

	return keytab_put(t, &l, now);
}

static inline enum verdict keytabs_get(const struct keytab *t, uint32_t id, struct key_entry *e)
{
	struct key_name name = keytabs_name(id);

	return keytab_get(t, &name, e);
}

/** Is all of p this byte? */
static inline bool keytabs_all(const void *p, size_t n, uint8_t fill)
{
	for (size_t i = 0; i < n; i++)
		if (((const uint8_t *)p)[i] != fill)
			return false;
	return true;
}
