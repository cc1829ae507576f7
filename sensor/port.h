/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <rte_mempool.h>

#include "counters.h"
#include "kdrop.h"
#include "options.h"

#define PORTS_MAX 16
#define PORT_RING_DESC 1024

/** One DPDK port that is received from. */
struct port {
	uint16_t id;
	bool started;
	bool up; /* its link, when it was last looked at */
	char name[64];
	uint64_t bad_checksum[OPTIONS_WORKERS_MAX]; /* packets, by queue */
};

/** All ports of a run; worker i polls queue i of each, or a dispatcher polls queue 0 of each. */
struct ports {
	int n;
	uint16_t queues;
	bool dispatch; /* several workers, and a port that cannot spread connections over queues */
	struct rte_mempool *pool[RTE_MAX_NUMA_NODES]; /* one where there is a port */
	struct port at[PORTS_MAX];
	struct kdrop kernel;
};

/**
 * Find the ports, and decide how packets might be spread over workers: by symmetric RSS if every port
 * offers it and a queue for each worker, else by a dispatcher.
 * @return 0 or -errno, said.
 */
int ports_find(struct ports *p, const struct options *opt);

/**
 * Make a packet pool on each NUMA node that has a port, and start all ports, promiscuous. What a NIC
 * marks as damaged, by a wrong checksum, is counted and goes no further. If a port did not take the RSS
 * key, all are started once more, for a dispatcher: p->dispatch is what it is after return.
 *
 * @param held  Packets that may be away from their rings: held segments and software rings.
 * @return 0 or -errno, said.
 */
int ports_start(struct ports *p, uint32_t held);

/** Say which links went up or down since the last call. Context: one thread, now and then. */
void ports_watch(struct ports *p);

#define PORT_DROPS 5

/** What the ports lost. @param out  Room for PORT_DROPS * PORTS_MAX. @return how many. */
int ports_drops(struct ports *p, struct drop *out);

/** Memory of the packet pools. */
size_t ports_bytes(const struct ports *p);

void ports_stop(struct ports *p);
