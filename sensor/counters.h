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

/** A number of its own kind under `dropped`: packets that never came as far as a worker. */
struct drop {
	char name[48];
	uint64_t n;
};

/** Add what another thread counts, while it goes on counting. */
void counters_add(struct counters *to, const struct counters *from);

/** Write all counters as one JSON object and a line feed. @return 0 or -errno. */
int counters_write(const struct counters *c, FILE *out);

/** The same, with @p n more drops. */
int counters_write_drops(const struct counters *c, const struct drop *drops, int n, FILE *out);

/**
 * Write to the file @p path, or to standard output if it is "-".
 * @return 0 or -errno, said.
 */
int counters_save(const struct counters *c, const struct drop *drops, int n, const char *path);
