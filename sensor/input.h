/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gunzip;

/**
 * The bytes of a file, FIFO or standard input, plain or gzip-compressed, through one buffer that
 * moves forward. The reader takes bytes by moving `p`; they stay valid until the next
 * input_fill() or input_rewind().
 *
 * Context: one thread. Nothing is said on stderr: `error` and `why` tell the caller.
 */
struct input {
	uint8_t *p; /* bytes at hand */
	uint8_t *end;
	uint8_t *buf;
	size_t cap;
	uint64_t base; /* offset of buf[0] in the (uncompressed) stream */
	uint64_t read; /* bytes read from the file itself */
	uint64_t size; /* of the file; 0 if it is not a regular one */
	struct gunzip *gz;
	const char *why; /* what `error` means, if no errno says it */
	int error;       /* 0 or -errno: no more bytes come */
	int fd;
	bool eof;
	bool cut; /* ended inside a gzip member */
};

/**
 * Open, and find out whether the bytes are compressed (this waits for the first two of a pipe).
 *
 * @param path  A file, a FIFO, or "-".
 * @return 0 or -errno; -EISDIR for a directory. Nothing is kept of @p in then.
 */
int input_open(struct input *in, const char *path);

void input_close(struct input *in);

/**
 * Read until @p n bytes are at hand, or no more come. Bytes at hand move; pointers into them end.
 * A larger @p n makes the buffer grow, but only as far as bytes really come.
 *
 * @return whether @p n bytes are at hand; if not, `error`, or else the end was reached.
 */
bool input_fill(struct input *in, size_t n);

/** Start again from the first byte. @return 0 or -errno (a pipe cannot). */
int input_rewind(struct input *in);

static inline size_t input_left(const struct input *in)
{
	return (size_t)(in->end - in->p);
}

/** Offset of `p` in the (uncompressed) stream. */
static inline uint64_t input_offset(const struct input *in)
{
	return in->base + (uint64_t)(in->p - in->buf);
}
