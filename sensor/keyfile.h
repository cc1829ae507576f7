/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>

#include "keys.h"

/** A key-log file (SSLKEYLOGFILE), read once or followed as it grows. */
struct keyfile;

/**
 * @param path    A file or FIFO.
 * @param follow  It is polled again and again: it need not exist yet, may be replaced or cut, and
 *                a line is a line only with its line feed. Else one poll reads all of it.
 * @return 0 or -errno, said on stderr.
 *
 * Context: the key thread, as for all functions here.
 */
int keyfile_open(struct keyfile **out, const char *path, bool follow);

/**
 * Put what was added since the last call into the table. A file that was replaced or became shorter
 * is read from its start. What the file holds at the first call is used even if its last line
 * has no line feed yet. A file without one good line is spoken of on stderr, once.
 *
 * @return lines stored, or -errno, said on stderr (once, as long as it stays the same).
 */
int keyfile_poll(struct keyfile *k, struct keytab *t, uint32_t now_s);

/** The next poll reads the file from its start: it may have been written over in place. */
void keyfile_again(struct keyfile *k);

/** What became of all lines so far. Borrowed until close. */
const struct key_counts *keyfile_counts(const struct keyfile *k);

/** Cleanses what was read. */
void keyfile_close(struct keyfile *k);
