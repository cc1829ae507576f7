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

enum drop_kind {
#define DROP(name, of, what, text) DROP_##name,
#include "drop.def"
#undef DROP
	DROP_KINDS
};

/** What was lost outside of the pipeline, by one port, worker or output. */
struct drop {
	enum drop_kind kind;
	char which[20]; /* a number, or a number and a word: "0", "0_eve" */
	uint64_t n;
};

#define DROP_NAME_MAX 64

/** Words of drop.def: "port", "imissed", and the text. */
const char *drop_of(enum drop_kind kind);
const char *drop_what(enum drop_kind kind);
const char *drop_text(enum drop_kind kind);

/** "port0_imissed" */
void drop_name(char out[DROP_NAME_MAX], const struct drop *d);

struct drop drop_init(enum drop_kind kind, unsigned which, uint64_t n);

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
