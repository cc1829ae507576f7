/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where does TLS begin in a TCP stream? By its first bytes, on any port, also after clear text
 * (STARTTLS, HTTP CONNECT, PROXY protocol): record header, handshake type, and, where the record is
 * long enough to show them, a length and a version that a hello can have.
 */
#include "tls/sniff.h"

#include <string.h>

#include "base/bytes.h"
#include "tls/opener.h"
#include "tls/text.h"

#define HELLO_MIN 38      /* version, random, empty session id, ... */
#define HELLO_MAX 0x1ffff /* ClientHellos with post-quantum shares are still below this */

static bool plausible_header(const uint8_t *p)
{
	uint16_t len = get_be16(p + 3);

	return p[0] >= TLS_CCS && p[0] <= TLS_HEARTBEAT && p[1] == 3 && p[2] <= 4 && len &&
		len <= RECORD_MAX;
}

/* Compare a header that is not complete yet. */
static bool may_become_header(const uint8_t *p, size_t n)
{
	return (n < 1 || p[0] == TLS_HANDSHAKE) && (n < 2 || p[1] == 3) && (n < 3 || p[2] <= 4) &&
		(n < 4 || p[3] <= RECORD_MAX >> 8);
}

static enum sniff hello_at(const uint8_t *p, size_t n)
{
	uint16_t len = get_be16(p + 3);
	uint32_t hello_len;

	if (n < 6)
		return SNIFF_MORE;
	if (p[5] != 1 && p[5] != 2)
		return SNIFF_RECORD;
	if (len >= 4) { /* else the hello is cut into tiny records */
		if (n < 9)
			return SNIFF_MORE;
		hello_len = get_be24(p + 6);
		if (hello_len < HELLO_MIN || hello_len > HELLO_MAX)
			return SNIFF_NO;
	}
	if (len >= 6) {
		if (n < SNIFF_MAX)
			return SNIFF_MORE;
		if ((p[9] != 3 || p[10] > 4) && p[9] != 0x7f)
			return SNIFF_NO;
	}
	return p[5] == 1 ? SNIFF_CLIENT : SNIFF_SERVER;
}

/* msg_length with its high bit, CLIENT-HELLO, version 3.x, lengths of three lists that add up. */
static bool is_v2_hello(const uint8_t *p, size_t n)
{
	uint32_t len, suites, session, challenge;

	if (n < SNIFF_MAX || !(p[0] & 0x80) || p[2] != 1 || p[3] != 3 || p[4] > 3)
		return false;
	len = get_be16(p) & 0x7fff;
	suites = get_be16(p + 5);
	session = get_be16(p + 7);
	challenge = get_be16(p + 9);
	return suites && suites % 3 == 0 && session <= 32 && challenge >= 16 && challenge <= 32 &&
		len == 9 + suites + session + challenge && n >= len + 2;
}

enum sniff sniff_at(const uint8_t *p, size_t n)
{
	if (n < 5) {
		if (may_become_header(p, n))
			return SNIFF_MORE;
		return SNIFF_NO;
	}
	if (p[0] == TLS_HANDSHAKE && plausible_header(p))
		return hello_at(p, n);
	if (is_v2_hello(p, n))
		return SNIFF_CLIENT_V2;
	return plausible_header(p) ? SNIFF_RECORD : SNIFF_NO;
}

/* memchr() reads a vector: after a short payload that is a line which nobody has loaded. */
static const uint8_t *find_handshake(const uint8_t *p, size_t n)
{
	if (n >= 32)
		return memchr(p, TLS_HANDSHAKE, n);
	for (; n; n--, p++)
		if (*p == TLS_HANDSHAKE)
			return p;
	return NULL;
}

enum sniff sniff_find(const uint8_t *p, size_t n, size_t *at)
{
	const uint8_t *end = p + n, *q = p;

	while ((q = find_handshake(q, (size_t)(end - q)))) {
		enum sniff kind = sniff_at(q, (size_t)(end - q));

		if (kind == SNIFF_CLIENT || kind == SNIFF_SERVER || kind == SNIFF_MORE) {
			*at = (size_t)(q - p);
			return kind;
		}
		q++;
	}
	return SNIFF_NO;
}
