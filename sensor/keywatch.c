/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys race with the packets that need them, so a change of a key log, or a payload from Redis, wakes
 * this thread at once. What cannot be watched (a FIFO, a file of a network, what workers missed) is
 * looked at often.
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

#include "keyredis.h"

#define LOOK_MS 10

/* The directory is watched: a log may be created late, or be replaced by rotation. */
static void watch(int fd, const char *path)
{
	char dir[PATH_MAX];

	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
		return;
	inotify_add_watch(fd, dirname(dir), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* What workers missed may be in Redis. */
static void fetch(struct keywatch *w)
{
	uint8_t client_random[32];

	for (int i = 0; i < w->n_missq; i++)
		while (missq_pull(w->missq[i], client_random))
			keyredis_want(w->keys->redis, client_random);
}

/* @return whether files may have changed: they are not looked at for every payload. */
static bool wait(struct keywatch *w)
{
	struct pollfd p[1 + KEYREDIS_FDS] = { { .fd = w->inotify, .events = POLLIN } };
	int n = 1, ready;
	char events[4096];

	if (w->keys->redis)
		n += keyredis_fds(w->keys->redis, p + 1);
	ready = poll(p, (nfds_t)n, LOOK_MS);
	if (ready > 0 && p[0].revents)
		while (read(w->inotify, events, sizeof(events)) > 0)
			;
	return ready < 1 || p[0].revents;
}

static void *run(void *arg)
{
	struct keywatch *w = arg;
	uint64_t looked_ms = 0;

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		bool changed = wait(w);
		uint64_t ms = now_ms();
		uint32_t s = (uint32_t)(ms / 1000);

		if (w->keys->redis) {
			fetch(w);
			keyredis_work(w->keys->redis, s);
		}
		if (__atomic_exchange_n(&w->reload, false, __ATOMIC_ACQ_REL)) {
			keyring_reload(w->keys);
			looked_ms = 0;
		}
		if (!changed && ms - looked_ms < LOOK_MS)
			continue;
		looked_ms = ms;
		keyring_poll(w->keys, s);
		keytab_expire(w->keys->table, s);
	}
	return NULL;
}

int keywatch_start(struct keywatch *w, struct keyring *keys, const struct options *opt)
{
	int rc;

	w->keys = keys;
	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	for (int i = 0; i < opt->n_keys && w->inotify >= 0; i++)
		if (!keyredis_is(opt->keys[i]))
			watch(w->inotify, strchr(opt->keys[i], ':') + 1);
	keyring_poll(keys, (uint32_t)(now_ms() / 1000));
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
