/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters for who watches. DPDK's telemetry calls back without an argument and cannot be
 * unregistered, hence the one pointer and its lock; no worker ever takes it.
 */
#include "telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_telemetry.h>

#define WORKER_MEMBERS 3

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct telemetry *shown;

_Static_assert(WORKER_MEMBERS *OPTIONS_WORKERS_MAX <= RTE_TEL_MAX_DICT_ENTRIES, "room for all");

static bool of_worker(const struct drop *d)
{
	return !strcmp(drop_of(d->kind), "worker");
}

static void add_drops(const struct telemetry *t, struct rte_tel_data *d)
{
	struct drop drops[TELEMETRY_DROPS];
	uint64_t sum[DROP_KINDS] = { 0 };
	char name[DROP_NAME_MAX];
	int n = t->drops(t->arg, drops);

	for (int i = 0; i < n; i++) {
		sum[drops[i].kind] += drops[i].n;
		if (of_worker(&drops[i]))
			continue;
		drop_name(name, &drops[i]);
		rte_tel_data_add_dict_u64(d, name, drops[i].n);
	}
	for (int kind = 0; kind < DROP_KINDS; kind++) {
		struct drop one = { .kind = (enum drop_kind)kind };

		if (!of_worker(&one))
			continue;
		snprintf(name, sizeof(name), "workers_%s", drop_what(one.kind));
		rte_tel_data_add_dict_u64(d, name, sum[kind]);
	}
}

static void add_counters(const struct counters *c, struct rte_tel_data *d)
{
#define COUNTER(name, text) rte_tel_data_add_dict_u64(d, #name, c->name);
#include "counters.def"
#undef COUNTER
	for (int v = 0; v < V_COUNT; v++)
		if (verdict_stage((enum verdict)v) != STAGE_FLOW)
			rte_tel_data_add_dict_u64(d, verdict_label((enum verdict)v), c->verdict[v]);
}

static int add_stats(const struct telemetry *t, const char *params, struct rte_tel_data *d)
{
	struct counters sum = { 0 };

	t->stats(t->arg, &sum);
	add_counters(&sum, d);
	add_drops(t, d);
	return 0;
}

static void add_member(struct rte_tel_data *d, int worker, const char *what, uint64_t n)
{
	char name[64];

	snprintf(name, sizeof(name), "worker%d_%s", worker, what);
	rte_tel_data_add_dict_u64(d, name, n);
}

/* All that one worker counts. */
static int add_worker(const struct telemetry *t, const char *number, struct rte_tel_data *d)
{
	struct drop drops[TELEMETRY_DROPS];
	struct counters c = { 0 };
	int n = t->drops(t->arg, drops);
	char *end;
	unsigned long i = strtoul(number, &end, 10);

	if (!*number || *end || i >= (unsigned long)t->n)
		return -EINVAL;
	counters_add(&c, &t->workers[i].pl.count);
	add_counters(&c, d);
	for (int k = 0; k < n; k++)
		if (of_worker(&drops[k]) && strtoul(drops[k].which, NULL, 10) == i)
			rte_tel_data_add_dict_u64(d, drop_what(drops[k].kind), drops[k].n);
	return 0;
}

static int add_workers(const struct telemetry *t, const char *params, struct rte_tel_data *d)
{
	if (params)
		return add_worker(t, params, d);
	for (int i = 0; i < t->n; i++) {
		struct counters c = { 0 };

		counters_add(&c, &t->workers[i].pl.count);
		add_member(d, i, "packets", c.packets);
		add_member(d, i, "records_decrypted", c.records_decrypted);
		add_member(d, i, "linearised",
			__atomic_load_n(&t->workers[i].linearised, __ATOMIC_RELAXED));
	}
	return 0;
}

static int add_flows(const struct telemetry *t, const char *params, struct rte_tel_data *d)
{
	uint64_t now = 0, peak = 0, held = 0;

	for (int i = 0; i < t->n; i++) {
		now += flow_count(t->workers[i].pl.flow);
		peak += flow_peak(t->workers[i].pl.flow);
		held += t->workers[i].pl.keeper.nodes.used;
	}
	rte_tel_data_add_dict_u64(d, "connections", now);
	rte_tel_data_add_dict_u64(d, "connections_peak", peak);
	rte_tel_data_add_dict_u64(d, "connections_max", (uint64_t)t->n * worker_conns());
	rte_tel_data_add_dict_u64(d, "segments_held", held);
	return 0;
}

static int add_keys(const struct telemetry *t, const char *params, struct rte_tel_data *d)
{
	rte_tel_data_add_dict_u64(d, "entries", keytab_count(t->keys));
	rte_tel_data_add_dict_u64(d, "version", keytab_version(t->keys));
	return 0;
}

static const struct {
	const char *path, *help;
	int (*add)(const struct telemetry *t, const char *params, struct rte_tel_data *d);
} commands[] = {
	{ "/cleartap/stats", "All counters, summed over workers. No parameters", add_stats },
	{ "/cleartap/workers", "What each worker did. Parameter: a worker, for all of it",
		add_workers },
	{ "/cleartap/flows", "The connection tables. No parameters", add_flows },
	{ "/cleartap/keys", "The key table. No parameters", add_keys },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static int answer(const char *cmd, const char *params, struct rte_tel_data *d)
{
	int rc = 0;

	rte_tel_data_start_dict(d);
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < COMMANDS && shown; i++)
		if (!strcmp(cmd, commands[i].path))
			rc = commands[i].add(shown, params, d);
	pthread_mutex_unlock(&lock);
	return rc;
}

void telemetry_start(const struct telemetry *t)
{
	pthread_mutex_lock(&lock);
	shown = t;
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < COMMANDS; i++)
		rte_telemetry_register_cmd(commands[i].path, answer, commands[i].help);
}

void telemetry_stop(void)
{
	pthread_mutex_lock(&lock);
	shown = NULL;
	pthread_mutex_unlock(&lock);
}
