/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "counters.h"
#include "keys/keytab.h"
#include "worker.h"

/** What telemetry and --metrics show; all of it is read while its owners go on. */
struct telemetry {
	const struct worker *workers;
	int n;
	const struct keytab *keys;
	const struct ports *ports;
	void (*stats)(void *arg, struct counters *sum);
	int (*drops)(void *arg, struct drop *out); /* at most TELEMETRY_DROPS */
	void *arg;
};

#define TELEMETRY_DROPS 288

/**
 * Answer /cleartap/stats, /cleartap/workers, /cleartap/flows and /cleartap/keys on the EAL's telemetry
 * socket (dpdk-telemetry.py). An answer has at most 256 members: what workers lost is summed in
 * /cleartap/stats, and told apart by /cleartap/workers,N.
 *
 * @param t  Kept until telemetry_stop(). There is one in a process.
 */
void telemetry_start(const struct telemetry *t);

/** Nothing of @p t is looked at after return. */
void telemetry_stop(void);
