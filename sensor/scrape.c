/* SPDX-License-Identifier: BSD-3-Clause */
/* The same counters as --stats and telemetry, from the same tables, in families with labels. */
#include "scrape.h"

#include <stdio.h>
#include <rte_ethdev.h>

#include "write/openmetrics.h"

#define NAME_MAX_LEN (DROP_NAME_MAX + 16)

/* One exposition: numbers are taken once, at its beginning. */
struct page {
	struct openmetrics m;
	const struct telemetry *t;
	char name[NAME_MAX_LEN];
	struct counters sum;
	struct counters each[OPTIONS_WORKERS_MAX];
};

static const struct {
	const char *name, *text;
	size_t offset;
} fields[] = {
#define COUNTER(name, text) { #name, text, offsetof(struct counters, name) },
#include "counters.def"
#undef COUNTER
};

static const struct {
	enum verdict_stage stage;
	const char *name, *text;
} stages[] = {
	{ STAGE_REC, "records_not_decrypted",
		"protected records that were not decrypted, and why" },
	{ STAGE_PKT, "packets_dropped", "packets without plaintext to follow, and why" },
	{ STAGE_CONN, "anomalies", "what went wrong in connections" },
	{ STAGE_KEY, "keys_refused", "key-log lines that were not used, and why" },
};

static void family(struct page *p, enum openmetrics_type type, const char *name, const char *text)
{
	snprintf(p->name, sizeof(p->name), "cleartap_%s", name);
	openmetrics_family(&p->m, type, p->name, text);
}

static void one(struct page *p, const char *label, unsigned which, uint64_t value)
{
	char text[16];
	struct openmetrics_label l = { label, text };

	snprintf(text, sizeof(text), "%u", which);
	openmetrics_sample(&p->m, &l, 1, value);
}

static uint64_t field(const struct counters *c, size_t offset)
{
	return *(const uint64_t *)((const char *)c + offset);
}

/* No worker counts keys. */
static bool of_keys(size_t offset)
{
	return offset == offsetof(struct counters, keys_installed) ||
		offset == offsetof(struct counters, keys_acknowledged);
}

static void counted(struct page *p)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		family(p, OPENMETRICS_COUNTER, fields[i].name, fields[i].text);
		if (of_keys(fields[i].offset))
			openmetrics_sample(&p->m, NULL, 0, field(&p->sum, fields[i].offset));
		for (int w = 0; w < p->t->n && !of_keys(fields[i].offset); w++)
			one(p, "worker", (unsigned)w, field(&p->each[w], fields[i].offset));
	}
}

static void reason(struct page *p, enum verdict v)
{
	char worker[16];
	struct openmetrics_label l[] = { { "reason", verdict_label(v) }, { "worker", worker } };

	if (verdict_stage(v) == STAGE_KEY) {
		openmetrics_sample(&p->m, l, 1, p->sum.verdict[v]);
		return;
	}
	for (int w = 0; w < p->t->n; w++) {
		snprintf(worker, sizeof(worker), "%d", w);
		openmetrics_sample(&p->m, l, 2, p->each[w].verdict[v]);
	}
}

static void reasons(struct page *p)
{
	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
		family(p, OPENMETRICS_COUNTER, stages[i].name, stages[i].text);
		for (int v = 0; v < V_COUNT; v++)
			if (verdict_stage((enum verdict)v) == stages[i].stage)
				reason(p, (enum verdict)v);
	}
}

static void lost(struct page *p)
{
	struct drop drops[TELEMETRY_DROPS];
	int n = p->t->drops(p->t->arg, drops);
	char name[DROP_NAME_MAX];

	for (int kind = 0; kind < DROP_KINDS; kind++) {
		const char *of = drop_of((enum drop_kind)kind);

		snprintf(name, sizeof(name), "%s_%s", of, drop_what((enum drop_kind)kind));
		family(p, OPENMETRICS_COUNTER, name, drop_text((enum drop_kind)kind));
		for (int i = 0; i < n; i++) {
			struct openmetrics_label l = { of, drops[i].which };

			if ((int)drops[i].kind == kind)
				openmetrics_sample(&p->m, &l, 1, drops[i].n);
		}
	}
}

static void ports(struct page *p)
{
	const struct ports *ports = p->t->ports;
	struct rte_eth_stats s[PORTS_MAX] = { 0 };
	struct rte_eth_link link[PORTS_MAX] = { 0 };
	char id[16];

	for (int i = 0; i < ports->n; i++) {
		rte_eth_stats_get(ports->at[i].id, &s[i]);
		rte_eth_link_get_nowait(ports->at[i].id, &link[i]);
	}
	family(p, OPENMETRICS_INFO, "port", "names of ports");
	for (int i = 0; i < ports->n; i++) {
		struct openmetrics_label l[] = { { "port", id }, { "name", ports->at[i].name } };

		snprintf(id, sizeof(id), "%u", ports->at[i].id);
		openmetrics_sample(&p->m, l, 2, 1);
	}
	family(p, OPENMETRICS_COUNTER, "port_received_packets", "packets that came to a port");
	for (int i = 0; i < ports->n; i++)
		one(p, "port", ports->at[i].id, s[i].ipackets);
	family(p, OPENMETRICS_COUNTER, "port_received_bytes", "bytes of them");
	for (int i = 0; i < ports->n; i++)
		one(p, "port", ports->at[i].id, s[i].ibytes);
	family(p, OPENMETRICS_GAUGE, "port_up", "whether a port has a link");
	for (int i = 0; i < ports->n; i++)
		one(p, "port", ports->at[i].id, link[i].link_status);
}

static void levels(struct page *p)
{
	const struct worker *w = p->t->workers;
	int n = p->t->n;

	family(p, OPENMETRICS_GAUGE, "open_connections", "connections in the table of a worker");
	for (int i = 0; i < n; i++)
		one(p, "worker", (unsigned)i, flow_count(w[i].pl.flow));
	family(p, OPENMETRICS_GAUGE, "open_connections_limit", "room in the table");
	for (int i = 0; i < n; i++)
		one(p, "worker", (unsigned)i, worker_conns());
	family(p, OPENMETRICS_GAUGE, "segments_held", "segments that wait for others before them");
	for (int i = 0; i < n; i++)
		one(p, "worker", (unsigned)i, w[i].pl.keeper.nodes.used);
	family(p, OPENMETRICS_COUNTER, "packets_gathered", "packets that came in several buffers");
	for (int i = 0; i < n; i++)
		one(p, "worker", (unsigned)i, __atomic_load_n(&w[i].linearised, __ATOMIC_RELAXED));
	family(p, OPENMETRICS_GAUGE, "keys", "secrets in the key table");
	openmetrics_sample(&p->m, NULL, 0, keytab_count(p->t->keys));
}

void scrape_write(struct wr *w, const struct telemetry *t)
{
	struct openmetrics_label version = { "version", CLEARTAP_VERSION };
	struct page p = { .m.w = w, .t = t };

	for (int i = 0; i < t->n; i++)
		counters_add(&p.each[i], &t->workers[i].pl.count);
	t->stats(t->arg, &p.sum);
	family(&p, OPENMETRICS_INFO, "build", "this program");
	openmetrics_sample(&p.m, &version, 1, 1);
	counted(&p);
	reasons(&p);
	lost(&p);
	ports(&p);
	levels(&p);
	openmetrics_end(&p.m);
}
