/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * getaddrinfo() takes as long as DNS lets it, and there is no other way to ask for a name as the system
 * does. getaddrinfo_a() is of no use in a guest: after a fork() it believes in the parent's threads, and
 * nothing is ever answered. So each name has a thread for as long as it takes; a question is owned by both,
 * who asked and who answers, and goes with the last of them.
 *
 * It tells by a semaphore and not by a descriptor: a host may close what it does not know, and the answer
 * would be written into something of its own.
 */
#include "keybus/lookup.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STACK (256u << 10) /* for modules of the name service too */

struct lookup {
	pid_t pid; /* whose thread answers */
	atomic_int owners;
	sem_t answered;
	int rc; /* of getaddrinfo() */
	struct stream_peer peer;
	char host[sizeof(((struct uri *)0)->host)], port[sizeof(((struct uri *)0)->port)];
};

static int ask(struct stream_peer *peer, const char *host, const char *port, int flags)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | flags };
	struct addrinfo *list;
	int rc;

	*peer = (struct stream_peer){ 0 };
	rc = getaddrinfo(host, port, &hints, &list);
	if (rc)
		return rc;
	for (const struct addrinfo *a = list; a && peer->n < STREAM_ADDRS; a = a->ai_next) {
		memcpy(&peer->at[peer->n].sa, a->ai_addr, a->ai_addrlen);
		peer->at[peer->n++].len = a->ai_addrlen;
	}
	freeaddrinfo(list);
	return 0;
}

static bool direct_unix(struct stream_peer *peer, const struct uri *u)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	_Static_assert(sizeof(sun.sun_path) == sizeof(u->path), "a path that fits the one fits");
	*peer = (struct stream_peer){ .n = 1 };
	memcpy(sun.sun_path, u->path, sizeof(u->path));
	memcpy(&peer->at[0].sa, &sun, sizeof(sun));
	peer->at[0].len = sizeof(sun);
	return true;
}

bool lookup_direct(struct stream_peer *peer, const struct uri *u)
{
	if (!*u->host)
		return direct_unix(peer, u);
	return ask(peer, u->host, u->port, AI_NUMERICHOST) == 0;
}

static void disown(struct lookup *l)
{
	if (atomic_fetch_sub(&l->owners, 1) > 1)
		return;
	sem_destroy(&l->answered);
	free(l);
}

static void *answer(void *arg)
{
	struct lookup *l = arg;

	pthread_setname_np(pthread_self(), "cleartap-lookup");
	l->rc = ask(&l->peer, l->host, l->port, 0);
	sem_post(&l->answered);
	disown(l);
	return NULL;
}

/* All signals are the host's, and go to threads of its own. */
static int start_thread(struct lookup *l)
{
	size_t stack = STACK + (size_t)PTHREAD_STACK_MIN;
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all;
	int rc = pthread_attr_init(&attr);

	if (rc)
		return -rc;
	sigfillset(&all);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, stack);
	pthread_attr_setsigmask_np(&attr, &all);
	rc = pthread_create(&thread, &attr, answer, l);
	pthread_attr_destroy(&attr);
	return -rc;
}

struct lookup *lookup_new(const struct uri *u)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->pid = getpid();
	atomic_init(&l->owners, 2);
	sem_init(&l->answered, 0, 0);
	memcpy(l->host, u->host, sizeof(l->host));
	memcpy(l->port, u->port, sizeof(l->port));
	if (start_thread(l)) {
		sem_destroy(&l->answered);
		free(l);
		return NULL;
	}
	return l;
}

bool lookup_wait(struct lookup *l, uint64_t deadline_ns)
{
	const struct timespec t = { (time_t)(deadline_ns / 1000000000),
		(long)(deadline_ns % 1000000000) };
	bool is = !sem_trywait(&l->answered);

	while (!is && deadline_ns && l->pid == getpid()) {
		is = !sem_clockwait(&l->answered, CLOCK_MONOTONIC, &t);
		if (!is && errno != EINTR)
			break;
	}
	if (is)
		sem_post(&l->answered); /* for who asks next */
	return is;
}

int lookup_get(struct lookup *l, struct stream_peer *peer)
{
	if (!lookup_wait(l, 0))
		return l->pid == getpid() ? -EAGAIN : -ESRCH;
	if (l->rc)
		return -EHOSTUNREACH;
	*peer = l->peer;
	return 0;
}

void lookup_free(struct lookup *l)
{
	if (l && l->pid != getpid())
		atomic_store(&l->owners, 1); /* the thread is not in this process */
	if (l)
		disown(l);
}
