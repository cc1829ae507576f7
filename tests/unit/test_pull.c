/* SPDX-License-Identifier: BSD-3-Clause */
/* Both ends of the bus, and a real redis-server between them. */
#include "keybus/pull.h"

#include <pthread.h>

#include "keybus/payload.h"
#include "keybus/push.h"
#include "redis.h"
#include "resolver.h"

#define LONG_MS 20000

static struct redis r;
static char why[256];
static struct access *access_all;
static struct pull *pull;
static pthread_t thread;
static bool stop, installs;
static uint32_t seen; /* payloads */
static uint8_t last;  /* and whose the last one was */

static bool on_payload(void *arg, const char *payload, size_t len, uint8_t client_random[32])
{
	ck_assert(payload_random(payload, len, client_random));
	__atomic_store_n(&last, client_random[0], __ATOMIC_RELEASE);
	__atomic_add_fetch(&seen, 1, __ATOMIC_RELEASE);
	return __atomic_load_n(&installs, __ATOMIC_ACQUIRE);
}

static uint32_t turn;  /* of the thread */
static uint8_t wanted; /* asked for by the thread, which is the one that may */

static void *work(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		struct pollfd fds[PULL_FDS];
		uint8_t want = __atomic_exchange_n(&wanted, 0, __ATOMIC_ACQ_REL), random[32];

		memset(random, want, sizeof(random));
		if (want)
			ck_assert(pull_want(pull, random));
		pull_work(pull);
		poll(fds, (nfds_t)pull_fds(pull, fds, PULL_FDS), 5);
		__atomic_add_fetch(&turn, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static uint32_t turns(void)
{
	return __atomic_load_n(&turn, __ATOMIC_RELAXED);
}

static void start(const char *uri_text)
{
	const struct access_cfg none = { 0 };
	static struct uri uri;
	const struct pull_cfg cfg = { &uri, 1, NULL, "sensor-1", on_payload, NULL };
	struct pull_cfg with = cfg;

	ck_assert_int_eq(uri_list(&uri, 1, uri_text, why, sizeof(why)), 1);
	ck_assert_int_eq(access_new(&access_all, &none, false, why, sizeof(why)), 0);
	with.access = access_all;
	pull = pull_new(&with);
	ck_assert_ptr_nonnull(pull);
	installs = true;
	stop = false;
	pthread_create(&thread, NULL, work, NULL);
}

static void finish(void)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	pull_free(pull);
	access_free(access_all);
}

static long long subscribers(void)
{
	redisReply *reply = redis_ask(&r, "PUBSUB NUMSUB ct:keys");
	long long n = reply->element[1]->integer;

	freeReplyObject(reply);
	return n;
}

static void until_subscribed(void)
{
	while (subscribers() < 1)
		usleep(1000);
}

static struct push *pusher(enum push_ack ack, uint32_t hold_ms)
{
	const struct push_cfg cfg = {
		.servers = r.uri, .ack = ack, .acks = 1, .hold_ms = hold_ms, .ttl_s = 60
	};
	struct push *p;

	ck_assert_int_eq(push_new(&p, &cfg, why, sizeof(why)), 0);
	return p;
}

static enum push_result push(struct push *p, uint8_t id)
{
	char text[256];
	uint8_t random[32];
	size_t n = (size_t)sprintf(text, "CLIENT_TRAFFIC_SECRET_0 ");

	memset(random, id, sizeof(random));
	for (int i = 0; i < 32; i++)
		n += (size_t)sprintf(text + n, "%02x", id);
	n += (size_t)sprintf(text + n, " %064d\n", id);
	return push_send(p, random, text, n);
}

START_TEST(acknowledges)
{
	struct push *p;
	redisReply *reply;

	redis_start(&r, "");
	start(r.uri);
	until_subscribed();
	p = pusher(PUSH_ACK_SENSOR, LONG_MS);
	for (int i = 1; i < 200; i++) {
		ck_assert_int_eq(push(p, (uint8_t)i), PUSH_ACKED);
		ck_assert_uint_eq(__atomic_load_n(&seen, __ATOMIC_ACQUIRE), i); /* before the ack */
	}
	push_free(p);
	p = pusher(PUSH_ACK_CACHE, LONG_MS);
	ck_assert_int_eq(push(p, 0xee), PUSH_STORED);
	do { /* nobody fetches this one: it does not stay */
		reply = redis_ask(&r, "PTTL ct:a:%s",
			"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
		ck_assert_int_le(reply->integer, 1000);
		freeReplyObject(reply);
		reply = redis_ask(&r, "KEYS ct:a:*");
		stop = reply->elements == 0 && __atomic_load_n(&seen, __ATOMIC_ACQUIRE) == 200;
		freeReplyObject(reply);
		usleep(1000);
	} while (!stop);
	push_free(p);
	finish();
	redis_stop(&r);
}
END_TEST

START_TEST(not_installed_is_not_acknowledged)
{
	struct push *p;

	redis_start(&r, "");
	start(r.uri);
	__atomic_store_n(&installs, false, __ATOMIC_RELEASE);
	until_subscribed();
	p = pusher(PUSH_ACK_SENSOR, 500);
	ck_assert_int_eq(push(p, 1), PUSH_TIMEOUT);
	while (!__atomic_load_n(&seen, __ATOMIC_ACQUIRE))
		usleep(1000);
	push_free(p);
	finish();
	redis_stop(&r);
}
END_TEST

START_TEST(fetches)
{
	char name[65], line[160];

	redis_start(&r, "");
	start(r.uri);
	until_subscribed();
	for (int i = 0; i < 32; i++)
		sprintf(name + 2 * i, "05");
	snprintf(line, sizeof(line), "CLIENT_TRAFFIC_SECRET_0 %s %s\n", name, name);
	freeReplyObject(redis_ask(&r, "SET ct:k:%s %s", name, line));
	__atomic_store_n(&wanted, 6, __ATOMIC_RELEASE); /* not there */
	while (__atomic_load_n(&wanted, __ATOMIC_ACQUIRE))
		usleep(1000);
	__atomic_store_n(&wanted, 5, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&seen, __ATOMIC_ACQUIRE))
		usleep(1000);
	ck_assert_uint_eq(last, 5);
	finish();
	redis_stop(&r);
}
END_TEST

/* What was stored before there was a sensor; more than one page of it, and names that are none. */
START_TEST(recalls)
{
	struct push *p;

	redis_start(&r, "");
	p = pusher(PUSH_ACK_CACHE, LONG_MS);
	for (int i = 1; i < 256; i++)
		ck_assert_int_eq(push(p, (uint8_t)i), PUSH_STORED);
	for (int i = 0; i < 600; i++)
		freeReplyObject(redis_ask(&r, "SET ct:k:%d x", i));
	freeReplyObject(redis_ask(
		&r, "SET ct:k:{%064d} x", 1)); /* as in a cluster: it is looked for in vain */
	push_free(p);
	start(r.uri);
	while (__atomic_load_n(&seen, __ATOMIC_ACQUIRE) < 255)
		usleep(1000);
	finish();
	ck_assert_uint_eq(seen, 255);
	redis_stop(&r);
}
END_TEST

START_TEST(comes_back)
{
	struct push *p;

	redis_start(&r, "");
	start(r.uri);
	until_subscribed();
	p = pusher(PUSH_ACK_SENSOR, LONG_MS);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(push(p, 1), PUSH_ACKED);
		redis_kill(&r);
		ck_assert_int_eq(push(p, 2), PUSH_DOWN);
		redis_run(&r, "");
		until_subscribed();
		while (push(p, 3) != PUSH_ACKED)
			usleep(10000);
	}
	push_free(p);
	finish();
	redis_stop(&r);
}
END_TEST

/* Who may not subscribe, or not log in, tries again, and says why. */
START_TEST(says_what_is_wrong)
{
	redis_start(&r, "user default on nopass -@all +ping ~* &*");
	start(r.uri);
	while (__atomic_load_n(&pull_counts(pull)->refused, __ATOMIC_RELAXED) < 2)
		usleep(1000);
	finish();
	ck_assert_uint_eq(seen, 0);
	redis_stop(&r);
}
END_TEST

static void *many(void *arg)
{
	struct push *p = pusher(PUSH_ACK_SENSOR, LONG_MS);
	uint8_t base = (uint8_t)(uintptr_t)arg;
	int acked = 0;

	for (int i = 0; i < 2000; i++)
		acked += push(p, (uint8_t)(base + i % 50)) == PUSH_ACKED;
	push_free(p);
	return (void *)(uintptr_t)acked;
}

START_TEST(many_at_once)
{
	pthread_t t[4];

	redis_start(&r, "");
	start(r.uri);
	until_subscribed();
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, many, (void *)(i * 50));
	for (int i = 0; i < 4; i++) {
		void *acked;

		pthread_join(t[i], &acked);
		ck_assert_uint_eq((uintptr_t)acked, 2000);
	}
	finish();
	ck_assert_uint_eq(seen, 8000);
	redis_stop(&r);
}
END_TEST

/* A name may be found late, and its Redis be somewhere else next time; the thread goes on meanwhile. */
START_TEST(named)
{
	char uri[80];
	int port;

	redis_start(&r, "");
	port = r.port;
	snprintf(uri, sizeof(uri), "redis://bus.test:%d", port);
	resolver_hold(true);
	start(uri);
	for (uint32_t from = turns(); turns() - from < 10;)
		usleep(1000);
	resolver_hold(false);
	while (!__atomic_load_n(&pull_counts(pull)->losses, __ATOMIC_RELAXED))
		usleep(1000);
	resolver_address("127.0.0.1");
	until_subscribed();
	redis_stop(&r);
	redis_dir(&r);
	r.port = port;
	redis_run(&r, "bind 127.0.0.2");
	resolver_address("127.0.0.2");
	until_subscribed();
	finish();
	redis_stop(&r);
}
END_TEST

UNIT_MAIN("pull", acknowledges, not_installed_is_not_acknowledged, fetches, recalls, comes_back,
	says_what_is_wrong, many_at_once, named)
