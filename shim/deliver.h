/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "shim/settings.h"
#include "shim/shake.h"

/**
 * Get ready to send keys; nothing is connected yet.
 * @param s    Borrowed, its texts too.
 * @param why  On failure: what is wrong, and what to do.
 * @return 0 or -errno.
 */
int deliver_begin(const struct settings *s, char *why, size_t why_size);

/**
 * Send what is known of a handshake, and wait for the acknowledgement that was asked for.
 *
 * It is counted; the first of several failures of one kind, and the end of failing, are reported.
 * @return whether it was acknowledged as CLEARTAP_ACK wants it.
 *
 * Context: any thread. Takes CLEARTAP_HOLD_MS at most.
 */
bool deliver(const struct shake *s, const struct peer *peer);

/** In a child after fork(). */
void deliver_after_fork(void);
