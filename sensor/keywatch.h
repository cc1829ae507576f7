/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "keyring.h"
#include "missq.h"

/** The key thread: the one writer of the key table while workers read it. */
struct keywatch {
	struct keyring *keys;
	bool stop;
	bool reload; /* set by anyone: read key files again, from their start */
	int inotify; /* -1: there is none, or too few */
	int n_missq; /* 0, or one a worker: set before keywatch_start() */
	struct missq *missq[OPTIONS_WORKERS_MAX];
	pthread_t thread;
};

/**
 * Follow the files and servers that --keys names.
 * @param keys  Open; nobody else writes to it until keywatch_stop().
 * @return 0 or -errno, said.
 */
int keywatch_start(struct keywatch *w, struct keyring *keys, const struct options *opt);
void keywatch_stop(struct keywatch *w);
