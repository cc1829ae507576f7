/* SPDX-License-Identifier: BSD-3-Clause */
/* Key-log text comes from files, from captures and from Redis; it is taken apart in one place. */
#include "keys.h"

#include <string.h>

static void count(struct key_counts *c, enum verdict v)
{
	c->lines++;
	c->by[v]++;
	if (v == V_OK || v == V_MORE || v == V_KEY_FULL || c->first_bad_line)
		return;
	c->first_bad_line = c->lines;
	c->first_bad = v;
}

void keys_put_text(
	struct keytab *t, const char *text, size_t len, uint32_t now_s, struct key_counts *counts)
{
	struct keylog_line line;
	const char *end;

	/* Some writers pad blocks of secrets inside the length. */
	while (len && text[len - 1] == '\0')
		len--;
	for (end = text + len; text < end;) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((lf ? lf : end) - text);
		enum verdict v = keylog_parse(text, n, &line);

		if (v == V_OK)
			v = keytab_put(t, &line, now_s);
		else if (n && *text == '#')
			tuple_comment(&counts->scope, text, n);
		count(counts, v);
		if ((v == V_OK || v == V_KEY_FULL) && tuple_bind(&counts->scope, &line))
			keytab_put(t, &line, now_s);
		text = lf ? lf + 1 : end;
	}
	key_cleanse(&line, sizeof(line));
}

void keys_skip_line(struct key_counts *counts)
{
	count(counts, V_KEY_LEN);
}

uint64_t keys_stored(const struct key_counts *counts)
{
	return counts->by[V_OK] + counts->by[V_KEY_FULL];
}
