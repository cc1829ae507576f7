/* SPDX-License-Identifier: BSD-3-Clause */
/* Hexadecimal, as key logs and fingerprints use it. */
#include "base/hex.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum verdict hex_decode(uint8_t *out, const char *s, size_t n)
{
	if (n % 2)
		return V_KEY_HEX;
	for (size_t i = 0; i < n; i += 2) {
		int hi = digit(s[i]), lo = digit(s[i + 1]);

		if (hi < 0 || lo < 0)
			return V_KEY_HEX;
		out[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	return V_OK;
}

void hex_encode(char *out, const uint8_t *data, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[data[i] >> 4];
		*out++ = digits[data[i] & 15];
	}
	*out = '\0';
}
