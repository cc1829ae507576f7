/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "redis.h"

/**
 * What a sensor does, in a process of its own, with nothing of the key bus: subscribes, and
 * acknowledges what the first 64 characters after "CLIENT_RANDOM " name, `times` over.
 * A silent one (times 0) only subscribes.
 */
static inline pid_t sensor_start(const struct redis *r, const char *id, int times)
{
	int before = 0, now = 0;
	redisReply *reply = redis_ask(r, "PUBSUB NUMSUB ct:keys");
	pid_t pid;

	before = (int)reply->element[1]->integer;
	freeReplyObject(reply);
	pid = fork();
	if (!pid) {
		redisContext *sub = redis_connect(r), *ack = redis_connect(r);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		freeReplyObject(redisCommand(sub, "SUBSCRIBE ct:keys"));
		while (redisGetReply(sub, (void **)&reply) == REDIS_OK) {
			const char *at = strstr(reply->element[2]->str, "CLIENT_RANDOM ");

			for (int i = 0; at && i < times; i++)
				freeReplyObject(redisCommand(
					ack, "LPUSH ct:a:%b %s", at + 14, (size_t)64, id));
			freeReplyObject(reply);
		}
		_exit(0);
	}
	while (now <= before) {
		reply = redis_ask(r, "PUBSUB NUMSUB ct:keys");
		now = (int)reply->element[1]->integer;
		freeReplyObject(reply);
		usleep(1000);
	}
	return pid;
}

static inline void sensor_stop(const struct redis *r, pid_t pid)
{
	redisReply *reply = redis_ask(r, "PUBSUB NUMSUB ct:keys");
	int before = (int)reply->element[1]->integer, now = before;

	freeReplyObject(reply);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	while (now >= before) {
		reply = redis_ask(r, "PUBSUB NUMSUB ct:keys");
		now = (int)reply->element[1]->integer;
		freeReplyObject(reply);
		usleep(1000);
	}
}
