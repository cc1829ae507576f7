/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Key logs are written by many TLS stacks, by scripts and by hand. One table says which labels
 * there are and what shape their fields have; whatever does not fit it exactly is refused, since a
 * secret read wrongly would only show as tags that do not match.
 */
#include "keys/keylog.h"

#include <stdbool.h>
#include <string.h>

#include "base/hex.h"
#include "keys/keytab.h"

#define MASTER_LEN 48

struct label {
	const char *name;
	enum key_label label;
	enum key_id id_kind;
	uint16_t id_len;
	uint16_t secret_min;
	uint16_t secret_max;
	bool numbered; /* the name is followed by a generation */
};

static const struct label labels[] = {
	{ "CLIENT_RANDOM", KEY_MASTER, KEY_BY_RANDOM, 32, 48, 48, false },
	{ "CLIENT_EARLY_TRAFFIC_SECRET", KEY_CLIENT_EARLY, KEY_BY_RANDOM, 32, 32, 48, false },
	{ "CLIENT_HANDSHAKE_TRAFFIC_SECRET", KEY_CLIENT_HANDSHAKE, KEY_BY_RANDOM, 32, 32, 48,
		false },
	{ "SERVER_HANDSHAKE_TRAFFIC_SECRET", KEY_SERVER_HANDSHAKE, KEY_BY_RANDOM, 32, 32, 48,
		false },
	{ "CLIENT_TRAFFIC_SECRET_", KEY_CLIENT_TRAFFIC, KEY_BY_RANDOM, 32, 32, 48, true },
	{ "SERVER_TRAFFIC_SECRET_", KEY_SERVER_TRAFFIC, KEY_BY_RANDOM, 32, 32, 48, true },
	{ "PMS_CLIENT_RANDOM", KEY_PREMASTER, KEY_BY_RANDOM, 32, 1, KEYLOG_SECRET_MAX, false },
	{ "RSA", KEY_PREMASTER, KEY_BY_EPMS, 8, 48, 48, false },
	{ "EXPORTER_SECRET", KEY_UNUSED, KEY_BY_RANDOM, 0, 0, 0, false },
	{ "EARLY_EXPORTER_SECRET", KEY_UNUSED, KEY_BY_RANDOM, 0, 0, 0, false },
	{ "EARLY_EXPORTER_MASTER_SECRET", KEY_UNUSED, KEY_BY_RANDOM, 0, 0, 0, false },
	{ "ECH_SECRET", KEY_UNUSED, KEY_BY_RANDOM, 0, 0, 0, false },
	{ "ECH_CONFIG", KEY_UNUSED, KEY_BY_RANDOM, 0, 0, 0, false },
	{ "QUIC_CLIENT_EARLY_TRAFFIC_SECRET", KEY_UNUSED, KEY_BY_RANDOM, 0, 0, 0, false },
	{ "QUIC_CLIENT_HANDSHAKE_TRAFFIC_SECRET", KEY_UNUSED, KEY_BY_RANDOM, 0, 0, 0, false },
	{ "QUIC_SERVER_HANDSHAKE_TRAFFIC_SECRET", KEY_UNUSED, KEY_BY_RANDOM, 0, 0, 0, false },
	{ "QUIC_CLIENT_TRAFFIC_SECRET_", KEY_UNUSED, KEY_BY_RANDOM, 0, 0, 0, true },
	{ "QUIC_SERVER_TRAFFIC_SECRET_", KEY_UNUSED, KEY_BY_RANDOM, 0, 0, 0, true },
};

struct text {
	const char *p;
	const char *end;
};

static size_t length(struct text t)
{
	return (size_t)(t.end - t.p);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next field of a line; empty at its end. */
static struct text field(struct text *line)
{
	struct text f;

	while (line->p < line->end && blank(*line->p))
		line->p++;
	f.p = line->p;
	while (line->p < line->end && !blank(*line->p))
		line->p++;
	f.end = line->p;
	return f;
}

/* Take a prefix off; false, and nothing taken, if it is not there. */
static bool take(struct text *t, const char *prefix)
{
	size_t n = strlen(prefix);

	if (length(*t) < n || memcmp(t->p, prefix, n) != 0)
		return false;
	t->p += n;
	return true;
}

/* The n of *_TRAFFIC_SECRET_n: decimal, as far as the key table can name it. */
static bool number(struct text t, uint32_t *n)
{
	*n = 0;
	if (t.p == t.end)
		return false;
	for (; t.p < t.end; t.p++) {
		if (*t.p < '0' || *t.p > '9')
			return false;
		*n = *n * 10 + (uint32_t)(*t.p - '0');
		if (*n > UINT16_MAX)
			return false;
	}
	return true;
}

static const struct label *find(struct text name, uint32_t *generation)
{
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		struct text t = name;

		*generation = 0;
		if (!take(&t, labels[i].name))
			continue;
		if (labels[i].numbered ? number(t, generation) : t.p == t.end)
			return &labels[i];
	}
	return NULL;
}

static bool secret_len_ok(const struct label *l, size_t len)
{
	if (len < l->secret_min || len > l->secret_max)
		return false;
	/* Traffic secrets are hash outputs: SHA-256 or SHA-384, nothing between. */
	return l->secret_min != 32 || len == 32 || len == 48;
}

static enum verdict identifier(struct text f, size_t min, size_t max, struct keylog_line *out)
{
	size_t n = length(f);

	if (n % 2 || n / 2 < min || n / 2 > max)
		return V_KEY_LEN;
	out->id_len = (uint16_t)(n / 2);
	return hex_decode(out->id, f.p, n);
}

static enum verdict secret(struct text f, struct keylog_line *out)
{
	out->secret_len = (uint16_t)(length(f) / 2);
	return hex_decode(out->secret, f.p, length(f));
}

/* RSA Session-ID:<hex> Master-Key:<hex>, as `openssl s_client` prints it. */
static enum verdict by_session_id(struct text id, struct text key, struct keylog_line *out)
{
	out->label = KEY_MASTER;
	out->id_kind = KEY_BY_SESSION_ID;
	if (!take(&key, "Master-Key:"))
		return V_KEY_LEN;
	TRY(identifier(id, 1, sizeof(out->id), out));
	if (length(key) != 2 * (size_t)MASTER_LEN)
		return V_KEY_LEN;
	return secret(key, out);
}

static enum verdict parse(struct text line, struct keylog_line *out)
{
	struct text name = field(&line), id, key;
	const struct label *l;

	if (name.p == name.end || *name.p == '#')
		return V_MORE;
	l = find(name, &out->generation);
	if (!l)
		return V_KEY_LABEL;
	if (l->label == KEY_UNUSED)
		return V_MORE;
	id = field(&line);
	key = field(&line);
	if (length(field(&line)))
		return V_KEY_LEN;
	if (l->id_kind == KEY_BY_EPMS && take(&id, "Session-ID:"))
		return by_session_id(id, key, out);
	out->label = l->label;
	out->id_kind = l->id_kind;
	TRY(identifier(id, l->id_len, l->id_len, out));
	if (length(key) % 2 || !secret_len_ok(l, length(key) / 2))
		return V_KEY_LEN;
	return secret(key, out);
}

enum verdict keylog_parse(const char *s, size_t n, struct keylog_line *out)
{
	enum verdict v;

	memset(out, 0, offsetof(struct keylog_line, secret));
	v = n ? parse((struct text){ s, s + n }, out) : V_MORE;
	/* Half a secret is still half a secret. */
	if (v != V_OK)
		key_cleanse(out, sizeof(*out));
	return v;
}
