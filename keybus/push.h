/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** What push_send() waits for: that a sensor has it, that Redis has it, nothing. */
enum push_ack { PUSH_ACK_SENSOR, PUSH_ACK_CACHE, PUSH_ACK_NONE };

/** Strings are borrowed during push_new(). */
struct push_cfg {
	const char *servers; /* uri_list(); several: one a connection, the next if it is down */
	const char *ca, *cert, *key; /* struct access_cfg */
	const char *password_file;
	const char *password; /* if there is no file; NULL: of the environment */
	const char *seal;     /* the sensor's public key, a PEM file; NULL: plain text */
	enum push_ack ack;
	uint32_t acks;    /* sensors that must acknowledge, 1 to 16 */
	uint32_t hold_ms; /* longest that push_send() takes */
	uint32_t ttl_s;   /* how long Redis keeps a payload */
};

enum push_result {
	PUSH_ACKED,   /* acknowledged by so many sensors */
	PUSH_STORED,  /* Redis has it (or, with PUSH_ACK_NONE, it was sent) */
	PUSH_TIMEOUT, /* sent, but not acknowledged in time; or nobody subscribes: known at once */
	PUSH_DOWN,    /* no connection; or the breaker is open: nothing was waited for */
	PUSH_REFUSED, /* Redis answered with an error, or the text cannot be sent */
};

/** The endpoint's end of the key bus; one a process. */
struct push;

/**
 * Read key files and begin to look up names of servers, which takes 20 ms at most; does not connect.
 * @param why  On failure: what, and what to do; no secret.
 * @return 0 or -errno.
 */
int push_new(struct push **out, const struct push_cfg *cfg, char *why, size_t why_size);

/**
 * Store, announce and wait, at most hold_ms in all, connecting included.
 *
 * A server whose name is not found, that cannot be reached, or says nothing for 3 s, is left alone for a second, then 2, 4 ... 30:
 * until then the call returns at once. One that is only slow, or whose sensors are, gets all that is
 * pushed; after waits in vain of 20 ms in a row nothing is waited for during four times as long as was
 * waited, at most a second, so that the pauses are most of the time.
 *
 * @param text  Key-log lines of one connection, @p len bytes; borrowed.
 *
 * Context: any thread; one at a time is served, and waiting for its turn is part of hold_ms: when it does
 * not come, the keys are sent by who has it, and the result is PUSH_TIMEOUT. Raises no signal, keeps errno and OpenSSL's error queue, writes nothing to any standard stream.
 */
enum push_result push_send(
	struct push *p, const uint8_t client_random[32], const char *text, size_t len);

/**
 * In the child: forget the connections without a word on the wire. push_send() notices by itself
 * when it runs in another process; this is for who wants the descriptors closed sooner.
 */
void push_after_fork(struct push *p);

void push_free(struct push *p);
