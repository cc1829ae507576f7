/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/wheel.h"
#include "decode/pkt.h"
#include "flow/reasm.h"

struct session;

/** Both endpoints of a connection, the lower one first, so that both directions have one key. */
struct flow_key {
	uint8_t addr[2][16]; /* network order; IPv4 in the first 4 bytes, the rest 0 */
	uint16_t port[2];    /* host order */
	uint8_t addr_len;    /* 4 or 16 */
	uint8_t pad[3];      /* 0 */
};

/** Endpoint index that is not known yet. */
#define END_UNKNOWN 2

enum conn_state {
	CONN_NEW,         /* a SYN, or nothing but ACKs */
	CONN_ESTABLISHED, /* payload went by */
	CONN_CLOSED,      /* FIN both ways, or RST */
};

/** Why a connection was let go. */
enum conn_end { END_FIN, END_RST, END_TIMEOUT, END_EVICTED, END_REUSED, END_CAPTURE };

/**
 * One TCP connection. Index e of every pair means "sent by endpoint e of the key". What every packet
 * touches comes first, in three cache lines: the table keeps connections aligned to them.
 */
struct conn {
	struct flow_key key;
	uint32_t hash;
	uint8_t state;        /* enum conn_state */
	uint8_t initiator;    /* endpoint that sent the SYN, or END_UNKNOWN */
	uint8_t client;       /* endpoint that sent the ClientHello, or END_UNKNOWN */
	uint8_t tls_ends;     /* bit e: endpoint e has begun to speak TLS */
	struct session *tls;  /* the TLS session, once recognised; owned by the pipeline */
	uint8_t tcp_flags[2]; /* every flag seen */
	uint8_t resyn;        /* bit e: endpoint e sent a SYN that may begin a new connection */
	bool second;          /* it lives in the second of its two buckets */
	bool looked_up;       /* secrets bound to its tuple were looked for */
	bool valued;          /* keys are known: never evicted for a newcomer */
	bool reused;          /* its ports were taken by a new connection */
	bool late;            /* it is on the pipeline's list of those that wait for a key */
	struct reasm dir[2];
	uint64_t last_ns;
	uint64_t first_ns;
	uint64_t packets[2];
	uint64_t bytes[2]; /* wire bytes of frames */
	uint64_t id;       /* never reused within a run */

	uint8_t sniff[2][16]; /* first bytes of a possible hello that is still incomplete */
	uint8_t sniff_len[2];
	uint8_t acked
		[2]; /* the other end has the bytes of this end's hole: 1 + segments since then */
	uint32_t isn[2]; /* initial sequence number, if a SYN was seen */
	uint32_t resyn_seq[2];
	uint32_t stuck[2];    /* sequence number that this end's stream waits at... */
	uint32_t stuck_ms[2]; /* ...and since when, or since when it is acknowledged */
};

struct flow_cfg {
	uint32_t max_conns;
	uint32_t idle_ms;   /* established, without a packet */
	uint32_t new_ms;    /* without payload */
	uint32_t closed_ms; /* after FIN or RST: late packets still find it */
	uint64_t seed;      /* of the hash; random in production */
};

struct flow;

/** Bytes of memory for a table of this configuration. */
size_t flow_bytes(const struct flow_cfg *cfg);

/**
 * @param mem  flow_bytes() bytes of zeros, aligned to 64; kept until the table is no longer used.
 *             Pages of connections that never existed are not touched.
 */
struct flow *flow_init(void *mem, const struct flow_cfg *cfg);

/** A packet's place in the table, worked out ahead of flow_get(). */
struct flow_look {
	struct flow_key key;
	uint32_t hash;
	int end; /* the endpoint (0 or 1) that sent the packet */
};

/** Where is this packet to be looked for? Starts loading the bucket. @return the look. */
struct flow_look flow_look(const struct flow *f, const struct pkt *p);

/**
 * Some time after flow_look(): start loading the connection that it is likely to be.
 * @return a connection, not to be relied on but to load more by; NULL if there is none.
 */
const struct conn *flow_peek(const struct flow *f, const struct flow_look *l);

/**
 * Find the connection of a segment, or make one, and account the packet to it.
 *
 * @param l    Of this packet.
 * @param old      Set to a connection that must be closed before this one can be used on: the
 *                 predecessor of a reused port pair, or the victim when the table is full. The caller
 *                 finishes it and calls flow_del(), then calls flow_get() again.
 * @return the connection, or NULL: *old tells whether to try again; if that is NULL too, the packet
 *         is a lone RST or the table is full beyond help.
 *
 * Context: worker; no allocation, no lock.
 */
struct conn *flow_get(
	struct flow *f, const struct pkt *p, const struct flow_look *l, struct conn **old);

/** Forget a connection whose holds and session the caller has released. */
void flow_del(struct flow *f, struct conn *c);

/**
 * A connection that timed out by @p now_ns; the caller finishes it and calls flow_del().
 * @return NULL when no more is due.
 */
struct conn *flow_expired(struct flow *f, uint64_t now_ns);

/** Any connection, for the end of the run; NULL when the table is empty. */
struct conn *flow_any(struct flow *f);

/** Dense index of a connection, below cfg.max_conns: for tables beside this one. */
uint32_t flow_index(const struct flow *f, const struct conn *c);

/** Connections in the table now, and the most there ever were. */
uint32_t flow_count(const struct flow *f);
uint32_t flow_peak(const struct flow *f);
