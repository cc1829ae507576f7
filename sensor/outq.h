/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outputs.h"

struct outq_told;

/**
 * Events on their way from one worker to the sink thread: a ring of bytes, one writer, one reader, no
 * lock. Each event is a value: the view of the connection, and the text or handshake that it tells of.
 *
 * A ring that is full costs the event, which is counted, never the packet. A half of it is kept for
 * more than anomalies and connections without TLS, which a flood has no end of; a quarter for the last
 * words on TLS connections, because sinks tidy up at those. If even they are lost, the reader
 * says them before the next connection of that index; lost text it tells of as missed.
 */
struct outq {
	/* both sides; constant */
	uint8_t *mem;
	uint64_t size;
	uint32_t first_index; /* added to conn_view.index, so that it is unique over workers */
	uint32_t max_conns;
	uint32_t id_step; /* conn.id is made unique by id * id_step + id_first */
	uint32_t id_first;

	/* the worker */
	alignas(64) uint64_t head; /* bytes ever written */
	uint64_t seen_tail;
	uint64_t dropped; /* events; read by others as it is */
	bool patient;     /* wait for room: the worker is done with packets */

	/* the sink thread */
	alignas(64) uint64_t tail; /* bytes ever read */
	struct outq_told *told;    /* by index */
};

/** The worker's side, as the one sink of its pipeline; the sink is the struct outq. */
extern const struct sink_ops outq_ops;

/** Bytes of memory for a ring of @p size; a table by connection follows it, touched where used. */
size_t outq_bytes(size_t size, uint32_t max_conns);

/**
 * @param mem      outq_bytes() bytes of zeros, aligned to 64, for plaintext: not dumped; kept until
 *                 the last drain.
 * @param size     A power of two, 256 KB or more: the longest event fits into a quarter.
 * @param worker   Number of the worker, below @p workers.
 * @param max_conns  Connections a worker.
 */
void outq_init(struct outq *q, void *mem, size_t size, uint32_t worker, uint32_t workers,
	uint32_t max_conns);

/**
 * Give waiting events to the sinks.
 * @return events given: at most @p max.
 *
 * Context: sink thread.
 */
int outq_drain(struct outq *q, const struct outputs *out, int max);

/** After the last drain: connections whose last words were lost are ended. Context: sink thread. */
void outq_finish(struct outq *q, const struct outputs *out);

/** Events lost to a full ring so far. Context: any. */
uint64_t outq_dropped(const struct outq *q);
