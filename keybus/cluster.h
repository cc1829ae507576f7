/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

#include "keybus/uri.h"

#define CLUSTER_SLOTS 16384
#define CLUSTER_NODES 64 /* masters that are known at once */
#define CLUSTER_HOPS 5   /* redirections that are followed for one key */

/**
 * Which node of a Redis Cluster has which slot. Data only: who has connections asks and tells.
 * Nodes keep their numbers; they are added, never taken away.
 */
struct cluster {
	int n;
	struct uri node[CLUSTER_NODES];
	bool loaded;
	uint64_t asked_ns; /* when the map was last asked for */
	uint8_t owner[CLUSTER_SLOTS];
};

/** Where an error sends us. */
struct cluster_redirect {
	bool ask; /* this once only, after ASKING */
	int node;
	uint16_t slot;
};

/** Begin with the nodes that are known by name. @param n  At most URI_MAX. */
void cluster_init(struct cluster *c, const struct uri *seeds, int n);

/** The slot of both keys of a connection: CRC16 of its client_random in hexadecimal. */
uint16_t cluster_slot(const uint8_t client_random[32]);

/** The node of a slot. Before the map is known: any, which will say better. */
int cluster_owner(const struct cluster *c, uint16_t slot);

/**
 * Take the answer to CLUSTER SLOTS.
 * @param from  The node that gave it.
 * @return whether it was one. What is malformed in it is passed over.
 */
bool cluster_load(struct cluster *c, const redisReply *r, int from);

/**
 * Take "MOVED <slot> <host>:<port>" or "ASK ..."; MOVED changes the map.
 * @param from  The node that said it.
 * @return false: it is another error, or names a node that there is no room for.
 */
bool cluster_follow(struct cluster *c, const redisReply *r, int from, struct cluster_redirect *out);

/** Whether to ask for the map now: it is not known or doubtful, and was not asked for lately. */
bool cluster_wants_map(struct cluster *c, uint64_t now_ns, bool doubtful);
