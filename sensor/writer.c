/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sinks lose their own output rather than wait (out.h). What they do takes time all the same: when it
 * takes too much, rings fill up behind this thread, and the workers drop events, not packets.
 */
#include "writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define EVENTS_MAX 256      /* of one ring in a row */
#define IDLE_NS 1000000     /* nothing came: wait so long */
#define TICK_NS 1000000000u /* between looks at what is in buffers */
#define TICKS 8             /* between records of counters */

static uint64_t now_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int drain(struct writer *w)
{
	int n = 0;

	for (int i = 0; i < w->n; i++)
		n += outq_drain(&w->workers[i].out, &w->out, EVENTS_MAX);
	return n;
}

static void record(struct writer *w)
{
	struct counters sum = { 0 };

	w->stats(w->arg, &sum);
	outputs_stats(&w->out, now_ns(CLOCK_REALTIME), &sum);
}

static void *run(void *arg)
{
	const struct timespec pause = { .tv_nsec = IDLE_NS };
	struct writer *w = arg;
	uint64_t next = now_ns(CLOCK_MONOTONIC) + TICK_NS;
	unsigned ticks = 0;

	for (;;) {
		bool stop = __atomic_load_n(&w->stop, __ATOMIC_ACQUIRE);
		int n = drain(w);

		if (__atomic_exchange_n(&w->reopen, false, __ATOMIC_ACQ_REL))
			outputs_reopen(&w->out);
		if (now_ns(CLOCK_MONOTONIC) >= next) {
			if (++ticks % TICKS == 0)
				record(w);
			outputs_tick(&w->out);
			next = now_ns(CLOCK_MONOTONIC) + TICK_NS;
		}
		if (stop && !n)
			break;
		if (!n)
			nanosleep(&pause, NULL);
	}
	for (int i = 0; i < w->n; i++)
		outq_finish(&w->workers[i].out, &w->out);
	return NULL;
}

int writer_start(struct writer *w)
{
	int rc = pthread_create(&w->thread, NULL, run, w);

	if (rc)
		fprintf(stderr, "cleartap: no thread for the outputs: %s\n", strerror(rc));
	return -rc;
}

void writer_stop(struct writer *w)
{
	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	pthread_join(w->thread, NULL);
}
