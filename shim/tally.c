/* SPDX-License-Identifier: BSD-3-Clause */
/* What was done and what went wrong, counted for the whole process. */
#include "shim/tally.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "shim/report.h"

static _Atomic uint64_t count[TALLIES];

static const char *const names[TALLIES] = {
#define COUNT(name, help) #name,
#include "shim/tally.def"
#undef COUNT
};

void tally_add(enum tally t, uint64_t n)
{
	atomic_fetch_add_explicit(&count[t], n, memory_order_relaxed);
}

void tally_max(enum tally t, uint64_t n)
{
	uint64_t had = atomic_load_explicit(&count[t], memory_order_relaxed);

	while (had < n && !atomic_compare_exchange_weak(&count[t], &had, n))
		;
}

uint64_t tally_get(enum tally t)
{
	return atomic_load_explicit(&count[t], memory_order_relaxed);
}

void tally_reset(void)
{
	for (int i = 0; i < TALLIES; i++)
		atomic_store_explicit(&count[i], 0, memory_order_relaxed);
}

void tally_report(void)
{
	char text[400] = "";
	size_t n = 0;

	for (int i = 0; i < TALLIES && n < sizeof(text); i++) {
		uint64_t value = tally_get((enum tally)i);

		if (value)
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, " %s=%" PRIu64, names[i], value);
	}
	if (n)
		report_say("counts:%s", text);
}
