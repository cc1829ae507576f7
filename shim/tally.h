/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

/** Counters of the process, from tally.def. */
enum tally {
#define COUNT(name, help) TALLY_##name,
#include "shim/tally.def"
#undef COUNT
	TALLIES
};

/** Context: any thread. */
void tally_add(enum tally t, uint64_t n);
void tally_max(enum tally t, uint64_t n);
uint64_t tally_get(enum tally t);

/** All zero: a child begins to count. */
void tally_reset(void);

/** One line of those that are not 0, by report_say(). */
void tally_report(void);
