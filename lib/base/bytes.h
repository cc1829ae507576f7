/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/verdict.h"

/**
 * Bounds-checked reader over borrowed bytes. Every length that comes from outside is checked here
 * and nowhere else. After V_SHORT the reader is unchanged.
 *
 * Context: any; the functions touch nothing but their arguments.
 */
struct rd {
	const uint8_t *p;
	const uint8_t *end;
};

static inline struct rd rd_init(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct rd){ p, p ? p + len : p };
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

/** Take @p n bytes; *out points into the borrowed buffer. @return V_OK or V_SHORT. */
static inline enum verdict rd_bytes(struct rd *r, size_t n, const uint8_t **out)
{
	if (rd_left(r) < n)
		return V_SHORT;
	*out = r->p;
	r->p += n;
	return V_OK;
}

static inline enum verdict rd_skip(struct rd *r, size_t n)
{
	const uint8_t *p;

	return rd_bytes(r, n, &p);
}

static inline enum verdict rd_copy(struct rd *r, void *out, size_t n)
{
	const uint8_t *p;

	TRY(rd_bytes(r, n, &p));
	memcpy(out, p, n);
	return V_OK;
}

static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | get_be24(p + 1);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, (uint16_t)(v >> 16));
	put_be16(p + 2, (uint16_t)v);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

static inline enum verdict rd_u8(struct rd *r, uint8_t *v)
{
	const uint8_t *p;

	TRY(rd_bytes(r, 1, &p));
	*v = p[0];
	return V_OK;
}

static inline enum verdict rd_u16(struct rd *r, uint16_t *v)
{
	const uint8_t *p;

	TRY(rd_bytes(r, 2, &p));
	*v = get_be16(p);
	return V_OK;
}

static inline enum verdict rd_u24(struct rd *r, uint32_t *v)
{
	const uint8_t *p;

	TRY(rd_bytes(r, 3, &p));
	*v = get_be24(p);
	return V_OK;
}

static inline enum verdict rd_u32(struct rd *r, uint32_t *v)
{
	const uint8_t *p;

	TRY(rd_bytes(r, 4, &p));
	*v = get_be32(p);
	return V_OK;
}

/** Take @p n bytes as a reader of their own. */
static inline enum verdict rd_sub(struct rd *r, size_t n, struct rd *sub)
{
	const uint8_t *p;

	TRY(rd_bytes(r, n, &p));
	*sub = rd_init(p, n);
	return V_OK;
}

/** A vector with a length prefix of 1, 2 or 3 bytes (RFC 8446, section 3.4). */
static inline enum verdict rd_vec8(struct rd *r, struct rd *sub)
{
	struct rd t = *r;
	uint8_t n;

	TRY(rd_u8(&t, &n));
	TRY(rd_sub(&t, n, sub));
	*r = t;
	return V_OK;
}

static inline enum verdict rd_vec16(struct rd *r, struct rd *sub)
{
	struct rd t = *r;
	uint16_t n;

	TRY(rd_u16(&t, &n));
	TRY(rd_sub(&t, n, sub));
	*r = t;
	return V_OK;
}

static inline enum verdict rd_vec24(struct rd *r, struct rd *sub)
{
	struct rd t = *r;
	uint32_t n;

	TRY(rd_u24(&t, &n));
	TRY(rd_sub(&t, n, sub));
	*r = t;
	return V_OK;
}

/**
 * Bounded writer into the caller's buffer. What does not fit is not written and sets `full`; the
 * writer may then be used on, so that a caller checks once, at the end.
 */
struct wr {
	uint8_t *p;
	uint8_t *end;
	bool full;
};

static inline struct wr wr_init(void *buf, size_t cap)
{
	uint8_t *p = buf;

	return (struct wr){ p, p + cap, false };
}

static inline size_t wr_len(const struct wr *w, const void *buf)
{
	return (size_t)(w->p - (const uint8_t *)buf);
}

static inline void wr_bytes(struct wr *w, const void *data, size_t n)
{
	if ((size_t)(w->end - w->p) < n) {
		w->full = true;
		return;
	}
	if (n)
		memcpy(w->p, data, n);
	w->p += n;
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	wr_bytes(w, &v, 1);
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
	uint8_t b[2];

	put_be16(b, v);
	wr_bytes(w, b, 2);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
	uint8_t b[4];

	put_be32(b, v);
	wr_bytes(w, b, 4);
}

static inline void wr_str(struct wr *w, const char *s)
{
	wr_bytes(w, s, strlen(s));
}
