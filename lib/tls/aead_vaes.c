/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AES-GCM (NIST SP 800-38D) by VAES and VPCLMULQDQ, 256 bits at a time: 16 blocks of the key stream are
 * computed while the ciphertext of the same 16 blocks is hashed, so that AES and the carry-less
 * multiplications wait for each other's units and not for results.
 *
 * GHASH: blocks are reversed to bytes of falling weight, and H is multiplied by x once, as a key is
 * set; then a product of 128 bits each is reduced by two multiplications with the upper half of the
 * polynomial. Eight blocks are multiplied with H^8 to H^1 and reduced together, by Karatsuba's three
 * products; the sum of each power's halves is kept beside it.
 *
 * Every function is for CPUs that env_init() has found able, but env_init(), can() and key_bytes().
 */
#include <cpuid.h>
#include <immintrin.h>
#include <openssl/crypto.h>
#include <string.h>

#include "tls/aead.h"

#define VAES __attribute__((target("avx2,aes,pclmul,vaes,vpclmulqdq")))
#define INLINE static inline __attribute__((always_inline)) VAES

enum { BLOCK = 16, POWERS = 8, ROUNDS_128 = 10, ROUNDS_256 = 14 };

/* How far a message is; in registers while whole blocks go by. */
struct progress {
	__m128i hash;    /* of all whole blocks, reversed */
	__m128i counter; /* of the next block, reversed: the number is in the lowest 32 bits */
};

/* A message under way, and the key. */
struct state {
	struct progress at;
	__m128i tag_mask; /* E(K, J0) */
	__m128i stream;   /* key stream of the block that has come in part */
	__m128i part;     /* its ciphertext so far, then zeros */
	uint64_t len;
	uint32_t aad_len;
	uint32_t part_len;
	__m128i power[POWERS];    /* H^8 to H^1 */
	__m128i sums[POWERS / 2]; /* of the halves of each: of H^8 and H^6, of H^7 and H^5, ... */
	__m128i round_key[];      /* 11 or 15 */
};

_Static_assert(sizeof(struct state) % BLOCK == 0, "the round keys are aligned");

/* Products to be added up before they are reduced, of two blocks side by side. */
struct products {
	__m256i low, middle, high;
};

/* Its own inverse. */
INLINE __m256i reversed2(__m256i x)
{
	return _mm256_shuffle_epi8(x,
		_mm256_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f, 0x0001020304050607,
			0x08090a0b0c0d0e0f));
}

INLINE __m128i reversed(__m128i x)
{
	return _mm_shuffle_epi8(x, _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f));
}

INLINE __m256i load2(const void *p)
{
	return _mm256_loadu_si256(p);
}

INLINE __m128i load(const void *p)
{
	return _mm_loadu_si128(p);
}

/* Bytes move to smaller or to greater numbers, 0 <= by <= 16, and zeros come in. */
INLINE __m128i down(__m128i x, int by)
{
	const __m128i index = _mm_set_epi64x(0x7f7e7d7c7b7a7978, 0x7776757473727170);

	return _mm_shuffle_epi8(x, _mm_add_epi8(index, _mm_set1_epi8((char)by)));
}

INLINE __m128i up(__m128i x, int by)
{
	const __m128i index = _mm_set_epi64x(0x0f0e0d0c0b0a0908, 0x0706050403020100);

	return _mm_shuffle_epi8(x, _mm_sub_epi8(index, _mm_set1_epi8((char)by)));
}

/* x^128 + x^127 + x^126 + x^121 + 1, reflected; its upper half is what reduces. */
INLINE __m128i polynomial(void)
{
	return _mm_set_epi64x((long long)0xc200000000000000, 1);
}

/* Two products at once, each in its lane; middle is the whole of it, not yet Karatsuba's sum. */
INLINE __m256i reduced2(struct products p)
{
	const __m256i poly = _mm256_broadcastsi128_si256(polynomial());
	__m256i t = _mm256_clmulepi64_epi128(poly, p.low, 0x01);

	t = p.middle ^ t ^ _mm256_shuffle_epi32(p.low, 0x4e);
	return p.high ^ _mm256_shuffle_epi32(t, 0x4e) ^ _mm256_clmulepi64_epi128(poly, t, 0x01);
}

INLINE __m128i folded(__m256i x)
{
	return _mm256_castsi256_si128(x) ^ _mm256_extracti128_si256(x, 1);
}

INLINE struct products product2(__m256i a, __m256i b)
{
	return (struct products){
		.low = _mm256_clmulepi64_epi128(a, b, 0x00),
		.middle =
			_mm256_clmulepi64_epi128(a, b, 0x01) ^ _mm256_clmulepi64_epi128(a, b, 0x10),
		.high = _mm256_clmulepi64_epi128(a, b, 0x11),
	};
}

INLINE struct products added(struct products a, struct products b)
{
	return (struct products){ a.low ^ b.low, a.middle ^ b.middle, a.high ^ b.high };
}

INLINE __m128i multiplied(__m128i a, __m128i b)
{
	return _mm256_castsi256_si128(
		reduced2(product2(_mm256_zextsi128_si256(a), _mm256_zextsi128_si256(b))));
}

/* Blocks 2i and 2i + 1 of eight. With i constant, nothing of the conditions is left. */
INLINE void multiply_add(struct products *sum, const struct state *s, int i, __m256i x)
{
	const __m256i power = load2(&s->power[2 * i]), sums = load2(&s->sums[i & ~1]);
	const __m256i halves = x ^ _mm256_unpackhi_epi64(x, x);
	const __m256i low = _mm256_clmulepi64_epi128(power, x, 0x00);
	const __m256i high = _mm256_clmulepi64_epi128(power, x, 0x11);
	const __m256i middle = i & 1 ? _mm256_clmulepi64_epi128(sums, halves, 0x01) :
				       _mm256_clmulepi64_epi128(sums, halves, 0x00);

	*sum = i ? (struct products){ sum->low ^ low, sum->middle ^ middle, sum->high ^ high } :
		   (struct products){ low, middle, high };
	/* Here and now: with the sums put off, the compiler runs out of registers. */
	__asm__("" : "+x"(sum->low), "+x"(sum->middle), "+x"(sum->high));
}

/* Of eight blocks by multiply_add(). */
INLINE __m128i reduced(struct products p)
{
	p.middle ^= p.low ^ p.high;
	return folded(reduced2(p));
}

INLINE __m256i round_key2(const struct state *s, int round)
{
	return _mm256_broadcastsi128_si256(load(&s->round_key[round]));
}

INLINE __m128i encrypted(const struct state *s, __m128i x, int rounds)
{
	x ^= s->round_key[0];
	for (int i = 1; i < rounds; i++)
		x = _mm_aesenc_si128(x, s->round_key[i]);
	return _mm_aesenclast_si128(x, s->round_key[rounds]);
}

/* The input of 2n blocks of key stream, with the first round key. */
INLINE void first_round(const struct state *s, const struct progress *at, __m256i *x, int n)
{
	const __m256i first = round_key2(s, 0);
	__m256i counter = _mm256_broadcastsi128_si256(at->counter);

	counter = _mm256_add_epi32(counter, _mm256_set_epi64x(0, 1, 0, 0));
#pragma GCC unroll 8
	for (int i = 0; i < n; i++) {
		x[i] = first ^ reversed2(counter);
		counter = _mm256_add_epi32(counter, _mm256_set_epi64x(0, 2, 0, 2));
	}
}

INLINE void next_round(const struct state *s, __m256i *x, int n, int round)
{
	const __m256i key = round_key2(s, round);

#pragma GCC unroll 8
	for (int i = 0; i < n; i++)
		x[i] = _mm256_aesenc_epi128(x[i], key);
}

/* The last round key is added to the text first: then the last round is the decryption. */
INLINE void last_round(
	const struct state *s, const __m256i *x, int n, int rounds, const uint8_t *in, uint8_t *out)
{
	const __m256i key = round_key2(s, rounds);

#pragma GCC unroll 8
	for (int i = 0; i < n; i++) {
		const __m256i text = key ^ load2(in + 32 * i);

		_mm256_storeu_si256((void *)(out + 32 * i), _mm256_aesenclast_epi128(x[i], text));
	}
}

INLINE void count(struct progress *at, int blocks)
{
	at->counter = _mm_add_epi32(at->counter, _mm_set_epi32(0, 0, 0, blocks));
}

/* Hashing goes by steps of a vector, and one for the reduction after each four. */
enum { STEPS = POWERS / 2 + 1 };

INLINE void hash_step(
	const struct state *s, struct progress *at, struct products *p, int step, const uint8_t *in)
{
	const int i = step % STEPS, vector = step / STEPS * (STEPS - 1) + i;
	__m256i x;

	if (i == STEPS - 1) {
		at->hash = reduced(*p);
		return;
	}
	x = reversed2(load2(in + 32 * vector));
	if (i == 0)
		x ^= _mm256_zextsi128_si256(at->hash);
	multiply_add(p, s, i, x);
}

/* 8 * groups blocks: after each round of AES a step of the hash. */
INLINE void stride(const struct state *s, struct progress *at, int groups, int rounds,
	const uint8_t *in, uint8_t *out)
{
	const int steps = STEPS * groups;
	struct products p;
	__m256i x[8];

	first_round(s, at, x, 4 * groups);
#pragma GCC unroll 16
	for (int round = 1; round < rounds; round++) {
		next_round(s, x, 4 * groups, round);
		if (round <= steps)
			hash_step(s, at, &p, round - 1, in);
	}
	if (rounds <= steps)
		hash_step(s, at, &p, rounds - 1, in);
	last_round(s, x, 4 * groups, rounds, in, out);
	count(at, 8 * groups);
}

/* Whole blocks, at most seven, by the powers that end in H^1. */
INLINE void hash_blocks(
	const struct state *s, struct progress *at, const uint8_t *in, size_t blocks)
{
	const __m128i *power = &s->power[POWERS - blocks];
	__m128i hash = at->hash;
	struct products p = { 0 };

	if (blocks & 1) {
		p = product2(_mm256_zextsi128_si256(*power++),
			_mm256_zextsi128_si256(hash ^ reversed(load(in))));
		hash = _mm_setzero_si128();
		in += BLOCK;
	}
	for (size_t i = 0; i < blocks / 2; i++) {
		const __m256i x = reversed2(load2(in + 32 * i)) ^ _mm256_zextsi128_si256(hash);

		p = added(p, product2(load2(power + 2 * i), x));
		hash = _mm_setzero_si128();
	}
	at->hash = folded(reduced2(p));
}

/* Fewer bytes than a vector, where nothing may be read beside them. */
INLINE __m128i load_short(const uint8_t *in, size_t len)
{
	uint8_t block[BLOCK] = { 0 };

	for (size_t i = 0; i < len; i++)
		block[i] = in[i];
	return load(block);
}

INLINE void store_short(uint8_t *out, size_t len, __m128i x)
{
	uint8_t block[BLOCK];

	_mm_storeu_si128((void *)block, x);
	for (size_t i = 0; i < len; i++)
		out[i] = block[i];
}

/* The block that has come in part goes on. @return bytes taken. */
INLINE size_t go_on(struct state *s, const uint8_t *in, size_t len, uint8_t *out)
{
	const int at = (int)s->part_len;
	const size_t n = len < (size_t)(BLOCK - at) ? len : (size_t)(BLOCK - at);
	const __m128i text = len < BLOCK ? load_short(in, n) : load(in);
	const __m128i plain = text ^ down(s->stream, at);

	if (len < BLOCK)
		store_short(out, n, plain);
	else /* what is behind the block is not changed in place, and written again apart */
		_mm_storeu_si128((void *)out, plain);
	s->part |= up(text, at);
	s->part_len += (uint32_t)n;
	if (s->part_len == BLOCK) {
		s->at.hash = multiplied(s->at.hash ^ reversed(s->part), s->power[POWERS - 1]);
		s->part_len = 0;
	}
	return n;
}

/*
 * The start of a block, which ends here. @p before bytes in front of it are of this call too: with
 * them there may be a whole vector to read and to write.
 */
INLINE void begin_part(struct state *s, const uint8_t *in, size_t len, uint8_t *out, size_t before)
{
	const int rest = BLOCK - (int)len;

	s->part_len = (uint32_t)len;
	if (before + len < BLOCK) {
		s->part = load_short(in, len);
		store_short(out, len, s->part ^ s->stream);
		return;
	}
	const __m128i ones = _mm_set1_epi8(-1), written = load(out - rest);

	s->part = down(load(in - rest), rest);
	_mm_storeu_si128((void *)(out - rest),
		_mm_blendv_epi8(written, up(s->part ^ s->stream, rest), up(ones, rest)));
}

/* Fewer than eight blocks, the last perhaps in part. */
INLINE void decrypt_rest(
	struct state *s, const uint8_t *in, size_t len, int rounds, uint8_t *out, size_t before)
{
	const size_t blocks = len / BLOCK;
	__m128i stream[POWERS];
	__m256i x[POWERS / 2];

	first_round(s, &s->at, x, POWERS / 2);
#pragma GCC unroll 16
	for (int round = 1; round < rounds; round++)
		next_round(s, x, POWERS / 2, round);
	for (int i = 0; i < POWERS / 2; i++)
		_mm256_storeu_si256((void *)(stream + 2 * i),
			_mm256_aesenclast_epi128(x[i], round_key2(s, rounds)));
	if (blocks)
		hash_blocks(s, &s->at, in, blocks);
	for (size_t i = 0; i < blocks; i++)
		_mm_storeu_si128((void *)(out + BLOCK * i), load(in + BLOCK * i) ^ stream[i]);
	count(&s->at, (int)((len + BLOCK - 1) / BLOCK));
	if (len % BLOCK) {
		s->stream = stream[blocks];
		begin_part(s, in + BLOCK * blocks, len % BLOCK, out + BLOCK * blocks,
			before + BLOCK * blocks);
	}
}

/* Strides of whole blocks. @return bytes taken. */
INLINE size_t decrypt_strides(
	struct state *s, const uint8_t *in, size_t len, int rounds, uint8_t *out)
{
	struct progress at = s->at;
	size_t n = 0;

	for (; len - n >= 16 * BLOCK; n += 16 * BLOCK)
		stride(s, &at, 2, rounds, in + n, out + n);
	if (len - n >= 8 * BLOCK) {
		stride(s, &at, 1, rounds, in + n, out + n);
		n += 8 * BLOCK;
	}
	s->at = at;
	return n;
}

INLINE void decrypt(struct state *s, const uint8_t *in, size_t len, int rounds, uint8_t *out)
{
	size_t n = 0;

	s->len += len;
	if (s->part_len)
		n = go_on(s, in, len, out);
	n += decrypt_strides(s, in + n, len - n, rounds, out + n);
	if (n < len)
		decrypt_rest(s, in + n, len - n, rounds, out + n, n);
}

/* One for each key length, so that the rounds are unrolled. */
static VAES void decrypt_128(struct state *s, const uint8_t *in, size_t len, uint8_t *out)
{
	decrypt(s, in, len, ROUNDS_128, out);
}

static VAES void decrypt_256(struct state *s, const uint8_t *in, size_t len, uint8_t *out)
{
	decrypt(s, in, len, ROUNDS_256, out);
}

static int rounds_of(enum cipher_alg alg)
{
	return alg == CIPHER_AES_256_GCM ? ROUNDS_256 : ROUNDS_128;
}

static void update(struct aead_key *k, const uint8_t *in, size_t len, uint8_t *out)
{
	if (k->alg == CIPHER_AES_256_GCM)
		decrypt_256(k->state, in, len, out);
	else
		decrypt_128(k->state, in, len, out);
}

static uint32_t word(const uint8_t *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static VAES void begin(struct aead_key *k, const struct aead_msg *m)
{
	struct state *s = k->state;
	const __m128i first = _mm_set_epi32(
		1 << 24, (int)word(m->nonce + 8), (int)word(m->nonce + 4), (int)word(m->nonce));
	const int beside = BLOCK - (int)m->aad_len; /* cut off, and zeros brought in */
	const __m128i aad = down(up(load(m->aad), beside), beside);

	s->tag_mask = encrypted(s, first, rounds_of(k->alg));
	s->at.counter = reversed(first);
	count(&s->at, 1);
	s->at.hash = multiplied(reversed(aad), s->power[POWERS - 1]); /* of no block: 0 */
	s->len = 0;
	s->aad_len = (uint32_t)m->aad_len;
	s->part_len = 0;
}

static VAES bool finish(struct aead_key *k, const uint8_t *tag)
{
	const struct state *s = k->state;
	const __m128i lens = _mm_set_epi64x((long long)s->aad_len * 8, (long long)s->len * 8);
	const __m128i h1 = s->power[POWERS - 1], h2 = s->power[POWERS - 2];
	__m128i hash;

	if (s->part_len)
		hash = folded(reduced2(product2(_mm256_set_m128i(h1, h2),
			_mm256_set_m128i(lens, s->at.hash ^ reversed(s->part)))));
	else
		hash = multiplied(s->at.hash ^ lens, h1);
	return _mm_movemask_epi8(_mm_cmpeq_epi8(reversed(hash) ^ s->tag_mask, load(tag))) == 0xffff;
}

static bool open_msg(struct aead_key *k, const struct aead_msg *m)
{
	begin(k, m);
	update(k, m->in, m->len, m->out);
	return finish(k, m->tag);
}

/* SubWord() of the last word of x, after RotWord() if it is to be; in all four words (FIPS 197). */
INLINE __m128i substituted(__m128i x, bool rotate, int rcon)
{
	const int word = rotate ? 0x0c0f0e0d : 0x0f0e0d0c;

	return _mm_aesenclast_si128(
		_mm_shuffle_epi8(x, _mm_set1_epi32(word)), _mm_set1_epi32(rcon));
}

/* Word i of the result is the sum of words 0 to i of x. */
INLINE __m128i summed(__m128i x)
{
	x ^= _mm_slli_si128(x, 4);
	return x ^ _mm_slli_si128(x, 8);
}

static VAES void expand(__m128i *round_key, const uint8_t *key, int rounds)
{
	const int words = rounds == ROUNDS_256 ? 2 : 1; /* vectors of the key */
	int rcon = 1;

	for (int i = 0; i < words; i++)
		round_key[i] = load(key + BLOCK * i);
	for (int i = words; i <= rounds; i++) {
		const bool rotate = i % words == 0;

		round_key[i] = summed(round_key[i - words]) ^
			substituted(round_key[i - 1], rotate, rotate ? rcon : 0);
		if (rotate)
			rcon = rcon << 1 ^ (rcon & 0x80 ? 0x11b : 0);
	}
}

/* x times what is reversed; in constant time, for it is the hash key. */
INLINE __m128i doubled(__m128i h)
{
	const __m128i top =
		_mm_cmpgt_epi64(_mm_setzero_si128(), h); /* of each half: -1 if it is set */
	const __m128i carried = _mm_sub_epi64(_mm_add_epi64(h, h), _mm_slli_si128(top, 8));

	return carried ^ (polynomial() & _mm_unpackhi_epi64(top, top));
}

/* H^1 to H^8: each time as many at once as there are. */
static VAES void raise_powers(struct state *s, __m128i h)
{
	const __m128i h2 = multiplied(h, h), h3 = multiplied(h2, h), h4 = multiplied(h2, h2);
	const __m256i by = _mm256_broadcastsi128_si256(h4);
	const __m256i low[2] = { _mm256_set_m128i(h, h2), _mm256_set_m128i(h3, h4) };
	const __m256i all[4] = { reduced2(product2(low[1], by)), reduced2(product2(low[0], by)),
		low[1], low[0] };

	for (int i = 0; i < 4; i++)
		_mm256_storeu_si256((void *)&s->power[2 * i], all[i]);
	for (int i = 0; i < 4; i += 2) {
		const __m256i a = all[i], b = all[i + 1];

		_mm256_storeu_si256((void *)&s->sums[i],
			_mm256_unpacklo_epi64(a, b) ^ _mm256_unpackhi_epi64(a, b));
	}
}

static VAES bool set_key(struct aead_key *k, const uint8_t *key)
{
	struct state *s = k->state;

	OPENSSL_cleanse(s, offsetof(struct state, power)); /* of a message with the key before */
	expand(s->round_key, key, rounds_of(k->alg));
	raise_powers(s, doubled(reversed(encrypted(s, _mm_setzero_si128(), rounds_of(k->alg)))));
	return true;
}

static size_t key_bytes(enum cipher_alg alg)
{
	return sizeof(struct state) + ((size_t)rounds_of(alg) + 1) * BLOCK;
}

static void wipe(struct aead_key *k)
{
	OPENSSL_cleanse(k->state, key_bytes(k->alg));
}

static bool can(const struct opener_env *env, enum cipher_alg alg)
{
	return alg == CIPHER_AES_128_GCM || alg == CIPHER_AES_256_GCM;
}

static enum aead_rank env_init(void *mem)
{
	const unsigned need = bit_VAES | bit_VPCLMULQDQ;
	unsigned eax, ebx, ecx, edx;

	if (!__builtin_cpu_supports("avx2") || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
		return AEAD_UNABLE;
	return (ecx & need) == need ? AEAD_WIDE : AEAD_UNABLE;
}

const struct aead aead_vaes = {
	.name = "vaes",
	.key_bytes = key_bytes,
	.rekeys = true,
	.env_init = env_init,
	.can = can,
	.set_key = set_key,
	.wipe = wipe,
	.open = open_msg,
	.begin = begin,
	.update = update,
	.finish = finish,
};
