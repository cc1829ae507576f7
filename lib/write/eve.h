/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/verdict.h"
#include "flow/flow.h"
#include "tls/meta.h"
#include "web/txn.h"
#include "write/json.h"

/** Room that one record of any kind needs at most, however its strings are escaped. */
#define EVE_MAX 32768

/** What the records of one connection have in common. Borrowed during the call. */
struct eve {
	const struct conn *conn;
	uint64_t id; /* of the connection */
	uint64_t first_ns;
	const struct flow_key *key;
	int client;     /* endpoint of the key that is the client: "src" of every record */
	uint64_t ts_ns; /* of the event */
	bool is_tls;
	uint64_t text_bytes[2]; /* plaintext, by enum tls_dir */
	uint64_t records;       /* application-data records decrypted */
	uint64_t failed;        /* protected records that were not */
	enum verdict reason;    /* why not; V_OK if none failed */
};

/** A certificate in the words of EVE; an empty string where there is nothing to say. */
struct eve_cert {
	char subject[1024]; /* "C=US, O=..., CN=..." in the order of the certificate */
	char issuer[1024];
	char serial[192];    /* "0A:1B:.." */
	char not_before[24]; /* "2024-01-02T03:04:05" */
	char not_after[24];
	char sha1[60]; /* "0a:1b:.." */
	char sha256[96];
};

/** A named number of a `stats` record. */
struct eve_counter {
	const char *name;
	uint64_t value;
};

/**
 * One EVE record of Suricata 7's form as one line, newline included.
 *
 * @param w      With EVE_MAX bytes of room nothing is ever cut; only the length of `stats` is the
 *               caller's choice. A record that does not fit sets w->full and is to be discarded.
 * @param cert   NULL if there is none.
 * @param suite  IANA name; NULL: unknown.
 * @param dir    enum tls_dir.
 *
 * Context: any; no allocation, no lock.
 */
void eve_tls(struct wr *w, const struct eve *e, const struct tls_meta *m,
	const struct eve_cert *cert, const char *suite);
void eve_http(struct wr *w, const struct eve *e, const struct txn *t);
void eve_flow(struct wr *w, const struct eve *e, enum conn_end why);
void eve_anomaly(struct wr *w, const struct eve *e, int dir, enum verdict why, uint64_t missing);
void eve_stats(struct wr *w, uint64_t ts_ns, const struct eve_counter *c, uint32_t n);

#define EVE_TIME_LEN 32
/** UTC with microseconds: "2024-01-02T03:04:05.123456+0000". @param ts_ns  Since 1970. */
void eve_time(char out[EVE_TIME_LEN], uint64_t ts_ns);

#define EVE_VERSION_LEN 20
/** "TLS 1.2"; drafts as "TLS 1.3 draft-28"; "UNDETERMINED" for any other number. @return out. */
const char *eve_version(char out[EVE_VERSION_LEN], uint16_t version);
