/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <rte_ring.h>

#include "base/pool.h"
#include "missq.h"
#include "outq.h"
#include "pipeline.h"
#include "port.h"

#define WORKER_BURST 32
#define WORKER_SMALL 256   /* longest segment that is copied when it is held */
#define WORKER_LARGE 65536 /* longest packet: what lies in several buffers is copied together */

/** TSC to nanoseconds since 1970, without asking the system. */
struct clock {
	uint64_t tsc;
	uint64_t ns;
	uint64_t mult; /* nanoseconds a tick, << 32 */
};

/**
 * One worker: polls its queues, and runs each packet to completion. It shares nothing with others
 * but the key table, which it only reads, and its rings.
 */
struct worker {
	alignas(64) struct pipeline pl;
	const struct ports *ports;
	struct rte_ring *ring; /* of the dispatcher; NULL: queue `id` of every port */
	uint16_t id;
	const bool *stop;
	struct clock clock;
	struct pool small; /* copies of held segments */
	struct pool large;
	uint8_t *scratch; /* WORKER_BURST packets put together from several buffers */
	void *mem;
	size_t mem_len;
	uint64_t linearised; /* packets that were */
	struct outq out;
	struct missq missq; /* secrets to be looked for in Redis */
};

/** Packet buffers that one worker may keep from their pool: held segments. */
uint32_t worker_buffers(void);

/** Connections a worker. */
uint32_t worker_conns(void);

/**
 * @param id    Below @p opt->workers; set w->ring and w->stop before the worker is started.
 * @param keys  Kept until worker_fini().
 * @return 0 or -errno, said.
 */
int worker_init(struct worker *w, uint16_t id, const struct options *opt, const struct ports *ports,
	const struct keytab *keys);

/** The loop, on an lcore of its own, until *stop; then what waits is read and all is finished. */
int worker_run(void *worker);

void worker_fini(struct worker *w);
