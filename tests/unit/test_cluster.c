/* SPDX-License-Identifier: BSD-3-Clause */
/* The map by itself; and both ends of the bus with a real cluster of three between them. */
#include "keybus/cluster.h"

#include <poll.h>
#include <pthread.h>

#include "keybus/cli/cli.h"
#include "keybus/payload.h"
#include "keybus/pull.h"
#include "keybus/push.h"
#include "redis.h"
#include "resolver.h"

#define LONG_MS 20000

static struct cluster c;
static char why[256];

static void init(const char *text)
{
	struct uri uri[4];
	int n = uri_list(uri, 4, text, why, sizeof(why));

	ck_assert_int_gt(n, 0);
	cluster_init(&c, uri, n);
}

static bool follow(const char *text, struct cluster_redirect *to)
{
	size_t n = strlen(text);
	char *exact = malloc(n + 1);
	redisReply r = { .type = REDIS_REPLY_ERROR, .str = exact, .len = n };
	bool is;

	memcpy(exact, text, n);
	is = cluster_follow(&c, &r, 0, to);
	free(exact);
	return is;
}

START_TEST(redirections)
{
	static const char *const bad[] = { "", "MOVED", "MOVED ", "MOVED 1", "MOVED 1 ",
		"MOVED 1 h", "MOVED 16384 h:1", "MOVED -1 h:1", "MOVED 1x h:1",
		"MOVED 1 h:", "MOVED 1 h:0", "MOVED 1 h:65536", "MOVED 1 h:1x",
		"MOVED 99999999999999999999 h:1", "ASK", "ASK ", "ASK 1", "WRONGTYPE 1 h:1",
		"moved 1 h:1" };
	struct cluster_redirect to;
	char text[400];

	init("rediss+cluster://me@a:1,b:2");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!follow(bad[i], &to), "%s", bad[i]);
	ck_assert(follow("MOVED 7 b:2", &to));
	ck_assert(!to.ask && to.node == 1 && to.slot == 7);
	ck_assert_int_eq(cluster_owner(&c, 7), 1);
	ck_assert(follow("ASK 7 10.0.0.3:6379", &to)); /* a new one; the map stays */
	ck_assert(to.ask && to.node == 2);
	ck_assert_int_eq(cluster_owner(&c, 7), 1);
	ck_assert_str_eq(c.node[2].user, "me"); /* and it is spoken to as the others are */
	ck_assert(c.node[2].tls);
	ck_assert(follow("MOVED 8 ::1:6379", &to));
	ck_assert_str_eq(c.node[to.node].host, "::1");
	ck_assert(follow("MOVED 9 :7", &to)); /* the host that said it */
	ck_assert_str_eq(c.node[to.node].host, "a");
	for (int i = 0; c.n < CLUSTER_NODES; i++) {
		sprintf(text, "MOVED 1 host%d:1", i);
		ck_assert(follow(text, &to));
	}
	ck_assert(!follow("MOVED 1 one-too-many:1", &to));
	memset(text, 'h', sizeof(text));
	memcpy(text, "MOVED 1 ", 8);
	strcpy(text + 390, ":1");
	ck_assert(!follow(text, &to));
}
END_TEST

START_TEST(slots)
{
	redisReply host = { .type = REDIS_REPLY_STRING, .str = why, .len = 1 };
	redisReply port = { .type = REDIS_REPLY_INTEGER, .integer = 9 };
	redisReply *node_of[] = { &host, &port };
	redisReply node = { .type = REDIS_REPLY_ARRAY, .elements = 2, .element = node_of };
	redisReply first = { .type = REDIS_REPLY_INTEGER, .integer = 10 };
	redisReply last = { .type = REDIS_REPLY_INTEGER, .integer = 16383 };
	redisReply *range_of[] = { &first, &last, &node };
	redisReply range = { .type = REDIS_REPLY_ARRAY, .elements = 3, .element = range_of };
	redisReply *ranges_of[] = { &range };
	redisReply all = { .type = REDIS_REPLY_ARRAY, .elements = 1, .element = ranges_of };

	init("redis+cluster://a:1");
	strcpy(why, "z");
	ck_assert(cluster_load(&c, &all, 0));
	ck_assert_int_eq(cluster_owner(&c, 16383), 1);
	ck_assert_int_eq(cluster_owner(&c, 9), 9 % 2); /* nobody's: any */
	ck_assert_str_eq(c.node[1].host, "z");
	last.integer = 16384;
	ck_assert(cluster_load(&c, &all, 0));
	ck_assert_int_eq(cluster_owner(&c, 16383), 16383 % 2);
	first.integer = -1;
	last.integer = 1;
	cluster_load(&c, &all, 0);
	node.elements = 1;
	cluster_load(&c, &all, 0);
	range.elements = 2;
	cluster_load(&c, &all, 0);
	all.elements = 0;
	ck_assert(!cluster_load(&c, &all, 0));
}
END_TEST

/* three nodes */
static struct redis r[3];
static struct access *access_all;
static struct pull *pull;
static bool stop;
static char uris[200];

static bool on_payload(void *arg, const char *payload, size_t len, uint8_t client_random[32])
{
	return payload_random(payload, len, client_random);
}

static void *work(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		struct pollfd fds[PULL_FDS];

		pull_work(pull);
		poll(fds, (nfds_t)pull_fds(pull, fds, PULL_FDS), 5);
	}
	return NULL;
}

static void start_cluster(const char *more)
{
	char command[400], conf[200];

	snprintf(conf, sizeof(conf), "cluster-enabled yes\ncluster-node-timeout 5000\n%s", more);
	for (int i = 0; i < 3; i++) {
		redis_dir(&r[i]);
		do /* the nodes' own channel is 10000 above */
			r[i].port = redis_free_port();
		while (r[i].port > 55000);
		redis_run(&r[i], conf);
	}
	snprintf(command, sizeof(command),
		"redis-cli --cluster create 127.0.0.1:%d 127.0.0.1:%d 127.0.0.1:%d --cluster-yes "
		">%s/create.log",
		r[0].port, r[1].port, r[2].port, r[0].dir);
	ck_assert_int_eq(system(command), 0);
	for (int i = 0; i < 3; i++)
		for (bool ok = false; !ok;) {
			redisReply *reply = redis_ask(&r[i], "CLUSTER INFO");

			ok = strstr(reply->str, "cluster_state:ok") != NULL;
			freeReplyObject(reply);
		}
	snprintf(uris, sizeof(uris), "redis+cluster://127.0.0.1:%d,127.0.0.1:%d", r[0].port,
		r[1].port);
}

static void name(int id, uint8_t random[32], char hex[65])
{
	for (int i = 0; i < 32; i++)
		random[i] = (uint8_t)(id * 31 + i * (id | 1) + (id >> 8));
	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", random[i]);
}

static enum push_result push(struct push *p, int id)
{
	char hex[65], text[256];
	uint8_t random[32];
	int n;

	name(id, random, hex);
	n = sprintf(text, "CLIENT_TRAFFIC_SECRET_0 %s %064d\n", hex, id);
	return push_send(p, random, text, (size_t)n);
}

static char *node_id(int i)
{
	redisReply *reply = redis_ask(&r[i], "CLUSTER MYID");
	char *id = strdup(reply->str);

	freeReplyObject(reply);
	return id;
}

static int owner_of(int slot)
{
	redisReply *reply = redis_ask(&r[0], "CLUSTER SLOTS");
	int port = 0;

	for (size_t i = 0; i < reply->elements; i++)
		if (reply->element[i]->element[0]->integer <= slot &&
			reply->element[i]->element[1]->integer >= slot)
			port = (int)reply->element[i]->element[2]->element[1]->integer;
	freeReplyObject(reply);
	for (int i = 0; i < 3; i++)
		if (r[i].port == port)
			return i;
	ck_abort_msg("no owner of slot %d", slot);
}

/* The program's says it on stderr. */
int cli_fail(const char *format, ...)
{
	return CLI_FAILED;
}

/* Does `cleartap-keys get` find it, whichever node it begins with, and although that may be down? */
static bool found(const char *servers, const char *hex)
{
	char *args[] = { (char *)(uintptr_t)hex };
	const struct cli get = { .servers = servers, .hold_ms = LONG_MS, .args = args };

	return cli_get(&get) == CLI_OK;
}

static void check_found(const char *hex, bool is)
{
	char servers[100];

	for (int i = 0; i < 3; i++) {
		snprintf(servers, sizeof(servers), "redis+cluster://127.0.0.1:1,127.0.0.1:%d",
			r[i].port);
		ck_assert(found(servers, hex) == is);
	}
}

/* A slot moves while it is used: first ASK, then MOVED. */
static void move_slot(struct push *p, int id)
{
	uint8_t random[32];
	char hex[65], *from_id, *to_id;
	int slot, from, to;

	name(id, random, hex);
	slot = cluster_slot(random);
	from = owner_of(slot);
	to = (from + 1) % 3;
	from_id = node_id(from);
	to_id = node_id(to);
	freeReplyObject(redis_ask(&r[to], "CLUSTER SETSLOT %d IMPORTING %s", slot, from_id));
	freeReplyObject(redis_ask(&r[from], "CLUSTER SETSLOT %d MIGRATING %s", slot, to_id));
	check_found(hex, false);
	ck_assert_int_eq(push(p, id), PUSH_ACKED);
	ck_assert_int_eq(push(p, id), PUSH_ACKED);
	check_found(hex, true);
	for (int i = 0; i < 3; i++)
		freeReplyObject(redis_ask(&r[i == 0              ? to :
							  i == 1 ? from :
								   3 - to - from],
			"CLUSTER SETSLOT %d NODE %s", slot, to_id));
	ck_assert_int_eq(push(p, id), PUSH_ACKED);
	ck_assert_int_eq(push(p, id), PUSH_ACKED);
	check_found(hex, true);
	free(from_id);
	free(to_id);
}

static void start_sensor(void)
{
	const struct access_cfg none = { 0 };
	struct uri uri[4];
	struct pull_cfg cfg = { uri, 0, NULL, "sensor-1", on_payload, NULL };

	cfg.n_uri = uri_list(uri, 4, uris, why, sizeof(why));
	ck_assert_int_eq(cfg.n_uri, 2);
	ck_assert_int_eq(access_new(&access_all, &none, false, why, sizeof(why)), 0);
	cfg.access = access_all;
	pull = pull_new(&cfg);
	ck_assert_ptr_nonnull(pull);
}

/* At whichever node. */
static void until_subscribed(void)
{
	for (int i = 0;; i++) {
		redisReply *reply = redis_ask(&r[i % 3], "PUBSUB NUMSUB ct:keys");
		bool is = reply->element[1]->integer > 0;

		freeReplyObject(reply);
		if (is)
			return;
		usleep(1000);
	}
}

static void both_ends(const char *more)
{
	struct push_cfg cfg = { .servers = uris, .acks = 1, .hold_ms = LONG_MS, .ttl_s = 60 };
	uint8_t random[32];
	struct push *p;
	pthread_t thread;
	char hex[65];
	int by[3] = { 0 };

	start_cluster(more);
	start_sensor();
	pthread_create(&thread, NULL, work, NULL);
	ck_assert_int_eq(push_new(&p, &cfg, why, sizeof(why)), 0);
	until_subscribed();
	for (int i = 1; i < 300; i++)
		ck_assert_int_eq(push(p, i), PUSH_ACKED);
	for (int i = 1; i < 300; i++) {
		redisReply *reply;
		int slot, owner;

		name(i, random, hex);
		slot = cluster_slot(random);
		reply = redis_ask(&r[0], "CLUSTER KEYSLOT ct:k:{%s}", hex);
		ck_assert_int_eq(slot, (int)reply->integer);
		freeReplyObject(reply);
		owner = owner_of(slot);
		reply = redis_ask(&r[owner], "GET ct:k:{%s}", hex);
		ck_assert_int_eq(reply->type, REDIS_REPLY_STRING);
		freeReplyObject(reply);
		by[owner]++;
	}
	ck_assert(by[0] > 0 && by[1] > 0 && by[2] > 0);
	for (int i = 400; i < 406; i++)
		move_slot(p, i);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	pull_free(pull);
	push_free(p);
	access_free(access_all);
	for (int i = 0; i < 3; i++)
		redis_stop(&r[i]);
}

START_TEST(real_cluster)
{
	both_ends("");
	ck_assert_int_eq(resolver_asked(), 0);
}
END_TEST

/* Its nodes are known by address to us, and by name to each other. */
START_TEST(cluster_of_names)
{
	resolver_address("127.0.0.1");
	both_ends("cluster-announce-hostname node.test\n"
		  "cluster-preferred-endpoint-type hostname");
	ck_assert_int_gt(resolver_asked(), 0);
}
END_TEST

UNIT_MAIN("cluster", redirections, slots, real_cluster, cluster_of_names)
