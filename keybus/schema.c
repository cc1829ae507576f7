/* SPDX-License-Identifier: BSD-3-Clause */
/* The names under which keys lie in Redis. */
#include "keybus/schema.h"

#include <stdio.h>

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
