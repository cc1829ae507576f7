/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#define MISSQ_SIZE 1024

/**
 * Connections whose secrets a worker looked for in vain, on their way to the key thread, which may find
 * them in Redis. One writer, one reader, no lock; what finds no room is counted and not asked for.
 */
struct missq {
	alignas(64) uint32_t head; /* written by the worker */
	uint64_t dropped;
	alignas(64) uint32_t tail; /* written by the key thread */
	uint8_t at[MISSQ_SIZE][32];
};

/** @param missq  struct missq; for struct tls_env. Context: worker. */
void missq_push(void *missq, const uint8_t client_random[32]);

/** @return false: there is none. Context: key thread. */
bool missq_pull(struct missq *q, uint8_t client_random[32]);
