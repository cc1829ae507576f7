/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "keys/scope.h"

#define SCOPE_LIST_MAX 64

/** A setting's value as a scope. */
struct scope_list {
	struct scope scope;
	struct scope_item item[SCOPE_LIST_MAX];
};

/**
 * Read "port:443,sni:*.example.org,net:10.0.0.0/8".
 * @param text  NULL: an empty list.
 * @param why   On failure: the item, and what an item may be.
 * @return 0 or -EINVAL.
 */
int scope_list_parse(struct scope_list *out, const char *text, char *why, size_t why_size);
