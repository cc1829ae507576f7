/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define META_CERT_MAX 12288
#define META_JA3_MAX 2048

/**
 * What the handshake of a connection said, for people and for EVE. Gathered while the handshake goes
 * by; of a renegotiation the first handshake counts. Strings are terminated and hold what was on the
 * wire: whoever prints them escapes them. Under tls_env.printless fingerprints and certificate are empty.
 */
struct tls_meta {
	uint16_t version; /* 0x0300..0x0304; 0x7fxx draft; 0: no ServerHello seen */
	uint16_t suite;   /* 0: no ServerHello seen */
	bool client_hello;
	bool server_hello;
	bool resumed;    /* session id, ticket or PSK */
	bool retry;      /* there was a HelloRetryRequest */
	bool early_data; /* the client offered 0-RTT */
	bool ems;
	bool etm;
	uint8_t client_random[32];
	char sni[256];
	char alpn[256];
	char ja3[META_JA3_MAX]; /* full string; empty if it did not fit or there was no ClientHello */
	char ja3_hash[33];
	char ja3s[512];
	char ja3s_hash[33];
	char ja4[48];
	uint32_t cert_len; /* bytes of the server's own certificate; 0: none seen or too long */
	uint8_t cert[META_CERT_MAX]; /* DER */
	uint16_t chain_len;          /* certificates the server sent */
	bool client_cert;            /* the client sent a certificate */
};
