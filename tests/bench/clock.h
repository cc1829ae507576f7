/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

/** What benches measure time with. */

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline double tsc_hz(void)
{
	uint64_t start = now_ns(), tsc = __rdtsc();

	while (now_ns() - start < 100000000)
		;
	return (double)(__rdtsc() - tsc) * 1e9 / (double)(now_ns() - start);
}
