/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"

/**
 * Decode hexadecimal text, either case.
 *
 * @param out  Room for n / 2 bytes.
 * @param s    @p n characters; need not be terminated.
 * @return V_OK; V_KEY_HEX on an odd count or a character that is not a digit.
 */
enum verdict hex_decode(uint8_t *out, const char *s, size_t n);

/** Encode @p n bytes as 2 * n lower-case digits and a terminating 0. */
void hex_encode(char *out, const uint8_t *data, size_t n);
