/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** "No object": indexes of a pool are below this. */
#define POOL_NONE UINT32_MAX

/**
 * Objects of one size in the caller's memory, addressed by pointer or by dense index.
 *
 * Memory that was never handed out is never touched, so a large reservation costs address space,
 * not pages. The last object put back is the next one got (it is warm).
 *
 * Context: one owner; no lock.
 */
struct pool {
	uint8_t *mem;
	uint32_t size;  /* bytes an object, a multiple of 8 */
	uint32_t max;   /* objects */
	uint32_t fresh; /* objects ever handed out; those beyond are untouched */
	uint32_t used;  /* objects handed out now */
	uint32_t peak;  /* most objects ever handed out at once */
	void *free;     /* head of the list of objects put back */
};

/** Bytes that pool_init() needs for @p max objects of @p size bytes. */
size_t pool_bytes(uint32_t max, size_t size);

/**
 * @param mem  pool_bytes(max, size) bytes, aligned to 64; kept until the pool is no longer used.
 * @param size Bytes an object; rounded up to a multiple of 8.
 */
void pool_init(struct pool *p, void *mem, uint32_t max, size_t size);

/** @return an object with undefined content, or NULL if all are handed out. */
void *pool_get(struct pool *p);

/** Take back an object of pool_get(); its first bytes are overwritten. */
void pool_put(struct pool *p, void *obj);

/**
 * One part of a block of memory that is laid out at once, aligned to 64 if the block is.
 *
 * @param mem  The block; NULL: only its size is summed.
 * @param at   Offset of the part, 0 for the first; advanced to the next one, or to the size.
 * @return the part, or NULL.
 */
static inline void *pool_carve(uint8_t *mem, size_t *at, size_t n)
{
	void *p = mem ? mem + *at : NULL;

	*at += (n + 63) & ~(size_t)63;
	return p;
}

static inline void *pool_at(const struct pool *p, uint32_t index)
{
	return p->mem + (size_t)index * p->size;
}

static inline uint32_t pool_index(const struct pool *p, const void *obj)
{
	return (uint32_t)((size_t)((const uint8_t *)obj - p->mem) / p->size);
}
