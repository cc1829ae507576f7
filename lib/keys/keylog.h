/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"

/** Longest secret: a finite-field DH premaster of 8192 bits. */
#define KEYLOG_SECRET_MAX 1024

/** What a secret is (RFC 9850 and the older NSS labels). */
enum key_label {
	KEY_MASTER,           /* CLIENT_RANDOM; also RSA Session-ID:... Master-Key:... */
	KEY_CLIENT_EARLY,     /* CLIENT_EARLY_TRAFFIC_SECRET */
	KEY_CLIENT_HANDSHAKE, /* CLIENT_HANDSHAKE_TRAFFIC_SECRET */
	KEY_SERVER_HANDSHAKE, /* SERVER_HANDSHAKE_TRAFFIC_SECRET */
	KEY_CLIENT_TRAFFIC,   /* CLIENT_TRAFFIC_SECRET_n */
	KEY_SERVER_TRAFFIC,   /* SERVER_TRAFFIC_SECRET_n */
	KEY_PREMASTER,        /* PMS_CLIENT_RANDOM; also RSA */
	KEY_UNUSED,           /* a known label of no use here: EXPORTER_SECRET, ECH_SECRET, ... */
};

/** What a line's identifier is, and so what a session looks its secret up by. */
enum key_id {
	KEY_BY_RANDOM,     /* 32 bytes: ClientHello.random */
	KEY_BY_SESSION_ID, /* 1..32 bytes: TLS <= 1.2 session id */
	KEY_BY_EPMS,       /* 8 bytes: first bytes of the RSA-encrypted premaster secret */
	KEY_BY_TICKET,     /* 32 bytes: SHA-256 of a session ticket; never in a key log */
	KEY_BY_TUPLE,      /* 32 bytes: tuple_name() */
};

struct keylog_line {
	enum key_label label;
	enum key_id id_kind;
	uint32_t generation; /* n of *_TRAFFIC_SECRET_n; 0 otherwise */
	uint16_t id_len;
	uint16_t secret_len;
	uint8_t id[32];
	uint8_t secret[KEYLOG_SECRET_MAX];
};

/**
 * Read one line of a key log (RFC 9850, section 2).
 *
 * Accepted: leading and trailing blanks, CR, several blanks between fields, hexadecimal in either
 * case, all labels of RFC 9850, and of NSS before it: `RSA <8 bytes> <48 bytes>`,
 * `RSA Session-ID:<hex> Master-Key:<hex>`, `PMS_CLIENT_RANDOM <32 bytes> <premaster>`.
 *
 * @param s    @p n characters without the line feed; need not be terminated.
 * @param out  Holds a secret after V_OK: the caller cleanses it.
 * @return V_OK; V_MORE for a blank line, a comment or a label of no use; V_KEY_LABEL, V_KEY_HEX,
 *         V_KEY_LEN.
 *
 * Context: any; no allocation.
 */
enum verdict keylog_parse(const char *s, size_t n, struct keylog_line *out);
