/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters as JSON: the names are those of counters.def and verdict.def. */
#include "counters.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static const char *const drop_words[][3] = {
#define DROP(name, of, what, text) { of, what, text },
#include "drop.def"
#undef DROP
};

const char *drop_of(enum drop_kind kind)
{
	return drop_words[kind][0];
}

const char *drop_what(enum drop_kind kind)
{
	return drop_words[kind][1];
}

const char *drop_text(enum drop_kind kind)
{
	return drop_words[kind][2];
}

void drop_name(char out[DROP_NAME_MAX], const struct drop *d)
{
	snprintf(out, DROP_NAME_MAX, "%s%s_%s", drop_of(d->kind), d->which, drop_what(d->kind));
}

struct drop drop_init(enum drop_kind kind, unsigned which, uint64_t n)
{
	struct drop d = { .kind = kind, .n = n };

	snprintf(d.which, sizeof(d.which), "%u", which);
	return d;
}

static const char *write_one(FILE *out, const char *comma, const char *name, uint64_t n)
{
	fprintf(out, "%s\n    \"%s\": %" PRIu64, comma, name, n);
	return ",";
}

static void write_stage(const struct counters *c, FILE *out, const char *name,
	enum verdict_stage stage, const struct drop *drops, int n)
{
	const char *comma = "";
	char label[DROP_NAME_MAX];

	fprintf(out, ",\n  \"%s\": {", name);
	for (int v = 0; v < V_COUNT; v++)
		if (verdict_stage((enum verdict)v) == stage && c->verdict[v])
			comma = write_one(
				out, comma, verdict_label((enum verdict)v), c->verdict[v]);
	for (int i = 0; i < n; i++) {
		drop_name(label, &drops[i]);
		comma = write_one(out, comma, label, drops[i].n);
	}
	fprintf(out, "%s}", *comma ? "\n  " : "");
}

void counters_add(struct counters *to, const struct counters *from)
{
	_Static_assert(sizeof(*to) % sizeof(uint64_t) == 0, "nothing but counters");
	const uint64_t *src = (const uint64_t *)from;
	uint64_t *dst = (uint64_t *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*dst); i++)
		dst[i] += __atomic_load_n(&src[i], __ATOMIC_RELAXED);
}

int counters_write(const struct counters *c, FILE *out)
{
	return counters_write_drops(c, NULL, 0, out);
}

int counters_write_drops(const struct counters *c, const struct drop *drops, int n, FILE *out)
{
	const char *comma = "";

	fputs("{", out);
#define COUNTER(name, text)                                                                        \
	fprintf(out, "%s\n  \"" #name "\": %" PRIu64, comma, c->name);                             \
	comma = ",";
#include "counters.def"
#undef COUNTER
	write_stage(c, out, "records_not_decrypted", STAGE_REC, NULL, 0);
	write_stage(c, out, "dropped", STAGE_PKT, drops, n);
	write_stage(c, out, "anomalies", STAGE_CONN, NULL, 0);
	write_stage(c, out, "keys_refused", STAGE_KEY, NULL, 0);
	fputs("\n}\n", out);
	return fflush(out) || ferror(out) ? -EIO : 0;
}

int counters_save(const struct counters *c, const struct drop *drops, int n, const char *path)
{
	bool standard = !strcmp(path, "-");
	FILE *f = standard ? stdout : fopen(path, "w");
	int rc;

	if (!f) {
		rc = -errno;
		fprintf(stderr, "cleartap: --stats %s: %s\n", path, strerror(-rc));
		return rc;
	}
	rc = counters_write_drops(c, drops, n, f);
	if (!standard && fclose(f) && !rc)
		rc = -errno;
	if (rc)
		fprintf(stderr, "cleartap: --stats %s: cannot be written\n", path);
	return rc;
}
