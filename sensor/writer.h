/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "outputs.h"
#include "worker.h"

/** The sink thread: what the workers' rings bring goes to the sinks, which all run here. */
struct writer {
	struct outputs out;
	struct worker *workers;
	int n;
	bool stop;   /* set when the workers are done: what waits is written first */
	bool reopen; /* close and open files that are appended to */
	void (*stats)(void *arg, struct counters *sum);
	void *arg;
	pthread_t thread;
};

/** Begin. All fields but thread are set. @return 0 or -errno, said. */
int writer_start(struct writer *w);

/** Write everything out and end; the sinks are still open. */
void writer_stop(struct writer *w);
