/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** A file read as it grows: it may come late, be cut, be replaced, or be a FIFO. */
struct follow;

/** The file need not be there. @return 0; -ENAMETOOLONG; -ENOMEM. */
int follow_open(struct follow **out, const char *path);

/**
 * What is new.
 * @param anew  Out: what was read is the beginning of another file, or of the same after it was cut.
 * @return bytes; 0: nothing now; -errno.
 */
ssize_t follow_read(struct follow *f, void *buf, size_t size, bool *anew);

/** Until there may be more, or a little while. */
void follow_wait(struct follow *f);

/** NULL is fine. */
void follow_close(struct follow *f);
