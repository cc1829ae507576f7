/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Key-log lines, put together by connection: a payload replaces the one before it under the same name,
 * so it has to hold all that is known. The connections seen last are remembered.
 */
struct group;

#define GROUP_MAX 512 /* connections */

/** Take all lines of a connection that has new ones. Borrowed. */
typedef void group_send(void *arg, const uint8_t client_random[32], const char *text, size_t len);

int group_new(struct group **out, group_send *send, void *arg);

/** Cleanses; does not send. */
void group_free(struct group *g);

/**
 * Add the whole lines of a text; the rest is the caller's to keep.
 * Comments go with the line that follows them. Lines that name no client_random are passed over.
 * @return bytes used: up to the last line feed.
 */
size_t group_add(struct group *g, const char *text, size_t len);

/** Send what has changed since. */
void group_flush(struct group *g);

/** Lines that were of no use: malformed, or named by something else. */
uint64_t group_skipped(const struct group *g);
