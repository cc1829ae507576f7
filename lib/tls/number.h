/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tls/opener.h"

/**
 * Compute the number under which a record was sealed, from the record and its keys alone.
 *
 * AES-GCM, TLS 1.3: the tag is GHASH xor E_K(J0), so D_K of their sum is J0, whose nonce holds the
 * number. TLS 1.2: the nonce is on the wire and the number is in the first block that GHASH takes in;
 * GHASH is linear, so that block is what is left of the tag divided by a power of H. In both cases 64
 * bits that are known beforehand have to come out right.
 *
 * @param body  Record body as on the wire, @p len bytes.
 * @param seq   Set on V_OK. To be confirmed: the record must open under it.
 * @return V_OK; V_TAG: no number makes this record one of these keys; V_SUITE: not AES-GCM, the number
 *         cannot be computed.
 *
 * Context: any; no allocation; about 20 us for 16 KB: for the record after a hole, not for all.
 */
__attribute__((nonnull)) enum verdict number_solve(const struct record_keys *keys,
	const uint8_t hdr[5], const uint8_t *body, size_t len, uint64_t *seq);
