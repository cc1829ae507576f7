/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/** Extension types that are read (IANA TLS ExtensionType). */
enum tls_ext {
	EXT_SERVER_NAME = 0,
	EXT_SUPPORTED_GROUPS = 10,
	EXT_EC_POINT_FORMATS = 11,
	EXT_SIGNATURE_ALGORITHMS = 13,
	EXT_ALPN = 16,
	EXT_ENCRYPT_THEN_MAC = 22,
	EXT_EXTENDED_MASTER_SECRET = 23,
	EXT_SESSION_TICKET = 35,
	EXT_PRE_SHARED_KEY = 41,
	EXT_EARLY_DATA = 42,
	EXT_SUPPORTED_VERSIONS = 43,
};

/**
 * ClientHello (RFC 8446, section 4.1.2), as readers into the borrowed message. An extension that is
 * absent has an empty reader; where presence matters there is a flag.
 */
struct client_hello {
	uint16_t legacy_version;
	const uint8_t *random; /* 32 bytes */
	struct rd session_id;
	struct rd suites;               /* 2 bytes each */
	struct rd compression;          /* 1 byte each */
	struct rd extensions;           /* type, length, value: as they stand */
	struct rd server_name;          /* host_name, without its length */
	struct rd alpn;                 /* ProtocolName entries: length byte, name */
	struct rd versions;             /* supported_versions, 2 bytes each */
	struct rd groups;               /* supported_groups, 2 bytes each */
	struct rd point_formats;        /* 1 byte each */
	struct rd signature_algorithms; /* 2 bytes each */
	struct rd ticket;               /* session_ticket */
	bool has_extensions;
	bool has_server_name;
	bool has_ticket;
	bool psk;
	bool early_data;
	bool ems;
	bool etm;
};

/** ServerHello (RFC 8446, section 4.1.3), also HelloRetryRequest. */
struct server_hello {
	uint16_t legacy_version;
	uint16_t version; /* selected: supported_versions if there, else legacy_version */
	const uint8_t *random;
	struct rd session_id;
	uint16_t suite;
	uint8_t compression;
	struct rd extensions;
	struct rd alpn; /* the name selected, without lengths; empty if none */
	bool retry;     /* HelloRetryRequest */
	bool ems;
	bool etm;
	bool psk;
	bool ticket;
};

/**
 * Parse the body of a ClientHello (after the 4 bytes of type and length).
 *
 * A length that leaves the message or the extension block is an error. All else is passed over:
 * unknown extensions, bytes after the last one, lists that do not fit their extension (they count
 * as empty). Of an extension that is there twice the last one counts.
 *
 * @param body  Borrowed; @p out points into it.
 * @param out   Undefined after an error.
 * @return V_OK or V_TLS_HANDSHAKE.
 *
 * Context: any; no allocation.
 */
enum verdict hello_client(struct rd body, struct client_hello *out);

/** Parse the body of a ServerHello, under the terms of hello_client(). */
enum verdict hello_server(struct rd body, struct server_hello *out);

/** Take the next entry of an extension block. @return V_OK, or V_SHORT if there is none. */
static inline enum verdict hello_extension(struct rd *block, uint16_t *type, struct rd *body)
{
	TRY(rd_u16(block, type));
	return rd_vec16(block, body);
}

/** GREASE value (RFC 8701): 0x?a?a with equal bytes. */
static inline bool hello_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && (v >> 8) == (v & 0xff);
}

/** Take the next value of a list of 16-bit values that is not GREASE. @return false at the end. */
static inline bool hello_value(struct rd *list, uint16_t *v)
{
	while (rd_u16(list, v) == V_OK)
		if (!hello_grease(*v))
			return true;
	return false;
}
