/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>

#include "keybus/breaker.h"
#include "keybus/conn.h"
#include "keybus/push.h"
#include "keybus/schema.h"

/** One server as push_send() sees it. */
struct lane {
	struct conn *conn;
	bool ready;         /* logged in */
	uint64_t dialed_ns; /* when conn_open() was called */
	uint32_t stale; /* replies to earlier commands that are still to come, and to be skipped */
	uint64_t late_ns;  /* since then it has not answered; 0: it has */
	bool heard;        /* enough subscribed when last asked */
	uint64_t vain_ns;  /* waited since an answer came in time */
	uint64_t pause_ns; /* until then nothing is waited for */
	struct breaker down;
	redisReply *error; /* the last one of Redis, or NULL */
	bool redirected;   /* it was MOVED or ASK: another node of the cluster has the slot */
};

/** What is to be stored, announced and acknowledged. Borrowed. */
struct lane_job {
	struct schema_key key, ack_key;
	struct conn_arg payload;
	uint32_t ttl_s;
	enum push_ack ack;
	uint32_t acks;
	uint64_t deadline_ns;
	bool counts; /* the number of receivers that PUBLISH reports is that of all */
	bool asking; /* the node of a cluster does not have the slot yet */
};

/**
 * Store, announce and wait, until the job's deadline at the latest.
 * @return PUSH_REFUSED with l->redirected: to be tried again elsewhere.
 */
enum push_result lane_push(struct lane *l, const struct lane_job *job);

/** One command, and its reply: yours; NULL: there is none. */
redisReply *lane_ask(struct lane *l, const struct conn_arg *argv, int argc, uint64_t deadline_ns);

void lane_free(struct lane *l);

/** Drop the connection, without a word. */
void lane_drop(struct lane *l);

/** conn_forget() */
void lane_forget(struct lane *l);
