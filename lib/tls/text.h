/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Direction of a TLS session. */
enum tls_dir { C2S, S2C };

/** Content types (RFC 8446, section 5.1). */
enum tls_content {
	TLS_CCS = 20,
	TLS_ALERT = 21,
	TLS_HANDSHAKE = 22,
	TLS_APPLICATION_DATA = 23,
	TLS_HEARTBEAT = 24,
};

/**
 * Verified plaintext of one record: its tag (or MAC) matched.
 */
struct text {
	const uint8_t *data; /* borrowed until the session is asked for the next */
	uint64_t ts_ns;      /* of the packet that completed it; set by who has the packets */
	uint32_t len;
	uint8_t type;   /* enum tls_content */
	uint8_t dir;    /* enum tls_dir */
	bool early;     /* 0-RTT */
	bool refused;   /* 0-RTT that the server refused: no application ever got it */
	bool resumed;   /* the first record that was opened again after a hole */
	bool after_gap; /* application data: some of this direction is missing before it, or may be */
	bool protected; /* false: the record was not encrypted */
};
