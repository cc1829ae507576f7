/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory and the clock of a worker. Apart from its loop, so that scripts/check-objects can prove
 * that to be free of heap and system calls.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <rte_cycles.h>

#include "memory.h"
#include "worker.h"

#define OUTQ_SIZE (32u << 20)
#define LARGE_MAX 64

static struct clock clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (struct clock){
		.tsc = rte_rdtsc(),
		.ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec,
		.mult = (uint64_t)(((unsigned __int128)1000000000 << 32) / rte_get_tsc_hz()),
	};
}

uint32_t worker_buffers(void)
{
	return pipeline_live_cfg().max_held;
}

uint32_t worker_conns(void)
{
	return pipeline_live_cfg().flow.max_conns;
}

/* Copies, scratch and the ring of events, in one piece of memory that is not dumped. */
static int reserve(struct worker *w, const struct options *opt)
{
	uint32_t held = pipeline_live_cfg().max_held;
	size_t small = (pool_bytes(held, WORKER_SMALL) + 63) & ~(size_t)63;
	size_t large = pool_bytes(LARGE_MAX, WORKER_LARGE);
	size_t scratch = (size_t)WORKER_BURST * WORKER_LARGE;
	size_t out = (outq_bytes(OUTQ_SIZE, worker_conns()) + 63) & ~(size_t)63;
	uint8_t *p;

	w->mem_len = out + small + large + scratch;
	w->mem = p = memory_reserve(w->mem_len);
	if (!p) {
		perror("cleartap: no memory for a worker");
		return -ENOMEM;
	}
	outq_init(&w->out, p, OUTQ_SIZE, w->id, (uint32_t)opt->workers, worker_conns());
	p += out;
	pool_init(&w->small, p, held, WORKER_SMALL);
	p += small;
	pool_init(&w->large, p, LARGE_MAX, WORKER_LARGE);
	w->scratch = p + large;
	return 0;
}

int worker_init(struct worker *w, uint16_t id, const struct options *opt, const struct ports *ports,
	const struct keytab *keys)
{
	struct pipeline_cfg cfg = pipeline_live_cfg();
	int rc;

	w->id = id;
	w->ports = ports;
	rc = reserve(w, opt);
	if (rc)
		return rc;
	pipeline_configure(&cfg, opt);
	rc = pipeline_init(&w->pl, &cfg, keys);
	if (rc)
		return rc;
	w->pl.tls->miss = missq_push;
	w->pl.tls->miss_arg = &w->missq;
	w->pl.out.n = 1;
	w->pl.out.at[0].ops = &outq_ops;
	w->pl.out.at[0].sink = &w->out;
	w->clock = clock_now();
	return 0;
}

void worker_fini(struct worker *w)
{
	pipeline_fini(&w->pl);
	memory_free(w->mem, w->mem_len);
}
