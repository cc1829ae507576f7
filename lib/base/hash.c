/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names in our tables come from the wire: a hash without a key would let a sender fill one bucket.
 * One compression round a word and three at the end are enough for a table; this is no MAC.
 */
#include "base/hash.h"

#include <string.h>

static uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/* Up to eight bytes as a little-endian word. */
static uint64_t word(const uint8_t *p, size_t n)
{
	uint64_t w = 0;

	memcpy(&w, p, n);
	return w;
}

static void absorb(uint64_t v[4], uint64_t w)
{
	v[3] ^= w;
	sip_round(v);
	v[0] ^= w;
}

uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t n)
{
	uint64_t v[4] = {
		key->k0 ^ 0x736f6d6570736575u,
		key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u,
		key->k1 ^ 0x7465646279746573u,
	};
	const uint8_t *p = data;
	size_t left = n;

	for (; left >= 8; p += 8, left -= 8)
		absorb(v, word(p, 8));
	absorb(v, word(p, left) | (uint64_t)n << 56);
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct hash_key hash_key(uint64_t seed)
{
	const struct hash_key zero = { 0, 0 };
	uint64_t in[2] = { seed, 0 };
	struct hash_key key;

	key.k0 = hash_bytes(&zero, in, sizeof(in));
	in[1] = 1;
	key.k1 = hash_bytes(&zero, in, sizeof(in));
	return key;
}
