/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

/**
 * Writes one exposition of OpenMetrics 1.0 text. The order is the caller's: a family, then all of its
 * samples, then the next family, and openmetrics_end() once. What does not fit sets `full` of the
 * writer, to be looked at once, at the end.
 *
 * Context: any; no allocation, no lock.
 */
struct openmetrics {
	struct wr *w; /* kept until openmetrics_end() */
	const char *name;
	const char *suffix;
};

enum openmetrics_type { OPENMETRICS_COUNTER, OPENMETRICS_GAUGE, OPENMETRICS_INFO };

/** A value is any UTF-8: quotes, backslashes and line feeds are escaped. */
struct openmetrics_label {
	const char *name;
	const char *value;
};

/**
 * @param name  [a-z_]+, without the _total of counters and the _info of infos; kept until the next
 *              family.
 * @param help  One sentence.
 */
void openmetrics_family(
	struct openmetrics *m, enum openmetrics_type type, const char *name, const char *help);

/** @param labels  @p n of them, at most one of a name. An info's value is 1. */
void openmetrics_sample(
	struct openmetrics *m, const struct openmetrics_label *labels, int n, uint64_t value);

void openmetrics_end(struct openmetrics *m);
