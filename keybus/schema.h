/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The channel on which every payload is announced. */
#define SCHEMA_CHANNEL "ct:keys"
/** Longest payload; what is longer is not sent, and not taken. */
#define SCHEMA_PAYLOAD_MAX (32u << 10)
/** How long an acknowledgement that nobody fetches lives. */
#define SCHEMA_ACK_MS "1000"

/** Which key of a connection: its payload, or the list of acknowledgements of it. */
enum schema_kind { SCHEMA_PAYLOAD = 'k', SCHEMA_ACK = 'a' };

/** What SCAN is to find: every payload. */
#define SCHEMA_PAYLOADS "ct:k:*"

/** The name of a key, terminated. */
struct schema_key {
	char text[80];
};

/**
 * `ct:k:<client_random>` or `ct:a:<client_random>`, in lower-case hexadecimal.
 * @param cluster  With a hash tag, ct:k:{<client_random>}: both keys are in one slot.
 */
struct schema_key schema_key(enum schema_kind kind, const uint8_t client_random[32], int cluster);

/** Whose payload is under this name? @return false: it is no such name. */
bool schema_random(const char *name, size_t len, uint8_t client_random[32]);
