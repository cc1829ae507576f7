/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/reasm.h"

/* What fuzz targets that judge, and that keep segments, have in common. */

static inline void check(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "does not hold: %s\n", what);
		abort();
	}
}

/* A keeper that copies, in memory of exactly the segment's size. @param arg  int: how many are kept. */
static inline bool keep(void *arg, struct seg *seg)
{
	uint8_t *copy = malloc(seg->len);
	int *kept = arg;

	memcpy(copy, seg->data, seg->len);
	seg->data = seg->owner = copy;
	++*kept;
	return true;
}

static inline void drop(void *arg, void *owner)
{
	int *kept = arg;

	free(owner);
	--*kept;
}
