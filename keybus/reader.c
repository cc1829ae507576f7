/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a hostile or broken server may make hiredis allocate is bounded here: the bytes of a reply by
 * the reader's buffer, which is made once and never grows (so no copy of a secret stays behind in the
 * heap), its elements by our own hooks. An array's length is checked before there is one.
 */
#include "keybus/reader.h"

#include <errno.h>
#include <hiredis/sds.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>

#define ELEMENT_COST 64 /* at least what hiredis takes for one */

struct reader {
	redisReader *hiredis;
	redisReplyObjectFunctions make; /* hiredis's, bounded */
	const redisReplyObjectFunctions *made_by;
	size_t budget; /* what the reply at hand may still take */
};

static bool spend(const redisReadTask *task, size_t n)
{
	struct reader *r = task->privdata;

	if (n > r->budget)
		return false;
	r->budget -= n;
	return true;
}

static const redisReplyObjectFunctions *maker(const redisReadTask *task)
{
	const struct reader *r = task->privdata;

	return r->made_by;
}

static void *make_string(const redisReadTask *task, char *s, size_t len)
{
	return spend(task, ELEMENT_COST + len) ? maker(task)->createString(task, s, len) : NULL;
}

static void *make_array(const redisReadTask *task, int n)
{
	if (n < 0 || n > READER_ARRAY_MAX ||
		!spend(task, ELEMENT_COST + (size_t)n * sizeof(void *)))
		return NULL;
	return maker(task)->createArray(task, n);
}

static void *make_integer(const redisReadTask *task, long long v)
{
	return spend(task, ELEMENT_COST) ? maker(task)->createInteger(task, v) : NULL;
}

static void *make_nil(const redisReadTask *task)
{
	return spend(task, ELEMENT_COST) ? maker(task)->createNil(task) : NULL;
}

static void cleanse(redisReply *r)
{
	if (r->str)
		OPENSSL_cleanse(r->str, r->len);
	for (size_t i = 0; r->element && i < r->elements; i++)
		if (r->element[i])
			cleanse(r->element[i]);
}

void reader_reply_free(redisReply *r)
{
	if (!r)
		return;
	cleanse(r);
	freeReplyObject(r);
}

static void free_made(void *reply)
{
	reader_reply_free(reply);
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	if (r->hiredis && r->hiredis->buf)
		OPENSSL_cleanse(r->hiredis->buf, sdsalloc(r->hiredis->buf));
	if (r->hiredis)
		redisReaderFree(r->hiredis);
	free(r);
}

struct reader *reader_new(void)
{
	struct reader *r = calloc(1, sizeof(*r));
	sds room = NULL;

	if (!r)
		return NULL;
	r->make = (redisReplyObjectFunctions){ make_string, make_array, make_integer, make_nil,
		free_made };
	r->budget = READER_MAX;
	r->hiredis = redisReaderCreate();
	if (r->hiredis)
		room = sdsMakeRoomFor(r->hiredis->buf, READER_MAX + 2 * READER_FEED_MAX);
	if (!room) {
		reader_free(r);
		return NULL;
	}
	r->hiredis->buf = room;
	r->hiredis->maxbuf = 0; /* it stays */
	r->made_by = r->hiredis->fn;
	r->hiredis->fn = &r->make;
	r->hiredis->privdata = r;
	return r;
}

int reader_feed(struct reader *r, const void *data, size_t len)
{
	if (r->hiredis->len > READER_MAX || len > READER_FEED_MAX)
		return -EMSGSIZE;
	return redisReaderFeed(r->hiredis, data, len) == REDIS_OK ? 0 : -ENOMEM;
}

int reader_next(struct reader *r, redisReply **out)
{
	void *reply = NULL;

	*out = NULL;
	if (redisReaderGetReply(r->hiredis, &reply) != REDIS_OK)
		return -EBADMSG;
	if (r->hiredis->buf)
		OPENSSL_cleanse(r->hiredis->buf, r->hiredis->pos);
	if (reply)
		r->budget = READER_MAX;
	*out = reply;
	return 0;
}
