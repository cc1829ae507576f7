/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys/keylog.h"
#include "shim/peer.h"
#include "shim/schedule.h"

/** Longest text of shake_text(). */
#define SHAKE_TEXT_MAX 2560
/** A name that is handed on; longer ones are left out (DNS allows 253). */
#define SHAKE_SNI_MAX 255

/** What a message or a key-log line leads to. Flags. */
enum shake_news {
	SHAKE_READY = 1,     /* hand on what shake_text() says, before anything is sent */
	SHAKE_LATE = 2,      /* of SHAKE_READY: it could not be had in time */
	SHAKE_DISAGREES = 4, /* OpenSSL has another secret than was derived; its own is now taken */
	SHAKE_DONE = 8,      /* nothing more will come of this handshake */
};

struct shake_secret {
	uint8_t len; /* 0: not known */
	uint8_t data[MD_MAX];
};

/** One TLS handshake as its callbacks tell it. Holds secrets: cleanse it. */
struct shake {
	bool server;     /* this process is the server */
	bool has_random; /* else no ClientHello was seen */
	bool retried;    /* HelloRetryRequest was the last message */
	bool tls13;      /* ServerHello agreed on it */
	bool proved;     /* handshake_secret is that of this handshake */
	bool told;       /* application secrets were derived from it */
	uint8_t logged;  /* application secrets that OpenSSL has named: 1 client, 2 server */
	uint8_t random[32];
	char sni[SHAKE_SNI_MAX + 1]; /* "": none, or none that can be written */
	uint8_t handshake_secret[MD_MAX];
	struct schedule schedule;
	struct shake_secret secret[KEY_SERVER_TRAFFIC + 1]; /* by enum key_label */
};

void shake_init(struct shake *s, bool server);

/** Wipe it. */
void shake_fini(struct shake *s);

/** Does this message begin a handshake, rather than go on with @p s (NULL: there is none)? */
bool shake_begins(const struct shake *s, struct rd message);

/**
 * A whole handshake message, header included, as it was received or is about to be sent.
 *
 * On a server its own Finished, on a client the server's, makes the application secrets of TLS 1.3
 * known: SHAKE_READY.
 * @return flags of enum shake_news.
 */
unsigned shake_message(struct shake *s, bool sent, struct rd message);

/**
 * What OpenSSL's key log says.
 *
 * @param extract  The last output of HKDF-Extract in this thread, @p len bytes; it is taken for the
 *                 Handshake Secret if the secret in @p line follows from it and the transcript, and
 *                 only then.
 * @return flags of enum shake_news.
 */
unsigned shake_line(
	struct shake *s, const struct keylog_line *line, const uint8_t *extract, size_t len);

/**
 * Write what is known as key-log lines, behind comments for the connection, the server's name and the
 * origin.
 * @param out  SHAKE_TEXT_MAX bytes, cleansed by the caller.
 * @param origin  At most 128 bytes count.
 * @return the length; 0 if no secret is known.
 */
size_t shake_text(const struct shake *s, const struct peer *peer, const char *origin, char *out);
