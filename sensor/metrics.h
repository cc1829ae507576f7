/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "telemetry.h"

struct metrics;

/**
 * Serve OpenMetrics over HTTP, at /metrics, from one thread of its own.
 *
 * @param address  "ADDRESS:PORT", numbers both, IPv6 in brackets.
 * @param t        Kept until metrics_stop().
 * @return 0 or -errno, said.
 */
int metrics_start(struct metrics **out, const char *address, const struct telemetry *t);

/** Connections that are open are cut. @param m  May be NULL. */
void metrics_stop(struct metrics *m);
