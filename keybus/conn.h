/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <hiredis/hiredis.h>
#include <stddef.h>
#include <stdint.h>

#include "keybus/access.h"
#include "keybus/reader.h"
#include "keybus/uri.h"

/** Most commands that may wait to be sent, in bytes. */
#define CONN_QUEUE_MAX (256u << 10)

/**
 * One connection to one Redis server: commands go into a queue, replies come out in the order of the
 * commands. Nothing here waits unless it has a deadline; what crosses it is cleansed.
 * Deadlines are of conn_now_ns().
 */
struct conn;

/** An argument of a command. */
struct conn_arg {
	const void *data;
	size_t len;
};

/** The monotonic clock. */
uint64_t conn_now_ns(void);

/**
 * Does not connect. The server's name, if it is known by one, begins to be looked up.
 * @param a  Kept until conn_free().
 * @return NULL: no memory.
 */
struct conn *conn_new(const struct uri *u, const struct access *a);
void conn_free(struct conn *c);

/** Wait for the server's address until @p deadline_ns; without one conn_open() goes on waiting. */
void conn_find(struct conn *c, uint64_t deadline_ns);

/**
 * Begin to connect, if there is no connection. A name is looked up again whenever its addresses have been
 * used: they serve meanwhile, and if it is not found any more.
 * @return 0 or -errno.
 */
int conn_open(struct conn *c);

/** Drop the connection without a word, and all that was queued. */
void conn_close(struct conn *c);

/** The same in a child process, of a connection that another thread may have been in the middle of. */
void conn_forget(struct conn *c);

/** Whether the descriptor is still ours, or the host has closed it. */
bool conn_is_ours(const struct conn *c);

/** Whether conn_open() has been called, and the connection not been lost since. */
bool conn_is_open(const struct conn *c);

/** Whether all commands have been written. */
bool conn_is_flushed(const struct conn *c);

/**
 * Go on connecting, logging in and sending, as far as it goes without waiting.
 * @return 0: logged in and all sent; -EAGAIN: poll; else the connection is lost and closed:
 *         -EACCES if the server refused the login, -EKEYREJECTED if we refused its certificate,
 *         -EHOSTUNREACH if its name has no address.
 */
int conn_work(struct conn *c);

/** The same, waiting until @p deadline_ns. @return also -ETIMEDOUT: still open. */
int conn_ready(struct conn *c, uint64_t deadline_ns);

/** What to wait for after -EAGAIN. */
struct pollfd;
void conn_poll(const struct conn *c, struct pollfd *p);

/** Bytes that commands may still take; the length that they have, and some for each word. */
size_t conn_room(const struct conn *c);

/** Queue a command, once logged in. @return 0; -ENOBUFS: no room, nothing is queued. */
int conn_command(struct conn *c, const struct conn_arg *argv, int argc);

/**
 * Take a reply.
 * @param out  Yours, for reader_reply_free().
 * @return 0; -EAGAIN: none yet; else the connection is lost and closed.
 */
int conn_reply(struct conn *c, redisReply **out);

/** The same, sending and waiting until @p deadline_ns. @return also -ETIMEDOUT: still open. */
int conn_await(struct conn *c, redisReply **out, uint64_t deadline_ns);

/**
 * First word of the error that an -EACCES came with, as "WRONGPASS"; what is the matter with the server's
 * name; or "". Nothing secret.
 */
const char *conn_refusal(const struct conn *c);

const struct uri *conn_uri(const struct conn *c);

/** First word of an error reply, made of capitals: the rest may repeat arguments. @return @p out. */
const char *conn_error_word(const redisReply *r, char *out, size_t size);
