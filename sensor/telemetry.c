/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters for who watches. DPDK's telemetry calls back without an argument and cannot be
 * unregistered, hence the one pointer and its lock; no worker ever takes it.
 */
#include "telemetry.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <rte_telemetry.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct telemetry *shown;

static void add_stats(const struct telemetry *t, struct rte_tel_data *d)
{
	struct drop drops[TELEMETRY_DROPS];
	struct counters sum = { 0 };
	char name[DROP_NAME_MAX];
	int n = t->drops(t->arg, drops);

	t->stats(t->arg, &sum);
#define COUNTER(name, text) rte_tel_data_add_dict_u64(d, #name, sum.name);
#include "counters.def"
#undef COUNTER
	for (int v = 0; v < V_COUNT; v++)
		if (verdict_stage((enum verdict)v) != STAGE_FLOW)
			rte_tel_data_add_dict_u64(
				d, verdict_label((enum verdict)v), sum.verdict[v]);
	for (int i = 0; i < n; i++) {
		drop_name(name, &drops[i]);
		rte_tel_data_add_dict_u64(d, name, drops[i].n);
	}
}

static void add_workers(const struct telemetry *t, struct rte_tel_data *d)
{
	char name[64];

	for (int i = 0; i < t->n; i++) {
		struct counters c = { 0 };

		counters_add(&c, &t->workers[i].pl.count);
		snprintf(name, sizeof(name), "worker%d_packets", i);
		rte_tel_data_add_dict_u64(d, name, c.packets);
		snprintf(name, sizeof(name), "worker%d_records_decrypted", i);
		rte_tel_data_add_dict_u64(d, name, c.records_decrypted);
		snprintf(name, sizeof(name), "worker%d_linearised", i);
		rte_tel_data_add_dict_u64(
			d, name, __atomic_load_n(&t->workers[i].linearised, __ATOMIC_RELAXED));
	}
}

static void add_flows(const struct telemetry *t, struct rte_tel_data *d)
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
}

static void add_keys(const struct telemetry *t, struct rte_tel_data *d)
{
	rte_tel_data_add_dict_u64(d, "entries", keytab_count(t->keys));
	rte_tel_data_add_dict_u64(d, "version", keytab_version(t->keys));
}

static const struct {
	const char *path, *help;
	void (*add)(const struct telemetry *t, struct rte_tel_data *d);
} commands[] = {
	{ "/cleartap/stats", "All counters, summed over workers. No parameters", add_stats },
	{ "/cleartap/workers", "What each worker did. No parameters", add_workers },
	{ "/cleartap/flows", "The connection tables. No parameters", add_flows },
	{ "/cleartap/keys", "The key table. No parameters", add_keys },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static int answer(const char *cmd, const char *params, struct rte_tel_data *d)
{
	rte_tel_data_start_dict(d);
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < COMMANDS && shown; i++)
		if (!strcmp(cmd, commands[i].path))
			commands[i].add(shown, d);
	pthread_mutex_unlock(&lock);
	return 0;
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
