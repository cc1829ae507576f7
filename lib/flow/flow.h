/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/wheel.h"
#include "decode/pkt.h"
#include "flow/ends.h"
#include "flow/reasm.h"

struct session;

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
 * One TCP connection. Index e of every pair means "sent by endpoint e of the key". Two cache lines, which
 * the table aligns, and every packet touches; the rest is in struct conn_rest.
 */
struct conn {
	struct ends_brief ends; /* flow_key() */
	struct session *tls;    /* the TLS session, once recognised; owned by the pipeline */
	uint64_t last_ns;
	uint64_t bytes[2];    /* wire bytes of frames */
	uint32_t packets[2];  /* at most UINT32_MAX */
	uint8_t state : 4;    /* enum conn_state */
	uint8_t tls_ends : 2; /* bit e: endpoint e has begun to speak TLS */
	uint8_t resyn : 2;    /* bit e: endpoint e sent the SYN of resyn_seq */
	uint8_t initiator;    /* endpoint that sent the SYN, or END_UNKNOWN */
	uint8_t client : 4;   /* endpoint that sent the ClientHello, or END_UNKNOWN */
	uint8_t closer : 4; /* endpoint whose FIN came first, or whose RST closed it, or END_UNKNOWN */
	bool second : 1;    /* it lives in the second of its two buckets */
	bool looked_up : 1;   /* secrets bound to its tuple were looked for */
	bool valued : 1;      /* keys are known: never evicted for a newcomer */
	bool reused : 1;      /* its ports were taken by a new connection */
	bool reset : 1;       /* an RST closed it */
	bool late : 1;        /* it is on the pipeline's list of those that wait for a key */
	uint8_t tcp_flags[2]; /* every flag seen */
	uint8_t sniff_len[2]; /* of conn_rest.sniff */

	struct reasm dir[2];
};

/** Bytes of a hello that are kept until it can be told from anything else. */
#define CONN_SNIFF 10

/** What is only told of a connection. */
struct conn_birth {
	uint64_t id; /* never reused within a run */
	uint64_t first_ns;
};

/** What few packets of few connections touch: else its pages are never paid for. */
struct conn_rest {
	uint32_t resyn_seq; /* of the last SYN that may begin a new connection */
	uint8_t sniff[2][CONN_SNIFF];
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
	struct ends_look ends;
	struct conn *guess; /* the connection that it is likely to be, or NULL */
};

/** Where is this packet to be looked for? Starts loading the bucket. @param l  Set. */
void flow_look(const struct flow *f, const struct pkt *p, struct flow_look *l);

/**
 * Some time after flow_look(): start loading the first line of the connection that it is likely to be.
 * @return that connection, not to be relied on; NULL if there is none.
 */
struct conn *flow_peek(const struct flow *f, struct flow_look *l);

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

/** The connection of a packet, as it is; NULL if there is none. */
struct conn *flow_find(const struct flow *f, const struct pkt *p, const struct flow_look *l);

/** The endpoints of a connection. */
struct flow_key flow_key(const struct flow *f, const struct conn *c);

/** Both live as long as the connection. */
const struct conn_birth *flow_birth(const struct flow *f, const struct conn *c);
struct conn_rest *flow_rest(const struct flow *f, const struct conn *c);

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
