/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "tls/session.h"

/**
 * Session hash (RFC 7627, 3), for secrets that are premaster secrets. The hash is known with the
 * ServerHello: until then the ClientHello is kept.
 */
struct transcript {
	struct md md[2]; /* TLS 1.2: the PRF's hash; before: MD5 and SHA-1 */
	bool on;         /* TLS <= 1.2 with extended master secret: the hash runs */
	bool closed;     /* the ClientKeyExchange went by: it is final */
	uint16_t hello_len;
	uint8_t hello[4096];
};

/**
 * What is known only while a handshake is under way. Taken from a pool with the first hello, given
 * back when the handshake was reported.
 */
struct negotiation {
	uint8_t client_session_id[32];
	uint8_t server_session_id[32];
	uint8_t server_random[32];
	uint8_t client_session_len;
	uint8_t server_session_len;
	bool ems;
	bool has_ticket;     /* offered by the client */
	bool has_new_ticket; /* sent by the server */
	bool has_epms;
	bool hello_done;    /* ServerHelloDone: a full handshake */
	uint8_t ticket[32]; /* SHA-256 */
	uint8_t new_ticket[32];
	uint8_t epms[8]; /* RSA: first bytes of the encrypted premaster secret */
	struct transcript transcript;
	struct tls_meta meta;
};

/** Act on one handshake message. @return V_OK, V_TLS_HANDSHAKE or V_BUFFERS (no negotiation to be had). */
enum verdict negotiation_message(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct handshake_msg *msg);

/** The negotiation under way, taken from the pool if there is none; NULL if that is empty. */
struct negotiation *negotiation_get(struct tls_env *env, struct session *s);
