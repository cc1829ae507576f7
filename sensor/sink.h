/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/verdict.h"
#include "flow/flow.h"
#include "tls/meta.h"
#include "tls/text.h"
#include "web/txn.h"

struct eve_counter;

/** What one connection came to; what every sink is told with each event. */
struct conn_view {
	const struct conn *conn;
	struct flow_key key;
	uint64_t id; /* of the connection, never reused within a run */
	uint64_t first_ns;
	uint32_t index;   /* dense: for tables beside the connection table */
	uint64_t ts_ns;   /* time of the packet that caused the event */
	uint16_t version; /* as in struct tls_meta */
	uint16_t suite;
	bool is_tls;            /* a ClientHello or ServerHello was seen */
	uint64_t text_bytes[2]; /* application data decrypted, by enum tls_dir */
	uint64_t records[2];    /* application-data records decrypted */
	uint64_t failed[2];     /* protected records that were not */
	enum verdict reason;    /* why not, the first time; V_OK if nothing failed */
};

/**
 * What a sink is made of; one const vtable each, listed in sink.c. All run in one thread. Events
 * that a sink does not care for are NULL; open and close never are.
 */
struct sink_ops {
	const char *scheme; /* "digest" of --out digest:ARG */
	const char *arg;    /* "FILE|-": for --help */
	const char *help;   /* one line */
	/**
	 * @param arg        What follows the colon; kept until close.
	 * @param max_conns  conn_view.index is below this.
	 * @param out        Set to the sink.
	 * @return 0 or -errno; the reason has then been said on stderr.
	 */
	int (*open)(const char *arg, uint32_t max_conns, void **out);
	/** The handshake is over (or the connection is, before that). At most once a connection. */
	void (*tls)(void *sink, const struct conn_view *v, const struct tls_meta *m);
	/** It shows fingerprints and certificates: else nobody makes them. */
	bool prints;
	/** Verified application data, in order. */
	void (*text)(void *sink, const struct conn_view *v, const struct text *t);
	/** An HTTP transaction, or as much as was seen of it; borrowed. */
	void (*txn)(void *sink, const struct conn_view *v, const struct txn *t);
	/** Something that a person should hear of. @param missing  Bytes lost, if any. */
	void (*anomaly)(
		void *sink, const struct conn_view *v, int dir, enum verdict why, uint64_t missing);
	/** Verified text of @p bytes was lost on its way to the sinks, for they were too slow. */
	void (*missed)(void *sink, const struct conn_view *v, int dir, uint64_t bytes);
	/** The connection is let go: the last event of it. TCP connections without TLS too. */
	void (*end)(void *sink, const struct conn_view *v, enum conn_end why);
	/** The counters of the run, now and then and at its end. */
	void (*stats)(void *sink, uint64_t ts_ns, const struct eve_counter *c, uint32_t n);
	/** About once a second: what is in buffers goes on. NULL: no buffers. */
	void (*tick)(void *sink);
	/** Add bytes that are lost, live, to *lost. Kept until close. NULL: loses none. */
	void (*meter)(void *sink, uint64_t *lost);
	/** The file may have been renamed: go on in a new one of the name. NULL: not of this kind. */
	int (*reopen)(void *sink);
	/**
	 * Write everything out and free the sink.
	 * @return 0 or -errno of the first write that failed, said once.
	 */
	int (*close)(void *sink);
};

/** Every sink of this build, by name; ends with NULL. */
extern const struct sink_ops *const sinks[];

extern const struct sink_ops sink_digest;
extern const struct sink_ops sink_raw;
extern const struct sink_ops sink_eve;
extern const struct sink_ops sink_unix;
extern const struct sink_ops sink_pcap;
extern const struct sink_ops sink_table;

/** Text forms of endpoints that every sink shares: "192.0.2.1:443", "[2001:db8::1]:443". */
#define ENDPOINT_MAX 64
void sink_endpoint(char out[ENDPOINT_MAX], const struct flow_key *key, int end);

/** The client's endpoint: the sender of the ClientHello, else the sender of the SYN, else 0. */
int sink_client(const struct conn *c);
