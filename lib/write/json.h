/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/**
 * Writes one JSON text (RFC 8259) without blanks; commas and closing brackets are its business.
 * What does not fit sets `full` of the writer below, to be looked at once, at the end.
 *
 * `key` of every function is the member's name, written as it stands (it is one of ours and needs
 * no escaping); NULL inside an array and at the top.
 *
 * Context: any; no allocation, no lock.
 */
struct json {
	struct wr *w;
	uint32_t arrays; /* bit 0: the innermost open value is an array, bit 1: the one around it */
	bool comma;      /* a value went before in the innermost one */
};

/** @param w  Kept until the last json_*() call. */
void json_init(struct json *j, struct wr *w);

/** Open an object or an array; json_end() closes the innermost. At most 32 deep. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j);

/**
 * A string of any bytes. Quotes, backslashes and control characters (also DEL and U+0080..U+009F,
 * which terminals obey) are escaped; each byte that is no part of valid UTF-8 becomes U+FFFD.
 */
void json_strn(struct json *j, const char *key, const void *data, size_t len);
void json_str(struct json *j, const char *key, const char *s);

void json_u64(struct json *j, const char *key, uint64_t v);
void json_bool(struct json *j, const char *key, bool v);
