/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/verdict.h"

/**
 * What one worker has seen. Every packet, every record and every key-log line adds to exactly one
 * place, so that the sums meet: packets = used + dropped; protected records = decrypted + every reason.
 */
struct counters {
#define COUNTER(name, text) uint64_t name;
#include "counters.def"
#undef COUNTER
	uint64_t verdict[V_COUNT]; /* all stages */
};

/** Write all counters as one JSON object and a line feed. @return 0 or -errno. */
int counters_write(const struct counters *c, FILE *out);
