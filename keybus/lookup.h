/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

#include "keybus/stream.h"
#include "keybus/uri.h"

/** A server's addresses, without asking anybody. @return false: it is known by name. */
bool lookup_direct(struct stream_peer *peer, const struct uri *u);

/**
 * A host name that is being looked up. Who asks never waits longer than it wants to: the resolver, which
 * may take minutes, is waited for by a thread that ends with the answer, that no signal is delivered to, and
 * that needs nothing of who asked.
 */
struct lookup;

/** Begin. @return NULL: no memory, or no thread. */
struct lookup *lookup_new(const struct uri *u);

/** Wait until @p deadline_ns of the monotonic clock, or 0. @return whether there is an answer. */
bool lookup_wait(struct lookup *l, uint64_t deadline_ns);

/**
 * Take the answer.
 * @param peer  Out, on success.
 * @return 0; -EAGAIN: not yet; -EHOSTUNREACH: there is no address; -ESRCH: there will be no answer in this
 *         process, which is a child of the one that asked.
 */
int lookup_get(struct lookup *l, struct stream_peer *peer);

/** Let go of it, answered or not. May be NULL. */
void lookup_free(struct lookup *l);
