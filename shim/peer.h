/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "keys/tuple.h"

/** "# tuple=" and two addresses with ports, a line feed, a 0. */
#define PEER_TEXT_MAX 128

/** The ends of a TCP connection as a tap sees them. */
struct peer {
	bool known; /* else the rest is 0 */
	struct tuple_end client;
	struct tuple_end server;
};

/**
 * Ask the kernel who is connected to a descriptor.
 *
 * @param fd      May be -1, closed, or no TCP socket: then nothing is known.
 * @param server  This process is the server of the connection.
 */
void peer_of(struct peer *out, int fd, bool server);

/** The comment line of a key log. @return its length; 0 if nothing is known. */
size_t peer_text(const struct peer *p, char out[PEER_TEXT_MAX]);
