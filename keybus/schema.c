/* SPDX-License-Identifier: BSD-3-Clause */
/* The names under which keys lie in Redis. */
#include "keybus/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"

struct schema_key schema_key(enum schema_kind kind, const uint8_t client_random[32], int cluster)
{
	struct schema_key k;
	char hex[65];

	hex_encode(hex, client_random, 32);
	snprintf(k.text, sizeof(k.text), "ct:%c:%s%s%s", kind, cluster ? "{" : "", hex,
		cluster ? "}" : "");
	return k;
}

bool schema_random(const char *name, size_t len, uint8_t client_random[32])
{
	const char *hex = name + 5;

	if ((len != 69 && len != 71) || memcmp(name, SCHEMA_PAYLOADS, 5) != 0)
		return false;
	if (len == 71 && (*hex++ != '{' || name[len - 1] != '}'))
		return false;
	return hex_decode(client_random, hex, 64) == V_OK;
}
