/* SPDX-License-Identifier: BSD-3-Clause */
/* TLS compression, long gone from the net but not from archives. zlib is given its memory, not a heap. */
#include "tls/inflate.h"

static voidpf arena_get(voidpf arg, uInt items, uInt size)
{
	struct inflater *f = arg;
	uint64_t n = ((uint64_t)items * size + 15) & ~15ull;
	uint8_t *p = f->arena + f->used;

	if (n > sizeof(f->arena) - f->used)
		return Z_NULL;
	f->used += (uint32_t)n;
	return p;
}

static void arena_put(voidpf arg, voidpf p)
{
}

enum verdict inflate_start(struct inflater *f)
{
	f->z = (z_stream){ .zalloc = arena_get, .zfree = arena_put, .opaque = f };
	f->used = 0;
	return inflateInit(&f->z) == Z_OK ? V_OK : V_COMPRESSION;
}

enum verdict inflate_record(
	struct inflater *f, const uint8_t *in, uint32_t len, uint8_t *out, uint32_t *out_len)
{
	int rc;

	f->z.next_in = (Bytef *)(uintptr_t)in;
	f->z.avail_in = len;
	f->z.next_out = out;
	f->z.avail_out = INFLATE_MAX;
	rc = inflate(&f->z, Z_SYNC_FLUSH);
	if ((rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END) || f->z.avail_in)
		return V_COMPRESSION;
	*out_len = INFLATE_MAX - f->z.avail_out;
	return V_OK;
}
