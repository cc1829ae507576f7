/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

#include "base/bytes.h"

/** A ClientHello put together from lists in hexadecimal. */
struct hello_parts {
	uint16_t version;
	const char *session_id;
	const char *suites;
	const char *exts; /* the whole block; NULL: none at all */
};

static inline void put_hex16(struct wr *w, const char *hex)
{
	static uint8_t tmp[65536];
	size_t n = unhex(tmp, hex);

	wr_u16(w, (uint16_t)n);
	wr_bytes(w, tmp, n);
}

/** @return length of the body written to @p out. */
static inline size_t hello_put(uint8_t *out, size_t cap, const struct hello_parts *p)
{
	struct wr w = wr_init(out, cap);
	uint8_t tmp[256];
	size_t n = unhex(tmp, p->session_id ? p->session_id : "");

	wr_u16(&w, p->version);
	for (uint8_t i = 0; i < 32; i++)
		wr_u8(&w, i);
	wr_u8(&w, (uint8_t)n);
	wr_bytes(&w, tmp, n);
	put_hex16(&w, p->suites);
	wr_u16(&w, 0x0100); /* one compression method: null */
	if (p->exts)
		put_hex16(&w, p->exts);
	ck_assert(!w.full);
	return wr_len(&w, out);
}

/** A copy on the heap of exactly @p n bytes, so that a sanitizer sees a read beyond them. */
static inline uint8_t *exact(const uint8_t *data, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	memcpy(p, data, n);
	return p;
}
