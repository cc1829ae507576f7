/* SPDX-License-Identifier: BSD-3-Clause */
/* OpenSSL has only base64 with padding, and passes over what does not belong in it. */
#include "keybus/b64url.h"

#include <errno.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void b64url_encode(char *out, const uint8_t *data, size_t n)
{
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | data[i];
		for (have += 8; have >= 6; have -= 6)
			*out++ = digits[bits >> (have - 6) & 63];
	}
	if (have)
		*out++ = digits[bits << (6 - have) & 63];
	*out = '\0';
}

static int value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

ssize_t b64url_decode(uint8_t *out, const char *s, size_t n)
{
	uint8_t *start = out;
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < n; i++) {
		int v = value(s[i]);

		if (v < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*out++ = (uint8_t)(bits >> have);
		}
	}
	if (have == 6 || bits & ((1u << have) - 1))
		return -EINVAL;
	return out - start;
}
