/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker never waits for a key, so it leaves a note. */
#include "missq.h"

#include <string.h>

void missq_push(void *missq, const uint8_t client_random[32])
{
	struct missq *q = missq;
	uint32_t head = q->head;

	if (head - __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE) == MISSQ_SIZE) {
		__atomic_store_n(&q->dropped, q->dropped + 1, __ATOMIC_RELAXED);
		return;
	}
	memcpy(q->at[head % MISSQ_SIZE], client_random, 32);
	__atomic_store_n(&q->head, head + 1, __ATOMIC_RELEASE);
}

bool missq_pull(struct missq *q, uint8_t client_random[32])
{
	uint32_t tail = q->tail;

	if (tail == __atomic_load_n(&q->head, __ATOMIC_ACQUIRE))
		return false;
	memcpy(client_random, q->at[tail % MISSQ_SIZE], 32);
	__atomic_store_n(&q->tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}
