/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define OUT_BUF 131072

/**
 * A file being written, behind a buffer that writers may fill in place.
 *
 * Offline, writing waits as long as it takes. The first failure is said on stderr, with what to do
 * about it; after it everything is thrown away, and out_close() reports it.
 *
 * Live (out_live()), nothing waits, since other outputs share the thread: what a slow reader or a full
 * disk does not take stays in the buffer, and when that is full, whole records are lost: counted, and
 * said when it begins and when it is over. A FIFO need not have a reader yet, and may lose it.
 *
 * Context: one thread.
 */
struct out {
	const char *name;
	int fd;
	int err;         /* -errno of the first failure to open, or offline to write; 0 */
	int why;         /* live: errno of the latest write that was not taken */
	bool stalled;    /* live: records are being lost, and that was said */
	bool last;       /* live: what is written now is the end; a reader may be waited for */
	bool socket;     /* name is a UNIX socket's; fd is -1 while nobody listens there */
	bool cut;        /* of a socket: its last reader went in the middle of a line */
	uint64_t lost;   /* live: bytes */
	uint64_t before; /* value of it at the last out_tick() */
	uint64_t *meter; /* live: added to as well; NULL: none */
	uint32_t len;
	uint8_t buf[OUT_BUF];
};

/** From now on outputs of this process never wait. */
void out_live(bool on);

/**
 * @param path   "-" or NULL is standard output. A new file is readable by its owner only: it will
 *               hold plaintext. Kept until out_close().
 * @param flags  O_TRUNC or O_APPEND.
 * @return 0 or -errno; the reason has then been said.
 */
int out_open(struct out *o, const char *path, int flags);

/**
 * The same, for lines of text to whoever listens at a UNIX stream socket. Live, nobody need be there yet,
 * and a reader that went is looked for again once a second; the next one begins with a whole line.
 * @param path  As above; kept until out_close().
 * @return 0 or -errno, said; live only for a path that is too long.
 */
int out_dial(struct out *o, const char *path);

/** Live: add what is lost to *meter, too, which another thread may read. Kept until out_close(). */
void out_meter(struct out *o, uint64_t *meter);

void out_bytes(struct out *o, const void *data, size_t len);

/** A writer with room for @p n bytes (at most OUT_BUF) in the buffer; then comes out_done(). */
struct wr out_room(struct out *o, size_t n);

/** Nothing is taken over from a writer that was full. */
void out_done(struct out *o, const struct wr *w);

/** Hand the buffer to the kernel. */
void out_flush(struct out *o);

/** Live, about once a second: hand on what waits, and say so if an output has recovered. */
void out_tick(struct out *o);

/** Live: what follows is the last of this output; a reader that is there is waited for, a little. */
void out_last(struct out *o);

/**
 * Go on in a file of the same name, made anew if it was renamed; standard output and sockets go on as
 * they are.
 * If it cannot be opened, the old one stays.
 * @return 0 or -errno, said.
 */
int out_reopen(struct out *o, int flags);

/** Flush and close. @return 0 or -errno of the first failure. */
int out_close(struct out *o);
