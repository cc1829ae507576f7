/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Which connection key-log text speaks of: the client_random of its first line that bears one.
 * @return false: none does.
 *
 * Context: any; no allocation; nothing secret stays on the stack.
 */
bool payload_random(const char *text, size_t len, uint8_t client_random[32]);

/** Whether a payload is sealed, rightly or not. */
bool payload_is_sealed(const char *payload, size_t len);
