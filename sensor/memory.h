/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>

/**
 * Reserve zeroed memory, aligned to a page, for one of lib/'s tables. Pages come when touched.
 *
 * Every table may hold secrets or plaintext, so the memory is left out of core dumps and, as far as
 * RLIMIT_MEMLOCK lets us, never swapped.
 *
 * @return NULL (errno set) if there is no address space.
 */
void *memory_reserve(size_t n);
/** What memory_reserve() gave will be used at random: in large pages, fewer look-ups of addresses miss. */
void memory_huge(void *p, size_t n);

void memory_free(void *p, size_t n);

/** Make the process no target for core dumps and debuggers of other users. Call first. */
void memory_protect_process(void);
