/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>

#include "keys/scope.h"

#define POLICY_ITEMS_MAX 4096

struct conn;
struct pipeline;

/**
 * Which connections may be decrypted, whether or not there are keys: those that scope_permits().
 */
struct policy {
	struct scope only;
	struct scope except;
};

/**
 * Read a file of lines `only ITEM` and `except ITEM`; empty lines and # comments between them.
 * @return 0 or -errno; said on stderr, with the line.
 */
int policy_load(struct policy **out, const char *path);
void policy_free(struct policy *p);

/**
 * Once a connection, when its secrets could be looked up for the first time. The server name is then
 * known, if the ClientHello was seen. Context: worker.
 */
void policy_judge(struct pipeline *pl, struct conn *c);
