/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <hiredis/hiredis.h>
#include <stddef.h>

/** Longest reply that is taken, in bytes, all that belongs to it included. */
#define READER_MAX (128u << 10)
/** Most elements of an array in a reply. */
#define READER_ARRAY_MAX 1024
/** Most bytes that may be fed at once. */
#define READER_FEED_MAX 4096

/** hiredis's reader of replies, within bounds; what it held is cleansed. */
struct reader;

/** @return NULL: no memory. */
struct reader *reader_new(void);
void reader_free(struct reader *r);

/** @return 0; -EMSGSIZE: the reply at hand is too long; -ENOMEM. */
int reader_feed(struct reader *r, const void *data, size_t len);

/**
 * @param out  Yours, for reader_reply_free(); NULL: more bytes are needed.
 * @return 0; -EBADMSG: no reply, or one that is too large. Then nothing more will come.
 */
int reader_next(struct reader *r, redisReply **out);

/** Cleanse and free; NULL is fine. */
void reader_reply_free(redisReply *r);
