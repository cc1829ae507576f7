/* SPDX-License-Identifier: BSD-3-Clause */
/* From --out URI to open sinks; the offline reader and the live sensor have the same ones. */
#include "outputs.h"

#include <stdio.h>
#include <string.h>

#include "replay.h"
#include "write/eve.h"

static const struct sink_ops *find(const struct sink_ops *const *list, const char *uri)
{
	size_t n = strcspn(uri, ":");

	for (; list && *list; list++)
		if (strlen((*list)->scheme) == n && !strncmp((*list)->scheme, uri, n))
			return *list;
	return NULL;
}

static int open_one(
	struct outputs *o, const char *uri, uint32_t max_conns, const struct sink_ops *const *more)
{
	const struct sink_ops *ops = find(sinks, uri);
	const char *colon = strchr(uri, ':');

	if (!ops)
		ops = find(more, uri);
	if (!ops) {
		fprintf(stderr, "cleartap: --out %s: no such output; see --help\n", uri);
		return EXIT_USAGE;
	}
	if (o->n == OUTPUTS_MAX) {
		fprintf(stderr, "cleartap: more than %d --out\n", OUTPUTS_MAX);
		return EXIT_USAGE;
	}
	if (ops->open(colon ? colon + 1 : NULL, max_conns, &o->at[o->n].sink))
		return EXIT_OTHER;
	if (ops->meter)
		ops->meter(o->at[o->n].sink, &o->at[o->n].lost);
	o->at[o->n++].ops = ops;
	return EXIT_READ;
}

int outputs_open(struct outputs *o, const struct options *opt, uint32_t max_conns,
	const struct sink_ops *const *more)
{
	int status = EXIT_READ;

	if (!opt->n_outs)
		return open_one(o, "table", max_conns, more);
	for (int i = 0; i < opt->n_outs && status == EXIT_READ; i++)
		status = open_one(o, opt->outs[i], max_conns, more);
	return status;
}

void outputs_stats(const struct outputs *o, uint64_t now_ns, const struct counters *count)
{
	struct eve_counter list[64 + V_COUNT];
	uint32_t n = 0;

#define COUNTER(name, text) list[n++] = (struct eve_counter){ #name, count->name };
#include "counters.def"
#undef COUNTER
	for (int v = 0; v < V_COUNT; v++)
		if (verdict_stage((enum verdict)v) != STAGE_FLOW)
			list[n++] = (struct eve_counter){ verdict_label((enum verdict)v),
				count->verdict[v] };
	for (int i = 0; i < o->n; i++)
		if (o->at[i].ops->stats)
			o->at[i].ops->stats(o->at[i].sink, now_ns, list, n);
}

struct outputs_wants outputs_wants(const struct outputs *o)
{
	struct outputs_wants w = { 0 };

	for (int i = 0; i < o->n; i++) {
		w.text |= o->at[i].ops->text != NULL;
		w.prints |= o->at[i].ops->prints;
		w.txns |= o->at[i].ops->txn != NULL;
	}
	return w;
}

void outputs_reopen(const struct outputs *o)
{
	for (int i = 0; i < o->n; i++)
		if (o->at[i].ops->reopen)
			o->at[i].ops->reopen(o->at[i].sink);
}

void outputs_tick(const struct outputs *o)
{
	for (int i = 0; i < o->n; i++)
		if (o->at[i].ops->tick)
			o->at[i].ops->tick(o->at[i].sink);
}

int outputs_drops(const struct outputs *o, struct drop *out)
{
	int n = 0;

	for (int i = 0; i < o->n + o->closed; i++) {
		if (!o->at[i].ops->meter)
			continue;
		out[n] = drop_init(DROP_OUT_LOST, (unsigned)i,
			__atomic_load_n(&o->at[i].lost, __ATOMIC_RELAXED));
		snprintf(out[n].which, sizeof(out[n].which), "%d_%s", i, o->at[i].ops->scheme);
		n++;
	}
	return n;
}

int outputs_close(struct outputs *o)
{
	int rc = 0;

	for (int i = 0; i < o->n; i++) {
		int one = o->at[i].ops->close(o->at[i].sink);

		rc = rc ? rc : one;
	}
	o->closed = o->n;
	o->n = 0;
	return rc;
}
