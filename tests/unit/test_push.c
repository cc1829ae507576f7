/* SPDX-License-Identifier: BSD-3-Clause */
/* Against a real redis-server, and against what only looks like one. */
#include "keybus/push.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <time.h>

#include "keybus/unseal.h"
#include "certs.h"
#include "resolver.h"
#include "sealkeys.h"
#include "sensors.h"

#define LONG_MS 20000 /* a hold that a slow machine keeps too */

static struct redis r;
static char why[256];

static struct push *pusher(const char *servers, enum push_ack ack, uint32_t acks, uint32_t hold_ms)
{
	const struct push_cfg cfg = {
		.servers = servers, .ack = ack, .acks = acks, .hold_ms = hold_ms, .ttl_s = 60
	};
	struct push *p;
	int rc = push_new(&p, &cfg, why, sizeof(why));

	ck_assert_msg(rc == 0, "%s", why);
	return p;
}

static void name(uint8_t id, uint8_t random[32], char hex[65])
{
	memset(random, id, 32);
	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", id);
}

static enum push_result push(struct push *p, uint8_t id)
{
	uint8_t random[32];
	char hex[65], text[256];

	name(id, random, hex);
	snprintf(text, sizeof(text), "CLIENT_RANDOM %s 0123\n", hex);
	return push_send(p, random, text, strlen(text));
}

static bool stored(uint8_t id)
{
	uint8_t random[32];
	char hex[65];
	redisReply *reply;
	bool is;

	name(id, random, hex);
	reply = redis_ask(&r, "GET ct:k:%s", hex);
	is = reply->type == REDIS_REPLY_STRING && strstr(reply->str, hex);
	freeReplyObject(reply);
	reply = redis_ask(&r, "TTL ct:k:%s", hex);
	ck_assert(!is || (reply->integer > 0 && reply->integer <= 60));
	freeReplyObject(reply);
	return is;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Until it is so; breakers stay open for some seconds. */
static void push_until(struct push *p, uint8_t id, enum push_result result)
{
	double start = seconds();

	while (push(p, id) != result) {
		ck_assert(seconds() - start < 120);
		usleep(10000);
	}
}

static void acked_by(const char *servers)
{
	struct push *p = pusher(servers, PUSH_ACK_SENSOR, 1, LONG_MS);

	for (uint8_t i = 1; i < 50; i++) {
		ck_assert_int_eq(push(p, i), PUSH_ACKED);
		ck_assert(stored(i));
	}
	push_free(p);
}

START_TEST(acknowledged)
{
	char tcp[80];
	pid_t sensor;

	redis_start(&r, "");
	sensor = sensor_start(&r, "s1", 1);
	snprintf(tcp, sizeof(tcp), "redis://127.0.0.1:%d", r.port);
	acked_by(r.uri);
	acked_by(tcp);
	snprintf(tcp, sizeof(tcp), "redis://localhost:%d", r.port); /* ::1 refuses */
	acked_by(tcp);
	sensor_stop(&r, sensor);
	redis_stop(&r);
}
END_TEST

START_TEST(stored_and_sent)
{
	struct push *p;

	redis_start(&r, "");
	p = pusher(r.uri, PUSH_ACK_CACHE, 1, LONG_MS);
	ck_assert_int_eq(push(p, 1), PUSH_STORED);
	ck_assert(stored(1));
	push_free(p);
	p = pusher(r.uri, PUSH_ACK_NONE, 1, LONG_MS);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(push(p, (uint8_t)i), PUSH_STORED);
	push_free(p);
	while (!stored(0xcf)) /* 1999 */
		;
	redis_stop(&r);
}
END_TEST

/* That nobody subscribes is known at once, and so is that somebody does again. */
START_TEST(nobody_listens)
{
	struct push *p;
	pid_t sensor;

	redis_start(&r, "");
	p = pusher(r.uri, PUSH_ACK_SENSOR, 1, LONG_MS);
	for (uint8_t i = 1; i < 10; i++) {
		ck_assert_int_eq(push(p, i), PUSH_TIMEOUT);
		ck_assert(stored(i));
		sensor = sensor_start(&r, "s1", 1);
		ck_assert_int_eq(push(p, 100 + i), PUSH_ACKED);
		ck_assert_int_eq(push(p, 200 + i), PUSH_ACKED);
		sensor_stop(&r, sensor);
	}
	push_free(p);
	redis_stop(&r);
}
END_TEST

/* An acknowledgement that comes late stays what it is. */
START_TEST(late_acknowledgement)
{
	uint8_t random[32];
	struct push *p;
	char hex[65];
	pid_t silent, sensor;

	redis_start(&r, "");
	silent = sensor_start(&r, "s0", 0);
	p = pusher(r.uri, PUSH_ACK_SENSOR, 1, 200);
	for (uint8_t i = 1; i < 20; i++) {
		ck_assert_int_eq(push(p, i), PUSH_TIMEOUT);
		name(i, random, hex);
		freeReplyObject(redis_ask(&r, "LPUSH ct:a:%s late", hex));
	}
	sensor = sensor_start(&r, "s1", 1);
	push_until(p, 50, PUSH_ACKED);
	sensor_stop(&r, sensor);
	sensor_stop(&r, silent);
	push_free(p);
	redis_stop(&r);
}
END_TEST

START_TEST(several_sensors)
{
	struct push *p;
	pid_t one, two, silent;

	redis_start(&r, "");
	one = sensor_start(&r, "s1", 3); /* says it thrice: still one */
	p = pusher(r.uri, PUSH_ACK_SENSOR, 2, LONG_MS);
	ck_assert_int_eq(push(p, 1), PUSH_TIMEOUT);
	push_free(p);
	silent = sensor_start(&r, "s0", 0); /* two hear it */
	p = pusher(r.uri, PUSH_ACK_SENSOR, 2, 200);
	for (uint8_t i = 2; i < 8; i++)
		ck_assert_int_eq(push(p, i), PUSH_TIMEOUT);
	push_free(p);
	sensor_stop(&r, silent);
	two = sensor_start(&r, "s2", 1);
	p = pusher(r.uri, PUSH_ACK_SENSOR, 2, LONG_MS);
	for (uint8_t i = 10; i < 60; i++)
		ck_assert_int_eq(push(p, i), PUSH_ACKED);
	sensor_stop(&r, two);
	sensor_stop(&r, one);
	push_free(p);
	redis_stop(&r);
}
END_TEST

/* The first call after a restart connects anew; while there is no server nothing is waited for. */
START_TEST(killed_and_restarted)
{
	struct push *p;

	redis_start(&r, "");
	p = pusher(r.uri, PUSH_ACK_CACHE, 1, LONG_MS);
	ck_assert_int_eq(push(p, 1), PUSH_STORED);
	redis_kill(&r);
	redis_run(&r, "");
	ck_assert(!stored(1));
	ck_assert_int_eq(push(p, 2), PUSH_STORED);
	redis_kill(&r);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(push(p, 3), PUSH_DOWN);
	redis_run(&r, "");
	push_until(p, 4, PUSH_STORED);
	push_free(p);
	redis_stop(&r);
}
END_TEST

START_TEST(stopped)
{
	struct push *p;
	pid_t sensor;

	redis_start(&r, "");
	sensor = sensor_start(&r, "s1", 1);
	p = pusher(r.uri, PUSH_ACK_SENSOR, 1, LONG_MS);
	ck_assert_int_eq(push(p, 1), PUSH_ACKED);
	push_free(p);
	p = pusher(r.uri, PUSH_ACK_SENSOR, 1, 300);
	push_until(p, 1, PUSH_ACKED);
	kill(r.pid, SIGSTOP);
	for (uint8_t i = 2; i < 100; i++)
		ck_assert_int_ne(push(p, i), PUSH_ACKED);
	kill(r.pid, SIGCONT);
	push_until(p, 200, PUSH_ACKED);
	sensor_stop(&r, sensor);
	push_free(p);
	redis_stop(&r);
}
END_TEST

static void until_stored(uint8_t id)
{
	for (double start = seconds(); !stored(id); usleep(1000))
		ck_assert(seconds() - start < 60);
}

/* Slow is not dead: what is pushed to a Redis that stands still for a moment is there when it goes on. */
START_TEST(slow)
{
	struct push *p;
	pid_t sensor;
	double start;

	redis_start(&r, "");
	sensor = sensor_start(&r, "s1", 1);
	do {
		p = pusher(r.uri, PUSH_ACK_SENSOR, 1, 100);
		push_until(p, 1, PUSH_ACKED);
		freeReplyObject(redis_ask(&r, "FLUSHALL"));
		start = seconds();
		kill(r.pid, SIGSTOP);
		for (uint8_t i = 2; i < 60; i++)
			ck_assert_int_eq(push(p, i), PUSH_TIMEOUT);
		start = seconds() - start;
		kill(r.pid, SIGCONT);
		if (start < 2)
			for (uint8_t i = 2; i < 60; i++)
				until_stored(i);
		if (start < 2)
			push_until(p, 60, PUSH_ACKED);
		push_free(p);
	} while (start >= 2); /* then it was not for a moment */
	sensor_stop(&r, sensor);
	redis_stop(&r);
}
END_TEST

/* Neither a stopped Redis nor a silent sensor costs every call its hold. */
START_TEST(rarely_waited_for)
{
	struct push *p;
	pid_t silent;
	double start;

	redis_start(&r, "");
	silent = sensor_start(&r, "s0", 0);
	p = pusher(r.uri, PUSH_ACK_SENSOR, 1, 200);
	start = seconds();
	for (int i = 0; i < 250; i++)
		ck_assert_int_ne(push(p, (uint8_t)i), PUSH_ACKED);
	for (int i = 0; i < 250; i++)
		until_stored((uint8_t)i);
	ck_assert(seconds() - start < 25); /* 50 s, if each waited */
	kill(r.pid, SIGSTOP);
	start = seconds();
	for (int i = 0; i < 1000; i++)
		ck_assert_int_ne(push(p, (uint8_t)i), PUSH_ACKED);
	ck_assert(seconds() - start < 100); /* 200 s */
	kill(r.pid, SIGCONT);
	sensor_stop(&r, silent);
	push_free(p);
	redis_stop(&r);
}
END_TEST

static struct push *crowded;

static void *some(void *arg)
{
	for (uint8_t i = 0; i < 4; i++)
		push(crowded, (uint8_t)(*(uint8_t *)arg * 4 + i));
	return NULL;
}

/* Threads whose turn does not come in time: their keys come all the same. */
START_TEST(crowd)
{
	uint8_t number[16];
	pthread_t t[16];
	pid_t silent;

	redis_start(&r, "");
	silent = sensor_start(&r, "s0", 0);
	crowded = pusher(r.uri, PUSH_ACK_SENSOR, 1, 15);
	for (uint8_t i = 0; i < 16; i++) {
		number[i] = i;
		pthread_create(&t[i], NULL, some, &number[i]);
	}
	for (int i = 0; i < 16; i++)
		pthread_join(t[i], NULL);
	for (uint8_t i = 0; i < 64; i++)
		until_stored(i);
	push_free(crowded);
	sensor_stop(&r, silent);
	redis_stop(&r);
}
END_TEST

START_TEST(full)
{
	struct push *p;

	redis_start(&r, "maxmemory 1\nmaxmemory-policy noeviction");
	p = pusher(r.uri, PUSH_ACK_SENSOR, 1, LONG_MS);
	ck_assert_int_eq(push(p, 1), PUSH_REFUSED);
	freeReplyObject(redis_ask(&r, "CONFIG SET maxmemory 0"));
	push_until(p, 2, PUSH_TIMEOUT); /* nobody subscribes */
	ck_assert(stored(2));
	push_free(p);
	redis_stop(&r);
}
END_TEST

/* Accepts and never answers: it may see a connection an interval, not one a handshake. */
START_TEST(mute_server)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), seen = 0;
	double start = seconds();
	struct push *p;
	char uri[64];

	a.sin_port = htons((uint16_t)redis_free_port());
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 1000), 0);
	snprintf(uri, sizeof(uri), "redis://127.0.0.1:%d", ntohs(a.sin_port));
	p = pusher(uri, PUSH_ACK_SENSOR, 1, 20);
	for (int i = 0; i < 500; i++)
		ck_assert_int_ne(push(p, 1), PUSH_ACKED);
	while (accept(fd, NULL, NULL) >= 0)
		seen++;
	ck_assert_int_ge(seen, 1);
	ck_assert_int_le(seen, 2 + (int)(seconds() - start));
	push_free(p);
	close(fd);
}
END_TEST

static void *many(void *arg)
{
	for (int i = 0; i < 100; i++)
		if (push(arg, (uint8_t)i) != PUSH_ACKED)
			return arg;
	return NULL;
}

/* Threads get their turns; a child has a connection of its own, and the parent keeps its one. */
START_TEST(threads_and_forks)
{
	pthread_t t[8];
	struct push *p;
	pid_t sensor;
	int status;

	redis_start(&r, "");
	sensor = sensor_start(&r, "s1", 8); /* all threads use the same names */
	p = pusher(r.uri, PUSH_ACK_SENSOR, 1, LONG_MS);
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, many, p);
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (!pid) {
			push_after_fork(p);
			_exit(many(p) != NULL);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
	for (int i = 0; i < 8; i++) {
		void *failed;

		pthread_join(t[i], &failed);
		ck_assert_ptr_null(failed);
	}
	sensor_stop(&r, sensor);
	push_free(p);
	redis_stop(&r);
}
END_TEST

/* A guest: errno, OpenSSL's errors and SIGPIPE are the host's; so is a descriptor it has reused. */
START_TEST(manners)
{
	struct push *p;
	int fd, used[2];

	redis_start(&r, "");
	signal(SIGPIPE, SIG_DFL);
	p = pusher(r.uri, PUSH_ACK_CACHE, 1, LONG_MS);
	ERR_put_error(ERR_LIB_USER, 0, 42, "host", 1);
	errno = 77;
	ck_assert_int_eq(push(p, 1), PUSH_STORED);
	fd = dup(0); /* the next free one: ours is below */
	close(fd);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, used), 0);
	ck_assert_int_eq(dup2(used[0], fd - 1), fd - 1);
	ck_assert_int_eq(push(p, 2), PUSH_STORED);
	ck_assert_int_eq(recv(used[1], why, sizeof(why), MSG_DONTWAIT), -1);
	ck_assert_int_eq(close(fd - 1), 0); /* still open: the host's */
	redis_kill(&r);
	errno = 77;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(push(p, 3), PUSH_DOWN);
	ck_assert_int_eq(errno, 77);
	ck_assert_int_eq(ERR_GET_REASON(ERR_get_error()), 42);
	ck_assert_uint_eq(ERR_get_error(), 0);
	push_free(p);
	redis_stop(&r);
}
END_TEST

/* Over TLS too: a server that dies raises no signal, and the host's errors stay its own. */
START_TEST(manners_over_tls)
{
	struct push_cfg cfg = { .ack = PUSH_ACK_CACHE, .acks = 1, .hold_ms = LONG_MS, .ttl_s = 60 };
	char conf[400], ca_path[64], uri[64];
	struct certs ca, server;
	struct push *p;

	redis_dir(&r);
	ca = certs_make(r.dir, "ca", NULL, NULL);
	server = certs_make(r.dir, "server", &ca, "IP:127.0.0.1");
	r.tls_port = redis_free_port();
	snprintf(ca_path, sizeof(ca_path), "%s/ca.crt", r.dir);
	snprintf(uri, sizeof(uri), "rediss://127.0.0.1:%d", r.tls_port);
	snprintf(conf, sizeof(conf),
		"tls-port %d\ntls-cert-file %s/server.crt\ntls-key-file %s/server.key\n"
		"tls-ca-cert-file %s\ntls-auth-clients no",
		r.tls_port, r.dir, r.dir, ca_path);
	redis_run(&r, conf);
	signal(SIGPIPE, SIG_DFL);
	ERR_clear_error();
	ERR_put_error(ERR_LIB_USER, 0, 42, "host", 1);
	cfg.servers = uri;
	cfg.ca = ca_path;
	ck_assert_int_eq(push_new(&p, &cfg, why, sizeof(why)), 0);
	for (int round = 0; round < 3; round++) {
		while (push(p, (uint8_t)(10 + round)) != PUSH_STORED)
			usleep(10000);
		ck_assert(stored((uint8_t)(10 + round)));
		if (round < 2 && !fork()) { /* says nothing on the parent's connection */
			push_after_fork(p);
			_exit(push(p, 99) != PUSH_STORED);
		}
		if (round < 2) {
			int status;

			wait(&status);
			ck_assert_int_eq(status, 0);
			ck_assert_int_eq(push(p, 50), PUSH_STORED);
		}
		if (round < 2) {
			redis_kill(&r);
			ck_assert_int_eq(push(p, 51), PUSH_DOWN);
			redis_run(&r, conf);
		}
	}
	ck_assert_int_eq(ERR_GET_REASON(ERR_get_error()), 42);
	ck_assert_uint_eq(ERR_get_error(), 0);
	push_free(p);
	certs_free(&ca);
	certs_free(&server);
	redis_stop(&r);
}
END_TEST

/* Either of two; the other one when it is down. */
START_TEST(two_servers)
{
	struct redis first, second;
	char both[200];
	struct push *p;
	int in_first = 0;

	redis_start(&first, "");
	redis_start(&second, "");
	snprintf(both, sizeof(both), "%s,%s", first.uri, second.uri);
	p = pusher(both, PUSH_ACK_CACHE, 1, LONG_MS);
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(push(p, (uint8_t)i), PUSH_STORED);
	r = first;
	for (int i = 0; i < 40; i++)
		in_first += stored((uint8_t)i);
	r = second;
	for (int i = 0; i < 40; i++)
		in_first += stored((uint8_t)i) << 8;
	ck_assert_int_eq(in_first, 20 | 20 << 8);
	redis_kill(&first);
	for (int i = 40; i < 80; i++)
		ck_assert_int_eq(push(p, (uint8_t)i), PUSH_STORED);
	for (int i = 40; i < 80; i++)
		ck_assert(stored((uint8_t)i));
	push_free(p);
	redis_stop(&first);
	redis_stop(&second);
}
END_TEST

/* One without a sensor that listens, and one that is full: the other one has both, and there is time. */
START_TEST(the_other_server_stands_in)
{
	struct redis first, second;
	char both[200];
	struct push *p;
	pid_t sensor;

	redis_start(&first, "");
	redis_start(&second, "");
	snprintf(both, sizeof(both), "%s,%s", first.uri, second.uri);
	sensor = sensor_start(&second, "s1", 1);
	p = pusher(both, PUSH_ACK_SENSOR, 1, LONG_MS);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(push(p, (uint8_t)i), PUSH_ACKED);
	freeReplyObject(redis_ask(&first, "CONFIG SET maxmemory 1"));
	for (int i = 20; i < 40; i++)
		ck_assert_int_eq(push(p, (uint8_t)i), PUSH_ACKED);
	sensor_stop(&second, sensor);
	for (int i = 40; i < 60; i++)
		ck_assert_int_eq(push(p, (uint8_t)i), PUSH_TIMEOUT);
	push_free(p);
	redis_stop(&first);
	redis_stop(&second);
}
END_TEST

static struct push *named(uint32_t hold_ms)
{
	char uri[80];

	snprintf(uri, sizeof(uri), "redis://bus.test:%d", r.port);
	return pusher(uri, PUSH_ACK_CACHE, 1, hold_ms);
}

/* A resolver that says nothing costs a bounded wait now and then; when it does, keys flow. */
START_TEST(name_found_late)
{
	double start = seconds();
	struct push *p;

	redis_start(&r, "");
	resolver_hold(true);
	resolver_address("127.0.0.1");
	p = named(100);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(push(p, 1), PUSH_DOWN);
	ck_assert(seconds() - start < 15); /* 20 s, if each waited */
	ck_assert_int_eq(resolver_asked(), 1);
	resolver_hold(false);
	push_until(p, 2, PUSH_STORED);
	ck_assert(stored(2));
	push_free(p);
	redis_stop(&r);
}
END_TEST

START_TEST(name_not_found_at_first)
{
	struct push *p;

	redis_start(&r, "");
	resolver_address(NULL);
	p = named(LONG_MS);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(push(p, 1), PUSH_DOWN);
	resolver_address("127.0.0.1");
	push_until(p, 2, PUSH_STORED);
	push_free(p);
	redis_stop(&r);
}
END_TEST

/* What was found serves until something better is: no resolver keeps a Redis away that is where it was. */
START_TEST(name_that_moves)
{
	int port;
	struct push *p;

	redis_start(&r, "");
	port = r.port;
	resolver_address("127.0.0.1");
	p = named(LONG_MS);
	ck_assert_int_eq(push(p, 1), PUSH_STORED);
	for (int i = 0; i < 2; i++) { /* is down, says nothing */
		resolver_address(NULL);
		resolver_hold(i);
		redis_kill(&r);
		redis_run(&r, "");
		ck_assert_int_eq(push(p, 2), PUSH_STORED);
	}
	redis_stop(&r);
	redis_dir(&r);
	r.port = port;
	redis_run(&r, "bind 127.0.0.2");
	resolver_address("127.0.0.2");
	resolver_hold(false);
	push_until(p, 3, PUSH_STORED);
	ck_assert(stored(3));
	push_free(p);
	redis_stop(&r);
}
END_TEST

/* A child has no thread of its parent's, and asks itself; or knows what its parent knew. */
START_TEST(names_and_forks)
{
	struct push *p;
	int status;

	redis_start(&r, "");
	resolver_address("127.0.0.1");
	for (int i = 0; i < 2; i++) {
		pid_t pid;

		resolver_hold(i);
		p = named(LONG_MS);
		pid = fork();
		if (!pid) {
			resolver_hold(!i);
			push_after_fork(p);
			_exit(push(p, (uint8_t)(1 + i)) != PUSH_STORED);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		ck_assert(stored((uint8_t)(1 + i)));
		resolver_hold(false);
		push_until(p, 10, PUSH_STORED);
		push_free(p);
	}
	redis_stop(&r);
}
END_TEST

/* Sealed, Redis holds nothing that can be read; a child seals under an encapsulation of its own. */
START_TEST(sealed)
{
	struct push_cfg cfg = { .ack = PUSH_ACK_CACHE, .acks = 1, .hold_ms = LONG_MS, .ttl_s = 60 };
	static const char id[] = "0707070707070707070707070707070707070707070707070707070707070707";
	const char *text = "CLIENT_TRAFFIC_SECRET_0 "
			   "0707070707070707070707070707070707070707070707070707070707070707 "
			   "5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2";
	uint8_t random[32], named[32], out[1024];
	char key[64], pub[80], parents[128] = "";
	struct unseal *u;
	struct push *p;

	redis_start(&r, "");
	snprintf(key, sizeof(key), "%s/key", r.dir);
	snprintf(pub, sizeof(pub), "%s.pub", key);
	sealkeys_make(key);
	ck_assert_int_eq(unseal_new(&u, NULL), 0);
	ck_assert_int_eq(unseal_add(u, key, why, sizeof(why)), 0);
	cfg.servers = r.uri;
	cfg.seal = key;
	ck_assert_int_eq(push_new(&p, &cfg, why, sizeof(why)), -EINVAL);
	cfg.seal = pub;
	ck_assert_int_eq(push_new(&p, &cfg, why, sizeof(why)), 0);
	memset(random, 7, sizeof(random));
	for (int i = 0; i < 3; i++) {
		int status = 0;
		redisReply *reply;

		if (i == 2 && !fork())
			_exit(push_send(p, random, text, strlen(text)));
		if (i == 2)
			wait(&status);
		else
			status = push_send(p, random, text, strlen(text));
		ck_assert_int_eq(i == 2 ? WEXITSTATUS(status) : status, PUSH_STORED);
		reply = redis_ask(&r, "GET ct:k:%s", id);
		ck_assert_ptr_null(strstr(reply->str, "5ec2e75ec2"));
		ck_assert_int_eq(
			unseal_text(u, reply->str, reply->len, out, named), (int)strlen(text));
		ck_assert_mem_eq(out, text, strlen(text));
		ck_assert_mem_eq(named, random, 32);
		if (i < 2)
			ck_assert(!i || !memcmp(parents, reply->str, 60));
		else
			ck_assert_mem_ne(parents, reply->str, 60);
		memcpy(parents, reply->str, 60);
		freeReplyObject(reply);
	}
	unseal_free(u);
	push_free(p);
	redis_stop(&r);
}
END_TEST

START_TEST(configuration)
{
	struct push_cfg cfg = { .servers = "redis://h:1", .acks = 1, .hold_ms = 5, .ttl_s = 1 };
	struct push *p = NULL;

	cfg.servers = "";
	ck_assert_int_eq(push_new(&p, &cfg, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "redis://"));
	cfg.servers = "redis://u:secret@127.0.0.1";
	ck_assert_int_eq(push_new(&p, &cfg, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_null(strstr(why, "secret"));
	cfg.servers = "redis://127.0.0.1";
	cfg.acks = 0;
	ck_assert_int_eq(push_new(&p, &cfg, why, sizeof(why)), -EINVAL);
	cfg.acks = 1;
	cfg.password_file = "/nonexistent/file";
	ck_assert_int_eq(push_new(&p, &cfg, why, sizeof(why)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/file"));
	ck_assert_ptr_null(p);
}
END_TEST

UNIT_MAIN("push", acknowledged, stored_and_sent, nobody_listens, late_acknowledgement,
	several_sensors, killed_and_restarted, stopped, slow, rarely_waited_for, crowd, full,
	mute_server, threads_and_forks, manners, manners_over_tls, two_servers,
	the_other_server_stands_in, name_found_late, name_not_found_at_first, name_that_moves,
	names_and_forks, sealed, configuration)
