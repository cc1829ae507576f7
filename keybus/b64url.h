/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Characters for @p n bytes, without the terminating 0. */
#define B64URL_LEN(n) (((n)*4 + 2) / 3)

/** base64url without padding (RFC 4648, section 5). Writes B64URL_LEN(n) characters and a 0. */
void b64url_encode(char *out, const uint8_t *data, size_t n);

/**
 * The one way back: no padding, no blanks, no bits that encoding does not set.
 * @param out  Room for @p n * 3 / 4 bytes.
 * @return bytes, or -EINVAL.
 */
ssize_t b64url_decode(uint8_t *out, const char *s, size_t n);
