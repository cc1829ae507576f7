/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/meta.h"
#include "web/http1.h"

struct conn;
struct pipeline;

/** What one worker reads of application protocols: transactions, from the text of its connections. */
struct web {
	struct http1_env http1;
	uint32_t *conns;         /* by flow_index(); what the numbers mean: web.c */
	const struct conn *conn; /* that is read just now */
};

size_t web_bytes(const struct http1_cfg *cfg, uint32_t max_conns);

/** @param mem  web_bytes() bytes of zeros, aligned to 64, for plaintext: not dumped. Kept. */
void web_init(struct pipeline *pl, void *mem, const struct http1_cfg *cfg, uint32_t max_conns);

/**
 * Events of the data path. A connection is tried whose ALPN is http/1.x or unknown, and whose first
 * bytes are those of a request or response; after a hole, any text may begin with one. What is found goes
 * to tell_txn().
 */
void web_tls(struct pipeline *pl, const struct conn *c, const struct tls_meta *m);
void web_text(struct pipeline *pl, const struct conn *c, const struct text *t);
void web_gap(struct pipeline *pl, const struct conn *c, enum tls_dir d);

/** @param closed  By FIN: what ends with the connection is whole. */
void web_end(struct pipeline *pl, const struct conn *c, bool closed);
