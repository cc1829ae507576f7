/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * Keyed 64-bit hash of short keys for tables with bounded probing: two 64x64->128 multiplications
 * fold 16 bytes at a time, under a seed drawn at start. Not a MAC: what protects a table is its
 * bound; the seed only keeps outsiders from choosing the bucket.
 */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/** @param len  Any; read as words of 8 bytes, the tail padded with zeros. */
static inline uint64_t hash_bytes(const void *key, size_t len, uint64_t seed)
{
	const uint8_t *p = key;
	uint64_t h = seed ^ (len * 0x9e3779b97f4a7c15u), w[2];

	for (; len >= 16; len -= 16, p += 16) {
		memcpy(w, p, 16);
		h = hash_fold(w[0] ^ 0x2d358dccaa6c78a5u ^ seed, w[1] ^ h);
	}
	if (len) {
		w[0] = w[1] = 0;
		memcpy(w, p, len);
		h = hash_fold(w[0] ^ 0x8bb84b93962eacc9u ^ seed, w[1] ^ h);
	}
	return hash_fold(h ^ 0x4b33a62ed433d4a3u, seed | 1);
}
