/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <rte_ring.h>

#include "options.h"
#include "port.h"

#define DISPATCH_RING 4096 /* packets that may wait for one worker */

/** Stands in for RSS: one lcore that deals packets out to workers, by addresses. */
struct dispatch {
	const struct ports *ports;
	const bool *stop;
	bool done; /* nothing more will come */
	int workers;
	uint64_t seed;
	struct rte_ring *ring[OPTIONS_WORKERS_MAX];
	uint64_t full[OPTIONS_WORKERS_MAX]; /* packets lost to a full ring */
};

/** Make a ring for each worker. @return 0 or -errno, said. */
int dispatch_init(struct dispatch *d, const struct ports *ports, int workers, const bool *stop);

/** The loop, on an lcore of its own, until *stop; d->done is set at its end. */
int dispatch_run(void *dispatch);

/** Rings that were full. @return number of entries in @p out, room for one a worker. */
int dispatch_drops(const struct dispatch *d, struct drop *out);

void dispatch_fini(struct dispatch *d);
