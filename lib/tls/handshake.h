/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/pool.h"

/** Handshake types that are read (RFC 8446, section 4; RFC 5246, section 7.4). */
enum handshake_type {
	HS_HELLO_REQUEST = 0,
	HS_CLIENT_HELLO = 1,
	HS_SERVER_HELLO = 2,
	HS_NEW_SESSION_TICKET = 4,
	HS_END_OF_EARLY_DATA = 5,
	HS_ENCRYPTED_EXTENSIONS = 8,
	HS_CERTIFICATE = 11,
	HS_SERVER_HELLO_DONE = 14,
	HS_CLIENT_KEY_EXCHANGE = 16,
	HS_FINISHED = 20,
	HS_KEY_UPDATE = 24,
};

/** Bytes of a message that are kept; what is longer is cut. */
#define HANDSHAKE_MAX 65536

/** One handshake message. */
struct handshake_msg {
	uint8_t type;
	uint32_t len;       /* of the body, as the message says */
	struct rd body;     /* borrowed; shorter than len if the message was cut */
	const uint8_t *raw; /* header and body, raw_len bytes: what the transcript hashes */
	uint32_t raw_len;
};

/** What a message is put together in, of a pool. */
struct handshake_buf {
	uint32_t have;
	uint8_t data[HANDSHAKE_MAX + 4]; /* header and body */
};

/**
 * Messages of one direction out of records of type handshake: several in a record, or one over many.
 * A message that lies in one record is not copied. Zeros are a good beginning.
 */
struct handshake {
	uint32_t buf; /* index + 1 of the buffer of an incomplete message, or 0 */
	uint8_t hdr
		[4]; /* once complete, and if there is no buffer: bytes of the body still to come */
	uint8_t hdr_len;
};

/**
 * The next message of a record's content.
 *
 * @param bufs  Pool of struct handshake_buf.
 * @param in    Rest of the content; advanced.
 * @return V_OK; V_MORE when the content is used up; V_BUFFERS if a message is incomplete and there is
 *         no buffer: it is passed over.
 */
enum verdict handshake_next(
	struct handshake *h, struct pool *bufs, struct rd *in, struct handshake_msg *msg);

/** true between messages: the next byte is a message type. */
static inline bool handshake_idle(const struct handshake *h)
{
	return !h->hdr_len;
}

/** Forget a message that is incomplete. */
void handshake_reset(struct handshake *h, struct pool *bufs);
