/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys race with the packets that need them, so a change of a key log wakes this thread at once. What
 * cannot be watched (a FIFO, a file of a network) is looked at often.
 */
#include "keywatch.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 10

/* The directory is watched: a log may be created late, or be replaced by rotation. */
static void watch(int fd, const char *path)
{
	char dir[PATH_MAX];

	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
		return;
	inotify_add_watch(fd, dirname(dir), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
}

static uint32_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint32_t)t.tv_sec;
}

static void *run(void *arg)
{
	struct keywatch *w = arg;
	struct pollfd p = { .fd = w->inotify, .events = POLLIN };
	char events[4096];

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		if (poll(&p, 1, LOOK_MS) > 0)
			while (read(w->inotify, events, sizeof(events)) > 0)
				;
		keyring_poll(w->keys, now_s());
		keytab_expire(w->keys->table, now_s());
	}
	return NULL;
}

int keywatch_start(struct keywatch *w, struct keyring *keys, const struct options *opt)
{
	int rc;

	w->keys = keys;
	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	for (int i = 0; i < opt->n_keys && w->inotify >= 0; i++)
		watch(w->inotify, strchr(opt->keys[i], ':') + 1);
	keyring_poll(keys, now_s());
	rc = pthread_create(&w->thread, NULL, run, w);
	if (!rc)
		return 0;
	fprintf(stderr, "cleartap: no thread for the keys: %s\n", strerror(rc));
	if (w->inotify >= 0)
		close(w->inotify);
	return -rc;
}

void keywatch_stop(struct keywatch *w)
{
	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	pthread_join(w->thread, NULL);
	if (w->inotify >= 0)
		close(w->inotify);
}
