/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS stacks write the secrets of a connection line by line, over time, and those of other connections
 * in between.
 */
#include "keybus/cli/group.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "keys/keylog.h"

#define TEXT_MAX 16384 /* of one connection; what is beyond is left out */

struct member {
	uint64_t used; /* 0: free */
	bool changed;
	uint8_t client_random[32];
	size_t len;
	char text[TEXT_MAX];
};

struct group {
	group_send *send;
	void *arg;
	uint64_t uses, skipped;
	size_t comment_len;
	char comment[1024];
	struct member member[GROUP_MAX];
};

int group_new(struct group **out, group_send *send, void *arg)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->send = send;
	(*out)->arg = arg;
	return 0;
}

void group_free(struct group *g)
{
	if (!g)
		return;
	OPENSSL_cleanse(g, sizeof(*g));
	free(g);
}

static void send_member(struct group *g, struct member *m)
{
	if (m->changed)
		g->send(g->arg, m->client_random, m->text, m->len);
	m->changed = false;
}

/* The one seen longest ago gives way. */
static struct member *find(struct group *g, const uint8_t client_random[32])
{
	struct member *oldest = &g->member[0];

	for (int i = 0; i < GROUP_MAX; i++) {
		struct member *m = &g->member[i];

		if (m->used && !memcmp(m->client_random, client_random, 32))
			return m;
		if (m->used < oldest->used)
			oldest = m;
	}
	send_member(g, oldest);
	OPENSSL_cleanse(oldest->text, oldest->len);
	oldest->len = 0;
	memcpy(oldest->client_random, client_random, 32);
	return oldest;
}

static void append(struct member *m, const char *text, size_t len)
{
	if (len > sizeof(m->text) - m->len)
		return;
	memcpy(m->text + m->len, text, len);
	m->len += len;
}

static bool holds(const struct member *m, const char *line, size_t len)
{
	return memmem(m->text, m->len, line, len) != NULL;
}

/* @param n  With the line feed. */
static void add_line(struct group *g, const char *s, size_t n)
{
	struct keylog_line line;
	struct member *m;

	if (*s == '#' && n <= sizeof(g->comment) - g->comment_len) {
		memcpy(g->comment + g->comment_len, s, n);
		g->comment_len += n;
		return;
	}
	switch (keylog_parse(s, n - 1, &line)) {
	case V_OK:
		break;
	case V_MORE:
		return;
	default:
		g->skipped++;
		return;
	}
	if (line.id_kind == KEY_BY_RANDOM) {
		m = find(g, line.id);
		m->used = ++g->uses;
		if (!holds(m, s, n)) {
			append(m, g->comment, g->comment_len);
			append(m, s, n);
			m->changed = true;
		}
	} else {
		g->skipped++;
	}
	g->comment_len = 0;
	OPENSSL_cleanse(&line, sizeof(line));
}

size_t group_add(struct group *g, const char *text, size_t len)
{
	const char *start = text, *lf;

	while ((lf = memchr(text, '\n', len - (size_t)(text - start)))) {
		add_line(g, text, (size_t)(lf + 1 - text));
		text = lf + 1;
	}
	return (size_t)(text - start);
}

void group_flush(struct group *g)
{
	for (int i = 0; i < GROUP_MAX; i++)
		send_member(g, &g->member[i]);
}

uint64_t group_skipped(const struct group *g)
{
	return g->skipped;
}
