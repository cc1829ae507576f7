/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture.h"
#include "counters.h"

/** A line on stderr that tells how far a long replay is; nothing unless stderr is a terminal. */
struct progress {
	bool on;
	bool shown;
	uint32_t bursts;
	uint64_t next_ms; /* monotonic */
};

void progress_init(struct progress *p);

/** Say where we are, at most twice a second, and not in the first second. */
void progress_update(struct progress *p, const struct capture *c, const struct counters *count);

/** Take the line away before something else is printed. */
void progress_clear(struct progress *p);
