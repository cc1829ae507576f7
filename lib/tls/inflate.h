/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>
#include <zlib.h>

#include "base/verdict.h"

/** Longest plaintext of a decompressed record (RFC 5246, section 6.2.2: 2^14). */
#define INFLATE_MAX 16384

/** DEFLATE state of one direction (RFC 3749); zlib's memory is inside. */
struct inflater {
	z_stream z;
	uint32_t used;
	_Alignas(16) uint8_t arena[56 * 1024];
};

/** @return V_OK or V_COMPRESSION. */
enum verdict inflate_start(struct inflater *f);

/**
 * Undo the compression of one record.
 * @param out  Room for INFLATE_MAX bytes; more is V_COMPRESSION.
 */
enum verdict inflate_record(
	struct inflater *f, const uint8_t *in, uint32_t len, uint8_t *out, uint32_t *out_len);
