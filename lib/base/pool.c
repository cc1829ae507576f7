/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fixed-size objects without an allocator. The free list runs through the objects themselves; fresh
 * objects come from a mark that only rises, so untouched memory stays untouched.
 */
#include "base/pool.h"

#include <assert.h>
#include <string.h>

static size_t round8(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

size_t pool_bytes(uint32_t max, size_t size)
{
	return max * round8(size);
}

void pool_init(struct pool *p, void *mem, uint32_t max, size_t size)
{
	*p = (struct pool){
		.mem = mem,
		.size = (uint32_t)round8(size),
		.max = max,
	};
}

void *pool_get(struct pool *p)
{
	void *obj;

	if (p->free) {
		obj = p->free;
		memcpy(&p->free, obj, sizeof(p->free));
	} else if (p->fresh < p->max) {
		obj = pool_at(p, p->fresh++);
	} else {
		return NULL;
	}
	if (++p->used > p->peak)
		p->peak = p->used;
	return obj;
}

void pool_put(struct pool *p, void *obj)
{
	assert(p->used > 0);
	memcpy(obj, &p->free, sizeof(p->free));
	p->free = obj;
	p->used--;
}
