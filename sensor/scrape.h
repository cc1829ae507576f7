/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "base/bytes.h"
#include "telemetry.h"

/** Enough for one exposition. */
#define SCRAPE_BYTES(workers) (65536u + (workers)*16384u)

/**
 * All counters as OpenMetrics text: those of the pipeline by worker, those of ports by port.
 * Workers do not notice: what they count is read where it is.
 *
 * Context: any thread that may read @p t.
 */
void scrape_write(struct wr *w, const struct telemetry *t);
