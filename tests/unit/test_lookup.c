/* SPDX-License-Identifier: BSD-3-Clause */
/* A resolver that answers late, wrongly, not at all, or in another process. */
#include "keybus/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "resolver.h"

static const struct uri name = { .host = "bus.test", .port = "6379" };
static struct stream_peer peer;

static uint64_t in_ms(uint64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec + ms * 1000000;
}

static void is_at(const char *address)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)&peer.at[0].sa;
	char text[INET_ADDRSTRLEN];

	ck_assert_int_eq(peer.n, 1);
	ck_assert_int_eq(sin->sin_family, AF_INET);
	ck_assert_int_eq(ntohs(sin->sin_port), 6379);
	ck_assert_str_eq(inet_ntop(AF_INET, &sin->sin_addr, text, sizeof(text)), address);
}

static struct lookup *asked(void)
{
	struct lookup *l = lookup_new(&name);

	ck_assert_ptr_nonnull(l);
	return l;
}

START_TEST(nobody_is_asked)
{
	struct uri u = name;

	ck_assert(!lookup_direct(&peer, &u));
	strcpy(u.host, "127.0.0.3");
	ck_assert(lookup_direct(&peer, &u));
	is_at("127.0.0.3");
	strcpy(u.host, "fe80::1%lo");
	ck_assert(lookup_direct(&peer, &u));
	ck_assert_int_eq(peer.at[0].sa.ss_family, AF_INET6);
	*u.host = '\0';
	strcpy(u.path, "/run/redis");
	ck_assert(lookup_direct(&peer, &u));
	ck_assert_int_eq(peer.at[0].sa.ss_family, AF_UNIX);
	ck_assert_int_eq(resolver_asked(), 0);
}
END_TEST

START_TEST(late)
{
	struct lookup *l;

	resolver_hold(true);
	l = asked();
	ck_assert_int_eq(lookup_get(l, &peer), -EAGAIN);
	ck_assert(!lookup_wait(l, 0));
	ck_assert(!lookup_wait(l, in_ms(20)));
	resolver_address("127.0.0.1");
	resolver_hold(false);
	ck_assert(lookup_wait(l, in_ms(60000)));
	ck_assert(lookup_wait(l, 0));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(lookup_get(l, &peer), 0);
		is_at("127.0.0.1");
	}
	lookup_free(l);
}
END_TEST

START_TEST(no_such_name)
{
	struct lookup *l = asked();

	ck_assert(lookup_wait(l, in_ms(60000)));
	ck_assert_int_eq(lookup_get(l, &peer), -EHOSTUNREACH);
	lookup_free(l);
}
END_TEST

START_TEST(nobody_waits_any_more)
{
	resolver_hold(true);
	for (int i = 0; i < 8; i++)
		lookup_free(asked());
	lookup_free(NULL);
	resolver_hold(false);
	while (atomic_load(&resolver.answered) < 8)
		usleep(1000);
}
END_TEST

static atomic_int open_signals;

static void look_at_mask(void)
{
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	for (int i = 1; i < SIGRTMAX; i++)
		if (i != SIGKILL && i != SIGSTOP && (i < 32 || i >= SIGRTMIN))
			open_signals += !sigismember(&mask, i);
}

START_TEST(signals_are_the_hosts)
{
	struct lookup *l;

	resolver.look = look_at_mask;
	l = asked();
	ck_assert(lookup_wait(l, in_ms(60000)));
	ck_assert_int_eq(open_signals, 0);
	lookup_free(l);
}
END_TEST

/* What was answered before the fork is; what was not never will be. */
START_TEST(forks)
{
	int status;

	resolver_address("127.0.0.1");
	for (int held = 0; held < 2; held++) {
		struct lookup *l;

		resolver_hold(held);
		l = asked();
		ck_assert(held || lookup_wait(l, in_ms(60000)));
		while (resolver_asked() <= held) /* not in the middle of being begun */
			usleep(1000);
		if (!fork()) {
			resolver_hold(false);
			ck_assert(lookup_wait(l, in_ms(60000)) == !held);
			ck_assert_int_eq(lookup_get(l, &peer), held ? -ESRCH : 0);
			lookup_free(l);
			l = asked();
			ck_assert(lookup_wait(l, in_ms(60000)));
			ck_assert_int_eq(lookup_get(l, &peer), 0);
			lookup_free(l);
			_exit(0);
		}
		wait(&status);
		ck_assert_int_eq(status, 0);
		resolver_hold(false);
		ck_assert(lookup_wait(l, in_ms(60000)));
		lookup_free(l);
	}
}
END_TEST

UNIT_MAIN("lookup", nobody_is_asked, late, no_such_name, nobody_waits_any_more,
	signals_are_the_hosts, forks)
