/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "web/txn.h"

/** Requests without a response yet, and responses without a request, of one connection at once. */
#define PAIRS_MAX 32

/** A transaction under way, of pairs_env.pool. */
struct exchange {
	struct txn t;
	struct exchange *next;
	uint64_t idle_ns;  /* of the response: its direction's last text before it */
	bool over[2];      /* by enum tls_dir: nothing more will come */
	bool after_gap[2]; /* messages may be missing before this one */
	bool expects;      /* the request allows for an interim response */
	bool unanswered;   /* the beginning of its response is in a hole */
	bool heads;        /* a response whose request is not yet sure, but likely HEAD */
};

/** What the connections of one thread share. */
struct pairs_env {
	struct pool pool; /* struct exchange */
	/** A transaction is over; borrowed. */
	void (*done)(void *arg, const struct txn *t);
	void *arg;
};

struct exchange_queue {
	struct exchange *first, *last;
	uint32_t n;
};

/**
 * Which response answers which request of a connection.
 *
 * Without loss the n-th answers the n-th, in whatever order the two directions are seen. After a hole
 * the count is unknown. Then a response answers a request if it is the only one that was sent since the
 * server was last heard, as packet times tell; any that cannot be matched so is given apart. Is the hole
 * right before the response, then no request may be missing up to the next one, either: that response
 * waits for it. From such a match on, counting is right again.
 */
struct pairs {
	struct exchange *msg[2];         /* the messages under way, by enum tls_dir */
	struct exchange_queue asked;     /* requests without a response */
	struct exchange_queue unclaimed; /* responses without a request */
	uint32_t given;
	uint32_t
		ahead; /* if not `sure`: so many of `asked` are from before the hole, and do count */
	bool after_gap[2]; /* of the next message */
	bool sure;         /* the next response answers the first of `asked`, or the next request */
	bool holed;        /* there was a hole: packet times count, too */
	bool pipelines;    /* the client was seen to send requests before the response to others */
	bool answered;     /* there was a response */
};

/** @param whole  Both directions are seen from their beginning. */
void pairs_init(struct pairs *p, bool whole);

/**
 * A request begins, at time @p ns: it becomes msg[C2S].
 * @return NULL: there is no room; nothing has changed.
 *
 * Context: one thread for all that share @p env; here and below, pairs_env.done may be called.
 */
struct exchange *pairs_request(struct pairs_env *env, struct pairs *p, uint64_t ns);

/**
 * A response begins, the final one: it becomes msg[S2C], with its request in it if that is known.
 * @param idle_ns  When the server was last heard before.
 * @return NULL: there is no room; nothing has changed.
 */
struct exchange *pairs_response(
	struct pairs_env *env, struct pairs *p, uint64_t ns, uint64_t idle_ns);

/** The message under way in a direction is over. */
void pairs_over(struct pairs_env *env, struct pairs *p, enum tls_dir d);

/**
 * Bytes of a direction are missing, or not understood: the message under way ends, cut, and others may
 * be missing.
 * @param interim  An interim response was under way.
 */
void pairs_gap(struct pairs_env *env, struct pairs *p, enum tls_dir d, bool interim);

/** No more messages: everything is given. */
void pairs_end(struct pairs_env *env, struct pairs *p);
