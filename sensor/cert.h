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
