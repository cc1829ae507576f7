/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The live runtime. Threads: this one waits for signals; one lcore a worker, and one for the dispatcher
 * if there is one; the key thread; the sink thread.
 */
#include "run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "dispatch.h"
#include "eal.h"
#include "grace.h"
#include "keywatch.h"
#include "memory.h"
#include "metrics.h"
#include "out.h"
#include "policy.h"
#include "replay.h"
#include "sink_mirror.h"
#include "telemetry.h"
#include "worker.h"
#include "writer.h"

_Static_assert(PORT_DROPS *PORTS_MAX + 3 * OPTIONS_WORKERS_MAX + OUTPUTS_MAX <= TELEMETRY_DROPS,
	"room for all");

#define KEY_TTL_S (24 * 3600)

struct run {
	struct options opt;
	struct keyring keys;
	struct keywatch watch;
	struct policy *policy; /* present; swapped while workers look at it */
	struct ports ports;
	struct dispatch dispatch;
	struct worker *workers;
	int n_workers; /* initialised */
	struct writer writer;
	struct telemetry telemetry;
	struct metrics *metrics;
	bool stop;
	int status;
};

static const struct sink_ops *const live_sinks[] = { &sink_mirror, NULL };

/* Blocked everywhere, before any thread exists; only await() takes them. */
static sigset_t signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

static void sum(void *arg, struct counters *c)
{
	struct run *r = arg;

	for (int i = 0; i < r->n_workers; i++)
		counters_add(c, &r->workers[i].pl.count);
	keyring_counts(&r->keys, c);
}

static int drops(void *arg, struct drop *out)
{
	struct run *r = arg;
	int n = ports_drops(&r->ports, out);

	if (r->ports.dispatch)
		n += dispatch_drops(&r->dispatch, out + n);
	for (int i = 0; i < r->n_workers; i++) {
		out[n++] = drop_init(
			DROP_WORKER_OUTPUT, (unsigned)i, outq_dropped(&r->workers[i].out));
		if (r->keys.redis)
			out[n++] = drop_init(DROP_WORKER_LOOKUPS, (unsigned)i,
				__atomic_load_n(&r->workers[i].missq.dropped, __ATOMIC_RELAXED));
	}
	n += outputs_drops(&r->writer.out, out + n);
	return n;
}

static int open_workers(struct run *r)
{
	r->workers = memory_reserve((size_t)r->opt.workers * sizeof(*r->workers));
	if (!r->workers) {
		perror("cleartap: no memory for the workers");
		return -ENOMEM;
	}
	for (int i = 0; i < r->opt.workers; i++) {
		struct worker *w = &r->workers[i];
		int rc = worker_init(w, (uint16_t)i, &r->opt, &r->ports, r->keys.table);

		r->n_workers = i + 1;
		if (rc)
			return rc;
		w->ring = r->ports.dispatch ? r->dispatch.ring[i] : NULL;
		w->stop = r->ports.dispatch ? &r->dispatch.done : &r->stop;
	}
	return 0;
}

/* All of it is set aside now; pages are taken when they are first used. */
static void say_memory(const struct run *r)
{
	const struct worker *w = r->workers;
	size_t each = sizeof(*w) + w->mem_len, keys = keytab_bytes(&r->keys.cfg);
	size_t packets = ports_bytes(&r->ports);

	for (size_t i = 0; i < sizeof(w->pl.block) / sizeof(*w->pl.block); i++)
		each += w->pl.block[i].len;
	fprintf(stderr,
		"cleartap: at most %zu MB of memory: %d worker%s of %zu MB, keys %zu MB, packets %zu MB\n",
		((size_t)r->n_workers * each + keys + packets) >> 20, r->n_workers,
		r->n_workers == 1 ? "" : "s", each >> 20, keys >> 20, packets >> 20);
}

/* @return EXIT_READ or another exit status, said. */
static int open_all(struct run *r)
{
	uint32_t rings = r->opt.workers > 1 ? DISPATCH_RING : 0;
	int status = keyring_open(&r->keys, &r->opt, KEY_TTL_S, true);

	if (status)
		return status;
	if (r->opt.policy && policy_load(&r->policy, r->opt.policy))
		return EXIT_USAGE;
	if (grace_init()) {
		fputs("cleartap: no memory to guard the ports with\n", stderr);
		return EXIT_OTHER;
	}
	if (ports_find(&r->ports, &r->opt))
		return EXIT_USAGE;
	if (ports_start(&r->ports, (uint32_t)r->opt.workers * (worker_buffers() + rings)))
		return EXIT_OTHER;
	if (r->ports.dispatch) {
		if (rte_lcore_count() < (unsigned)r->opt.workers + 2) {
			fputs("cleartap: these ports need one more lcore, for the dispatcher\n",
				stderr);
			return EXIT_USAGE;
		}
		if (dispatch_init(&r->dispatch, &r->ports, r->opt.workers, &r->stop))
			return EXIT_OTHER;
	}
	if (open_workers(r))
		return EXIT_OTHER;
	status = outputs_open(
		&r->writer.out, &r->opt, (uint32_t)r->opt.workers * worker_conns(), live_sinks);
	if (status)
		return status;
	for (int i = 0; i < r->n_workers; i++) {
		r->workers[i].pl.policy = &r->policy;
		pipeline_serve(&r->workers[i].pl, outputs_wants(&r->writer.out));
	}
	say_memory(r);
	r->telemetry = (struct telemetry){ r->workers, r->n_workers, r->keys.table, &r->ports, sum,
		drops, r };
	if (r->opt.metrics && metrics_start(&r->metrics, r->opt.metrics, &r->telemetry))
		return EXIT_OTHER;
	return EXIT_READ;
}

static void launch(struct run *r)
{
	unsigned lcore, next = 0;

	RTE_LCORE_FOREACH_WORKER(lcore)
	{
		if (r->ports.dispatch && next == (unsigned)r->opt.workers)
			rte_eal_remote_launch(dispatch_run, &r->dispatch, lcore);
		else if (next < (unsigned)r->opt.workers)
			rte_eal_remote_launch(worker_run, &r->workers[next], lcore);
		next++;
	}
}

/* For connections that begin from now on. The old one goes when no worker can be looking at it. */
static void reload_policy(struct run *r)
{
	struct policy *next, *old = r->policy;

	if (!r->opt.policy)
		return;
	if (policy_load(&next, r->opt.policy)) {
		fputs("cleartap: the policy stays as it was\n", stderr);
		return;
	}
	__atomic_store_n(&r->policy, next, __ATOMIC_RELEASE);
	rte_rcu_qsbr_synchronize(grace, RTE_QSBR_THRID_INVALID);
	policy_free(old);
}

static void reload(struct run *r)
{
	__atomic_store_n(&r->writer.reopen, true, __ATOMIC_RELEASE);
	__atomic_store_n(&r->watch.reload, true, __ATOMIC_RELEASE);
	reload_policy(r);
}

/* Until SIGINT or SIGTERM. A second one while all is drained finds nobody patient. */
static void await(struct run *r)
{
	const struct timespec second = { .tv_sec = 1 };
	sigset_t set = signals();
	int sig;

	do {
		ports_watch(&r->ports);
		sig = sigtimedwait(&set, NULL, &second);
		if (sig == SIGHUP)
			reload(r);
	} while (sig != SIGINT && sig != SIGTERM);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* The workers first: sinks and keys must be there until the last of them is done. */
static void run_all(struct run *r)
{
	for (int i = 0; r->keys.redis && i < r->n_workers; i++)
		r->watch.missq[r->watch.n_missq++] = &r->workers[i].missq;
	if (keywatch_start(&r->watch, &r->keys, &r->opt)) {
		r->status = EXIT_OTHER;
		return;
	}
	r->writer.workers = r->workers;
	r->writer.n = r->n_workers;
	r->writer.stats = sum;
	r->writer.arg = r;
	if (writer_start(&r->writer)) {
		r->status = EXIT_OTHER;
	} else {
		launch(r);
		telemetry_start(&r->telemetry);
		fputs("cleartap: running\n", stderr);
		await(r);
		telemetry_stop();
		__atomic_store_n(&r->stop, true, __ATOMIC_RELEASE);
		rte_eal_mp_wait_lcore();
		writer_stop(&r->writer);
	}
	keywatch_stop(&r->watch);
}

static void finish(struct run *r)
{
	struct drop lost[TELEMETRY_DROPS];
	struct counters total = { 0 };
	int n;

	metrics_stop(r->metrics);
	sum(r, &total);
	outputs_stats(&r->writer.out, r->n_workers ? r->workers[0].pl.now_ns : 0, &total);
	if (outputs_close(&r->writer.out) && !r->status)
		r->status = EXIT_OTHER;
	n = drops(r, lost);
	if (r->opt.stats && counters_save(&total, lost, n, r->opt.stats) && !r->status)
		r->status = EXIT_OTHER;
	for (int i = 0; i < r->n_workers; i++)
		worker_fini(&r->workers[i]);
	memory_free(r->workers, (size_t)r->opt.workers * sizeof(*r->workers));
	ports_stop(&r->ports);
	if (r->ports.dispatch)
		dispatch_fini(&r->dispatch);
	keyring_close(&r->keys);
	policy_free(r->policy);
}

int run_main(int argc, char **argv)
{
	static struct run r;
	sigset_t set = signals();
	int rc = options_run(&r.opt, argc, argv, live_sinks);

	if (rc)
		return rc < 0 ? EXIT_USAGE : EXIT_READ;
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	out_live(true);
	if (eal_start(&r.opt))
		return EXIT_OTHER;
	r.status = open_all(&r);
	if (!r.status)
		run_all(&r);
	finish(&r);
	rte_eal_cleanup();
	return r.status;
}
