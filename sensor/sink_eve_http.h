/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "sink.h"
#include "web/txn.h"

struct eve_http;

/**
 * The HTTP transactions of connections that speak HTTP/1, for `http` records: chosen by ALPN and by
 * the first bytes of text.
 *
 * @param max_conns  conn_view.index is below this.
 * @param emit       A transaction is over; both are borrowed.
 * @return NULL: no memory; said on stderr.
 *
 * Context: the thread that all sinks run in.
 */
struct eve_http *eve_http_new(uint32_t max_conns,
	void (*emit)(void *arg, const struct conn_view *v, const struct txn *t), void *arg);
void eve_http_free(struct eve_http *h);

/** Events of struct sink_ops. */
void eve_http_tls(struct eve_http *h, const struct conn_view *v, const struct tls_meta *m);
void eve_http_text(struct eve_http *h, const struct conn_view *v, const struct text *t);
void eve_http_end(struct eve_http *h, const struct conn_view *v, enum conn_end why);

/** @param bytes  Of text, that are missing; HTTP1_UNKNOWN: who knows. */
void eve_http_gap(struct eve_http *h, const struct conn_view *v, int dir, uint64_t bytes);
