/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "keys/keytab.h"
#include "keys/tuple.h"

/** What became of key-log lines. V_OK and V_KEY_FULL were stored; V_MORE held nothing to use. */
struct key_counts {
	uint64_t lines;
	uint64_t by[V_COUNT];
	uint64_t first_bad_line; /* from 1; 0: none was bad */
	enum verdict first_bad;
	struct tuple_scope scope; /* what the last comments said of the lines that follow */
};

/**
 * Put key-log text into the table, line by line (LF or CRLF; the last need not end in one).
 *
 * @param text    @p len bytes, borrowed.
 * @param now_s   The table's clock.
 * @param counts  Added to.
 *
 * Context: the table's writer; no allocation. Nothing secret stays behind on the stack.
 */
void keys_put_text(
	struct keytab *t, const char *text, size_t len, uint32_t now_s, struct key_counts *counts);

/** Count a line that was not even read: it was longer than any line of use. */
void keys_skip_line(struct key_counts *counts);

/** Lines that were stored. */
uint64_t keys_stored(const struct key_counts *counts);
