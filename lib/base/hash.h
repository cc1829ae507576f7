/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Key of a hash. Secret: who knows it can choose names that all fall into one bucket. */
struct hash_key {
	uint64_t k0;
	uint64_t k1;
};

/** Make a key from a seed; the seed should come from the system's random source. */
struct hash_key hash_key(uint64_t seed);

/**
 * SipHash-1-3: a keyed hash for table names that an attacker may choose.
 *
 * @param data  @p n bytes, borrowed; may be NULL if @p n is 0.
 * @return 64 bits, all of them usable.
 *
 * Context: any; pure.
 */
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t n);
