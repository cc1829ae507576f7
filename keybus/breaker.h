/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_FIRST_NS 1000000000ull
#define BREAKER_LAST_NS 30000000000ull

/** One bounded attempt an interval, and the interval doubles with every one in vain. Zeroed: closed. */
struct breaker {
	uint64_t until_ns;
	uint64_t wait_ns;
};

static inline bool breaker_open(const struct breaker *b, uint64_t now_ns)
{
	return now_ns < __atomic_load_n(&b->until_ns, __ATOMIC_RELAXED);
}

static inline void breaker_fail(struct breaker *b, uint64_t now_ns)
{
	b->wait_ns = b->wait_ns ? b->wait_ns * 2 : BREAKER_FIRST_NS;
	if (b->wait_ns > BREAKER_LAST_NS)
		b->wait_ns = BREAKER_LAST_NS;
	__atomic_store_n(&b->until_ns, now_ns + b->wait_ns, __ATOMIC_RELAXED);
}

static inline void breaker_succeed(struct breaker *b)
{
	b->wait_ns = 0;
	__atomic_store_n(&b->until_ns, 0, __ATOMIC_RELAXED);
}
