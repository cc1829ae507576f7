/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"
#include "decode/frag.h"
#include "flow/flow.h"
#include "keys/keytab.h"
#include "options.h"
#include "outputs.h"
#include "tls/env.h"
#include "web.h"

struct policy;

struct pipeline_cfg {
	struct flow_cfg flow;
	struct frag_cfg frag;
	struct tls_env_cfg tls;
	struct http1_cfg http1;
	uint32_t max_segs;   /* held segments a direction */
	uint32_t max_bytes;  /* held bytes a direction */
	uint32_t max_held;   /* held segments in total */
	uint32_t skew_ms;    /* a hole that was acknowledged is real after so long */
	uint32_t stuck_ms;   /* and any other hole, or wait, after so long */
	uint32_t late_ms;    /* bytes whose key is missing are kept for so long; 0: not at all */
	uint32_t late_bytes; /* and so many of them, of each direction */
	bool huge;           /* tables in large pages: faster when full, but used 2 MB at a time */
};

#define PIPELINE_LATE 256 /* connections that are looked after while they wait for a key */

/**
 * The data path of one worker: packet -> segment -> record -> text -> transaction, and sinks. The live worker and the
 * offline reader are two ways to feed it.
 */
struct pipeline {
	struct flow *flow;
	struct frag *frag;
	struct tls_env *tls;
	struct web web;
	struct reasm_keeper keeper; /* keep and drop are the source's */
	struct counters count;
	uint64_t now_ns; /* time of the latest packet */
	uint64_t seg_ns; /* of the one that brought the bytes that are read */
	uint32_t skew_ms;
	uint32_t stuck_ms;
	uint32_t late_ms;
	uint32_t late_bytes;
	uint32_t late_seen; /* version of the key table, and the time, at the last look at those: */
	uint32_t late_seen_ms;
	uint32_t n_late;
	struct conn *late[PIPELINE_LATE];
	struct outputs out;
	struct outputs_wants wants; /* pipeline_serve() */
	struct policy *const
		*policy; /* where the present one is to be found; NULL: all may be decrypted */
	struct {
		void *mem;
		size_t len;
	} block[5]; /* flow, frag, tls, held segments, web */
};

/** Configuration for reading files: generous budgets, timeouts in packet time. */
struct pipeline_cfg pipeline_offline_cfg(void);

/** Configuration of one live worker: memory is bounded, time is real. */
struct pipeline_cfg pipeline_live_cfg(void);

/** What the command line says of it, and a seed that nobody can foresee. */
void pipeline_configure(struct pipeline_cfg *cfg, const struct options *opt);

/**
 * Reserve all memory.
 * @param keys  Kept until pipeline_fini().
 * @return 0 or -errno; said on stderr.
 */
int pipeline_init(struct pipeline *pl, const struct pipeline_cfg *cfg, const struct keytab *keys);

/** Nothing is made that is not wanted. Before the first packet; what begins zeroed wants nothing. */
void pipeline_serve(struct pipeline *pl, struct outputs_wants wants);

/** Packets of one burst, with the source's half of struct pkt filled in. */
void pipeline_burst(struct pipeline *pl, struct pkt *pkts, int n);

/** End every connection, as the capture's end or a shutdown demands. */
void pipeline_finish(struct pipeline *pl);

void pipeline_fini(struct pipeline *pl);
