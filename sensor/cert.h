/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

#include "write/eve.h"

/**
 * What EVE says of a certificate. Fingerprints are there for any bytes; the other members stay
 * empty where the DER cannot be read. Names are escaped as in RFC 2253 (a comma in a value is not
 * taken for the end of it), and cut if they are longer than there is room.
 *
 * Context: control plane; OpenSSL allocates.
 */
void cert_read(struct eve_cert *out, const uint8_t *der, uint32_t len);

enum { CERTS = 1024 };

/**
 * Certificates that were read before: servers show the same few again and again, and OpenSSL takes 0.1 ms
 * to read one. A certificate has one place, by its fingerprint, and keeps it until another takes it.
 * Zeroed memory is an empty one. One thread.
 */
struct certs {
	struct {
		uint8_t sha256[32];
		struct eve_cert cert;
	} at[CERTS];
};

/** As cert_read(). @return what it says, until the next call. */
const struct eve_cert *certs_read(struct certs *c, const uint8_t *der, uint32_t len);
