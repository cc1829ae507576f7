/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What bytes at the possible beginning of a TLS stream are. */
enum sniff {
	SNIFF_NO,        /* not TLS */
	SNIFF_MORE,      /* a prefix of a hello: more bytes are needed */
	SNIFF_CLIENT,    /* a record that begins with a ClientHello */
	SNIFF_CLIENT_V2, /* a ClientHello in SSL 2.0 framing (RFC 5246, E.2) */
	SNIFF_SERVER,    /* a record that begins with a ServerHello */
	SNIFF_RECORD,    /* a plausible record header of another type */
};

/** Most bytes that sniff_at() looks at. */
#define SNIFF_MAX 11

/** Classify the bytes at @p p; a hello is certain enough after SNIFF_MAX bytes. */
enum sniff sniff_at(const uint8_t *p, size_t n);

/**
 * Find a hello that does not begin at the beginning of the bytes: behind a PROXY protocol header or a
 * last line of clear text.
 *
 * @param at  Set to its offset.
 * @return SNIFF_CLIENT or SNIFF_SERVER, SNIFF_MORE if the bytes end in what may be one, or SNIFF_NO.
 */
enum sniff sniff_find(const uint8_t *p, size_t n, size_t *at);
