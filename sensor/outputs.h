/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"
#include "options.h"
#include "sink.h"

#define OUTPUTS_MAX 16

/** The sinks of a run, in the order of --out. Context: the one thread that all of them run in. */
struct outputs {
	int n;
	int closed; /* those that were open */
	struct {
		const struct sink_ops *ops;
		void *sink;
		uint64_t lost; /* bytes; stays after outputs_close() */
	} at[OUTPUTS_MAX];
};

/**
 * Open what --out asks for, or a table on standard output.
 *
 * @param max_conns  conn_view.index is below this.
 * @param more       Sinks beside those of sink.c, ending with NULL; NULL: none.
 * @return EXIT_READ, or another exit status; the reason has then been said. What is open stays so.
 */
int outputs_open(struct outputs *o, const struct options *opt, uint32_t max_conns,
	const struct sink_ops *const *more);

/** The counters, to the sinks that record them. */
void outputs_stats(const struct outputs *o, uint64_t now_ns, const struct counters *count);

/** About once a second: what is in buffers goes on. */
void outputs_tick(const struct outputs *o);

/** What live outputs lost. @param out  Room for OUTPUTS_MAX. @return how many. Context: any. */
int outputs_drops(const struct outputs *o, struct drop *out);

/** What any of them takes: nothing is made that nobody does. */
struct outputs_wants {
	bool text;   /* plaintext */
	bool prints; /* fingerprints and certificates */
	bool txns;   /* HTTP transactions */
};

struct outputs_wants outputs_wants(const struct outputs *o);

/** Log rotation: files that are appended to are closed and opened again by name. */
void outputs_reopen(const struct outputs *o);

/** Close all; outputs_drops() goes on to tell of them. @return 0 or -errno of the first that failed, said. */
int outputs_close(struct outputs *o);
