/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a process that terminates TLS knows of the key bus: one call that is over in time. Servers are
 * chosen by client_random, so that several share the work, and the next one stands in, while there is time,
 * for one that is down, refuses keys, or has no sensor that listens.
 *
 * One call at a time waits. A thread whose turn does not come in time leaves its keys to whoever has it:
 * they are late then, but not lost.
 */
#include "keybus/push.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "keybus/cluster.h"
#include "keybus/lane.h"
#include "keybus/seal.h"

#define HOLD_MAX_MS 60000u
#define FIND_NS 20000000ull /* longest that the start takes for names of servers */

#define LEFT_MAX 64
#define LEFT_TEXT_MAX 4096 /* a handshake's secrets are much shorter */

/* The keys of a call that is over. */
struct left {
	uint8_t client_random[32];
	uint32_t len;
	char text[LEFT_TEXT_MAX];
};

_Static_assert(CLUSTER_NODES >= URI_MAX, "a lane for each");

struct push {
	pthread_mutex_t lock;
	pid_t pid;
	enum push_ack ack;
	uint32_t acks, hold_ms, ttl_s;
	struct access *access;
	struct seal *seal;       /* NULL: plain */
	struct cluster *cluster; /* NULL: servers that know nothing of each other */
	bool doubtful;           /* its map may be out of date */
	int n;
	struct lane lane[CLUSTER_NODES];
	char sealed[SCHEMA_PAYLOAD_MAX + 1]; /* not on the stack: it may be a small one */
	pthread_mutex_t left_lock;           /* never held while something is waited for */
	uint32_t n_left;
	struct left left[LEFT_MAX];
};

static int check(const struct push_cfg *cfg, char *why, size_t why_size)
{
	const char *wrong = NULL;

	if (!cfg->servers || !*cfg->servers)
		wrong = "no server; give redis://HOST:PORT, rediss://HOST:PORT or unix:PATH";
	else if (!cfg->acks || cfg->acks > 16)
		wrong = "from 1 to 16 sensors can be asked to acknowledge";
	else if (!cfg->hold_ms || cfg->hold_ms > HOLD_MAX_MS)
		wrong = "a hold takes from 1 to 60000 ms";
	else if (!cfg->ttl_s)
		wrong = "keys are stored for at least 1 s";
	if (wrong)
		snprintf(why, why_size, "%s", wrong);
	return wrong ? -EINVAL : 0;
}

/* The nodes of one cluster, or none. */
static int open_cluster(struct push *p, const struct uri *uri, int n, char *why, size_t why_size)
{
	int nodes = 0;

	for (int i = 0; i < n; i++)
		nodes += uri[i].cluster;
	if (!nodes)
		return 0;
	if (nodes != n) {
		snprintf(why, why_size, "a cluster and other servers in one list");
		return -EINVAL;
	}
	p->cluster = calloc(1, sizeof(*p->cluster));
	if (!p->cluster)
		return -ENOMEM;
	cluster_init(p->cluster, uri, n);
	return 0;
}

static int add_lane(struct push *p, const struct uri *u)
{
	struct conn *c = conn_new(u, p->access);

	if (!c)
		return -ENOMEM;
	p->lane[p->n++].conn = c;
	return 0;
}

/* Names that are found at once are known to all children, and no thread is left when they are made. */
static void find_servers(struct push *p)
{
	uint64_t deadline_ns = conn_now_ns() + FIND_NS;

	for (int i = 0; i < p->n; i++)
		conn_find(p->lane[i].conn, deadline_ns);
}

static int open_lanes(struct push *p, const struct push_cfg *cfg, char *why, size_t why_size)
{
	const struct access_cfg access = { cfg->ca, cfg->cert, cfg->key, cfg->password_file,
		cfg->password };
	struct uri uri[URI_MAX];
	int n = uri_list(uri, URI_MAX, cfg->servers, why, why_size), rc;
	bool tls = false;

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		tls |= uri[i].tls;
	rc = open_cluster(p, uri, n, why, why_size);
	if (rc)
		return rc;
	rc = access_new(&p->access, &access, tls, why, why_size);
	while (!rc && p->n < n)
		rc = add_lane(p, &uri[p->n]);
	if (!rc && cfg->seal)
		rc = seal_new(&p->seal, p->access->lib, cfg->seal, why, why_size);
	return rc;
}

int push_new(struct push **out, const struct push_cfg *cfg, char *why, size_t why_size)
{
	int rc = check(cfg, why, why_size);
	struct push *p;

	*out = NULL;
	if (rc)
		return rc;
	p = calloc(1, sizeof(*p));
	if (!p) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->left_lock, NULL);
	p->pid = getpid();
	p->ack = cfg->ack;
	p->acks = cfg->acks;
	p->hold_ms = cfg->hold_ms;
	p->ttl_s = cfg->ttl_s;
	snprintf(why, why_size, "no memory");
	rc = open_lanes(p, cfg, why, why_size);
	if (rc) {
		push_free(p);
		return rc;
	}
	find_servers(p);
	*out = p;
	return 0;
}

/* Nodes that the cluster has told of are given lanes when they are first needed. */
static struct lane *lane_of(struct push *p, int node)
{
	while (p->n <= node)
		if (add_lane(p, &p->cluster->node[p->n]))
			return NULL;
	return &p->lane[node];
}

/* From whichever node answers. */
static void load_map(struct push *p, uint64_t deadline_ns)
{
	const struct conn_arg argv[] = { { "CLUSTER", 7 }, { "SLOTS", 5 } };

	for (int i = 0; i < p->n; i++) {
		redisReply *r = lane_ask(&p->lane[i], argv, 2, deadline_ns);
		bool loaded = r && cluster_load(p->cluster, r, i);

		reader_reply_free(r);
		if (loaded) {
			p->doubtful = false;
			return;
		}
	}
}

static enum push_result send_cluster(struct push *p, struct lane_job *job, uint16_t slot)
{
	struct cluster *c = p->cluster;
	enum push_result result = PUSH_DOWN;
	int node;

	if (cluster_wants_map(c, conn_now_ns(), p->doubtful))
		load_map(p, job->deadline_ns);
	node = cluster_owner(c, slot);
	for (int hops = 0; hops < CLUSTER_HOPS; hops++) {
		struct lane *l = lane_of(p, node);
		struct cluster_redirect to;

		result = l ? lane_push(l, job) : PUSH_DOWN;
		if (result != PUSH_REFUSED || !l->redirected ||
			!cluster_follow(c, l->error, node, &to))
			break;
		p->doubtful |= !to.ask;
		job->asking = to.ask;
		node = to.node;
	}
	p->doubtful |= result == PUSH_DOWN || result == PUSH_REFUSED;
	return result;
}

/* @param deadline_ns  0: nothing is waited for. */
static enum push_result send_payload(struct push *p, const uint8_t client_random[32],
	struct conn_arg payload, uint64_t deadline_ns)
{
	bool cluster = p->cluster;
	struct lane_job job = { .key = schema_key(SCHEMA_PAYLOAD, client_random, cluster),
		.ack_key = schema_key(SCHEMA_ACK, client_random, cluster),
		.payload = payload,
		.ttl_s = p->ttl_s,
		.ack = deadline_ns ? p->ack : PUSH_ACK_NONE,
		.acks = p->acks,
		.deadline_ns = deadline_ns,
		.counts = !cluster };
	uint32_t first = get_be32(client_random + 28) % (uint32_t)p->n;
	enum push_result result = PUSH_REFUSED, one;

	if (cluster)
		return send_cluster(p, &job, cluster_slot(client_random));
	for (int i = 0; i < p->n && result > PUSH_STORED; i++) {
		one = lane_push(&p->lane[(first + (uint32_t)i) % (uint32_t)p->n], &job);
		result = one < result ? one : result;
		if (one == PUSH_TIMEOUT && conn_now_ns() >= deadline_ns)
			break;
	}
	return result;
}

static enum push_result send_sealed(
	struct push *p, const uint8_t client_random[32], struct conn_arg text, uint64_t deadline_ns)
{
	ssize_t n = seal_text(p->seal, client_random, (struct hpke_bytes){ text.data, text.len },
		p->sealed, sizeof(p->sealed));

	if (n < 0)
		return PUSH_REFUSED;
	return send_payload(
		p, client_random, (struct conn_arg){ p->sealed, (size_t)n }, deadline_ns);
}

static enum push_result send_text(
	struct push *p, const uint8_t client_random[32], struct conn_arg text, uint64_t deadline_ns)
{
	return (p->seal ? send_sealed : send_payload)(p, client_random, text, deadline_ns);
}

/* Take the oldest that is left. */
static bool take_left(struct push *p, struct left *out)
{
	bool any;

	pthread_mutex_lock(&p->left_lock);
	any = p->n_left;
	if (any) {
		*out = p->left[0];
		memmove(p->left, p->left + 1, --p->n_left * sizeof(*out));
		OPENSSL_cleanse(&p->left[p->n_left], sizeof(*out));
	}
	pthread_mutex_unlock(&p->left_lock);
	return any;
}

/* Nothing is to be waited for while every server is left alone. */
static bool all_down(const struct push *p, uint64_t now_ns)
{
	for (int i = 0; i < p->n; i++)
		if (!breaker_open(&p->lane[i].down, now_ns))
			return false;
	return true;
}

static bool lock_until(struct push *p, uint64_t deadline_ns)
{
	struct timespec t = { (time_t)(deadline_ns / 1000000000),
		(long)(deadline_ns % 1000000000) };

	if (all_down(p, conn_now_ns()))
		return !pthread_mutex_trylock(&p->lock);
	return !pthread_mutex_clocklock(&p->lock, CLOCK_MONOTONIC, &t);
}

/* End one's turn; not before what others left is sent. */
static void pass_on(struct push *p)
{
	struct left left;

	do {
		while (take_left(p, &left))
			send_text(
				p, left.client_random, (struct conn_arg){ left.text, left.len }, 0);
		pthread_mutex_unlock(&p->lock);
	} while (__atomic_load_n(&p->n_left, __ATOMIC_SEQ_CST) && !pthread_mutex_trylock(&p->lock));
	OPENSSL_cleanse(&left, sizeof(left));
}

/* There was no turn in time. */
static enum push_result leave(
	struct push *p, const uint8_t client_random[32], const char *text, size_t len)
{
	bool room;

	pthread_mutex_lock(&p->left_lock);
	room = len <= LEFT_TEXT_MAX && p->n_left < LEFT_MAX;
	if (room) {
		struct left *l = &p->left[p->n_left];

		memcpy(l->client_random, client_random, sizeof(l->client_random));
		memcpy(l->text, text, len);
		l->len = (uint32_t)len;
		__atomic_store_n(&p->n_left, p->n_left + 1, __ATOMIC_SEQ_CST);
	}
	pthread_mutex_unlock(&p->left_lock);
	if (!pthread_mutex_trylock(&p->lock)) /* who had it may not have seen it any more */
		pass_on(p);
	return room ? PUSH_TIMEOUT : PUSH_DOWN;
}

enum push_result push_send(
	struct push *p, const uint8_t client_random[32], const char *text, size_t len)
{
	uint64_t deadline_ns = conn_now_ns() + p->hold_ms * 1000000ull;
	enum push_result result;
	int saved = errno;

	if (__atomic_load_n(&p->pid, __ATOMIC_RELAXED) != getpid())
		push_after_fork(p);
	if (len > SCHEMA_PAYLOAD_MAX)
		return PUSH_REFUSED;
	if (lock_until(p, deadline_ns)) {
		result = send_text(p, client_random, (struct conn_arg){ text, len }, deadline_ns);
		pass_on(p);
	} else {
		result = leave(p, client_random, text, len);
	}
	errno = saved;
	return result;
}

/*
 * The lock, if held, was held by a thread that does not exist here: what it was in the middle of cannot
 * be taken apart safely and is left as it is, but for the descriptors. What is left is the parent's.
 */
void push_after_fork(struct push *p)
{
	int saved = errno;
	bool whole;

	if (p->pid == getpid())
		return;
	whole = !pthread_mutex_trylock(&p->lock);
	if (p->seal && whole)
		seal_renew(p->seal);
	else if (p->seal)
		seal_forget(p->seal);
	for (int i = 0; i < p->n; i++) {
		if (whole)
			lane_drop(&p->lane[i]);
		else
			lane_forget(&p->lane[i]);
	}
	if (p->n_left)
		OPENSSL_cleanse(p->left, sizeof(p->left));
	p->n_left = 0;
	pthread_mutex_init(&p->left_lock, NULL);
	pthread_mutex_init(&p->lock, NULL);
	__atomic_store_n(&p->pid, getpid(), __ATOMIC_RELAXED);
	errno = saved;
}

void push_free(struct push *p)
{
	if (!p)
		return;
	for (int i = 0; i < p->n; i++)
		lane_free(&p->lane[i]);
	free(p->cluster);
	seal_free(p->seal);
	access_free(p->access);
	pthread_mutex_destroy(&p->left_lock);
	pthread_mutex_destroy(&p->lock);
	OPENSSL_cleanse(p, sizeof(*p));
	free(p);
}
