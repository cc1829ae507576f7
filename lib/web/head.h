/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "web/txn.h"

/** What the head of a message says of how its body is framed (RFC 9112, section 6). */
struct head {
	uint64_t len; /* Content-Length */
	uint16_t status;
	uint8_t minor;     /* HTTP/1.minor */
	bool has_len : 1;  /* Content-Length was given */
	bool coded : 1;    /* Transfer-Encoding was given, */
	bool chunked : 1;  /* and the last coding is chunked */
	bool bad : 1;      /* the framing contradicts itself or cannot be read */
	bool framing : 1;  /* the last field was one of those two */
	bool expects : 1;  /* Expect: an interim response may come before the final one */
	uint8_t value : 4; /* the last field: 1 + enum txn_value; 0: not kept */
};

/**
 * Read a request line (C2S) or a status line (S2C), as strictly as RFC 9112 has them sent: single
 * spaces, a method of at most 31 letters, HTTP/1.x.
 *
 * @param h     Begun anew.
 * @param line  Without its line end.
 * @param t     What is kept of it; NULL: nothing.
 * @return false: it is none.
 *
 * Context: any, as of all functions here; they touch nothing but their arguments.
 */
bool head_start(struct head *h, enum tls_dir d, struct rd line, struct txn *t);

/**
 * Read a field line. One that is malformed is ignored, unless it may frame the body: then h->bad.
 * So is a framing field that is folded, repeated with another value, or has a blank before its colon.
 *
 * @param line  Without its line end; not empty.
 * @param t     What is kept of it; NULL: nothing.
 */
void head_field(struct head *h, enum tls_dir d, struct rd line, struct txn *t);

/**
 * Does a message begin here, with nothing known of what was before? Only if its whole head is here: a
 * start line, at least one field, the empty line, every one well-formed and ended by CRLF.
 */
bool head_whole(enum tls_dir d, struct rd in);

/** May these be the first bytes of a message? They may be few. */
bool head_likely(enum tls_dir d, struct rd in);
