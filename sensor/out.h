/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

#define OUT_BUF 131072

/**
 * A file being written, behind a buffer that writers may fill in place. The first failure is said
 * on stderr, with what to do about it; after it everything is thrown away, and out_close() reports
 * it.
 *
 * Context: one thread.
 */
struct out {
	const char *name;
	int fd;
	int err; /* -errno of the first failure; 0 */
	uint32_t len;
	uint8_t buf[OUT_BUF];
};

/**
 * @param path   "-" or NULL is standard output. A new file is readable by its owner only: it will
 *               hold plaintext. Kept until out_close().
 * @param flags  O_TRUNC or O_APPEND.
 * @return 0 or -errno; the reason has then been said.
 */
int out_open(struct out *o, const char *path, int flags);

void out_bytes(struct out *o, const void *data, size_t len);

/** A writer with room for @p n bytes (at most OUT_BUF) in the buffer; then comes out_done(). */
struct wr out_room(struct out *o, size_t n);

/** Nothing is taken over from a writer that was full. */
void out_done(struct out *o, const struct wr *w);

/** Hand the buffer to the kernel. */
void out_flush(struct out *o);

/**
 * Go on in a file of the same name, made anew if it was renamed; standard output goes on as it is.
 * @return 0 or -errno of the first failure.
 */
int out_reopen(struct out *o, int flags);

/** Flush and close. @return 0 or -errno of the first failure. */
int out_close(struct out *o);
