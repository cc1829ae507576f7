/* SPDX-License-Identifier: BSD-3-Clause */
/* In the place of metrics.c where there is no libmicrohttpd. */
#include "metrics.h"

#include <errno.h>
#include <stdio.h>

int metrics_start(struct metrics **out, const char *address, const struct telemetry *t)
{
	fputs("cleartap: --metrics: this build has none; install libmicrohttpd-dev and build again\n",
		stderr);
	return -ENOTSUP;
}

void metrics_stop(struct metrics *m)
{
}
