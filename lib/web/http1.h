/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/verdict.h"
#include "tls/text.h"
#include "web/head.h"
#include "web/pairs.h"

/** Bytes of a line that lies in more than one text; what is longer is cut off. */
#define HTTP1_LINE_MAX 8192
/** Bytes of the head of a message, or of its trailer. */
#define HTTP1_HEAD_MAX 262144

struct http1_cfg {
	uint32_t max_conns;     /* connections that speak HTTP/1 */
	uint32_t max_exchanges; /* transactions under way */
	uint32_t max_lines;     /* directions within a line of a head */
};

/** What the connections of one thread share: memory, and where transactions go. */
struct http1_env {
	struct pool conns;
	struct pool lines;
	struct pairs_env pairs;
	uint64_t refused; /* connections, messages and lines for which there was no room */
};

/** Where a direction is. */
enum http1_at {
	HTTP1_START, /* before a start line */
	HTTP1_FIELDS,
	HTTP1_BODY,
	HTTP1_SIZE, /* before a chunk's size */
	HTTP1_CHUNK,
	HTTP1_CHUNK_END, /* before the line end after a chunk */
	HTTP1_TRAILER,
	HTTP1_UNTIL_CLOSE,
	HTTP1_LOST, /* somewhere: a message is looked for at the beginning of each text */
};

struct http1_dir {
	uint64_t left;     /* bytes of the body or chunk */
	uint64_t last_ns;  /* of the last text, */
	uint64_t start_ns; /* of the one that the message under way began in, */
	uint64_t idle_ns;  /* and of the one before that */
	uint8_t *line;     /* the line under way, of http1_env.lines; NULL: it is not kept */
	uint32_t head_len;
	uint16_t line_len;
	uint8_t at;   /* enum http1_at */
	bool known;   /* there was a message, or its beginning was missed */
	bool interim; /* the message under way is a response before the final one */
	struct head head;
};

/** HTTP/1 of one connection. */
struct http1 {
	struct http1_dir dir[2]; /* by enum tls_dir */
	struct pairs pairs;
	bool other; /* this is another protocol, or has changed to one */
};

size_t http1_bytes(const struct http1_cfg *cfg);

/**
 * @param mem   http1_bytes() bytes of zeros, aligned to 64; holds plaintext. Kept.
 * @param done  Called for every transaction that is over; the transaction is borrowed.
 */
void http1_init(struct http1_env *env, void *mem, const struct http1_cfg *cfg,
	void (*done)(void *arg, const struct txn *t), void *arg);

/** May a connection whose first text is this one speak HTTP/1? Any text after a hole may be one. */
bool http1_likely(const struct text *t);

/**
 * @param t  Its first text, which is not yet used.
 * @return NULL: there is no room, which is counted.
 */
struct http1 *http1_new(struct http1_env *env, const struct text *t);

/**
 * Read on in one direction. The head of a message is read byte by byte, its body is passed over.
 *
 * What is not understood (RFC 9112, section 6.3: a length that contradicts itself, ...) is dealt with
 * as a hole: the message is cut, and the direction lost. After a hole a message is trusted that begins
 * at the beginning of a text, with all of its head in it.
 *
 * @param t  Borrowed; in order; ts_ns is the time that transactions get.
 * @return V_OK; V_STOPPED: this is not HTTP/1, or no longer; all that is known has been given.
 *
 * Context: one thread for all that share @p env; no allocation, no lock.
 */
enum verdict http1_text(struct http1_env *env, struct http1 *h, const struct text *t);

/** Text of a direction is missing. http1_text() says so itself for text.after_gap. */
void http1_gap(struct http1_env *env, struct http1 *h, enum tls_dir d);

/**
 * The connection is over: give what is left, and its memory back.
 * @param closed  In order: content that ends with the connection is whole.
 */
void http1_free(struct http1_env *env, struct http1 *h, bool closed);
