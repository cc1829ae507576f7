/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "sink.h"
#include "write/frames.h"

/**
 * What sinks that retell connections in clear have in common: the state of each, and frames as they
 * come.
 */
struct retell {
	struct frames *conns; /* by conn_view.index; untouched where there never was text */
	/** One frame, without FCS; borrowed. */
	void (*emit)(void *arg, uint64_t ts_ns, const uint8_t *frame, uint32_t len);
	void *arg;
};

/** @return 0 or -ENOMEM, said. emit and arg are set. */
int retell_init(struct retell *r, uint32_t max_conns);
void retell_fini(struct retell *r);

/** Events of struct sink_ops. */
void retell_text(struct retell *r, const struct conn_view *v, const struct text *t);
void retell_anomaly(struct retell *r, const struct conn_view *v, int dir, uint64_t missing);
void retell_end(struct retell *r, const struct conn_view *v, enum conn_end why);
