/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keybus/access.h"
#include "keybus/uri.h"

#define PULL_FDS 65 /* most descriptors: a server has 2, a cluster one more than masters */

struct pull_cfg {
	const struct uri *uri; /* one server, or nodes of one cluster */
	int n_uri;
	const struct access *access; /* kept until pull_free() */
	const char *id; /* this sensor's name in acknowledgements, at most 63 bytes; kept */
	/**
	 * A payload has come. Borrowed; may hold secrets.
	 * @param client_random  Out: which connection it is for.
	 * @return true if its secrets are where those who need them find them: it is acknowledged.
	 */
	bool (*on_payload)(void *arg, const char *payload, size_t len, uint8_t client_random[32]);
	void *arg;
};

/** Counted by the one thread, read by any. */
struct pull_counts {
	uint64_t announced;    /* payloads that came on the channel */
	uint64_t acknowledged; /* of them, acknowledged */
	uint64_t unsaid;       /* acknowledgements for which there was no connection or no room */
	uint64_t asked;   /* looked for in Redis after a miss, or because it was there before us */
	uint64_t fetched; /* and found */
	uint64_t refused; /* commands that Redis answered with an error */
	uint64_t losses;  /* connections lost, or not made */
};

/**
 * The sensor's end of the key bus, for one server or one cluster: subscribes, hands payloads on, acknowledges, and
 * fetches what was missed. Lost connections are made again, after 0.1 s, then 0.2 s ... 5 s,
 * and the server's name is looked up again.
 *
 * Context: one thread; nothing here waits.
 */
struct pull;

/** Does not connect. @return NULL: no memory. */
struct pull *pull_new(const struct pull_cfg *cfg);
void pull_free(struct pull *p);

/**
 * What to wait for, but not for long: what is not urgent (what Redis says to
 * acknowledgements, the end of an idle connection) is seen at the next pull_work().
 * @return descriptors, at most @p max.
 */
int pull_fds(const struct pull *p, struct pollfd *fds, int max);

/** Go on with whatever can go on. Call when a descriptor is ready, and every 100 ms at least. */
void pull_work(struct pull *p);

/** Look for a payload in Redis. @return false: too many are being looked for, or no connection. */
bool pull_want(struct pull *p, const uint8_t client_random[32]);

/** Whether the subscription stands. */
bool pull_is_subscribed(const struct pull *p);

/** Why the last connection failed: a few words, nothing secret; or "". */
const char *pull_trouble(const struct pull *p);

const struct pull_counts *pull_counts(const struct pull *p);
