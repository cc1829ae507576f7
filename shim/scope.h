/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/peer.h"

#define SCOPE_RULES_MAX 64
#define SCOPE_NAME_MAX 255

enum scope_kind { SCOPE_PORT, SCOPE_SNI, SCOPE_NET };

struct scope_rule {
	enum scope_kind kind;
	bool suffix; /* sni:*.NAME */
	uint8_t addr_len;
	uint8_t bits;
	uint16_t port;
	uint8_t addr[16];
	char name[SCOPE_NAME_MAX + 1];
};

/** A list of items, any of which may match. */
struct scope {
	uint32_t n;
	struct scope_rule rule[SCOPE_RULES_MAX];
};

enum scope_answer { SCOPE_NO, SCOPE_YES, SCOPE_UNKNOWN };

/**
 * Read "port:443,sni:*.example.org,net:10.0.0.0/8".
 * @param text  NULL: an empty list.
 * @param why   On failure: the item, and what an item may be.
 * @return 0 or -EINVAL.
 */
int scope_parse(struct scope *out, const char *text, char *why, size_t why_size);

/**
 * Does an item match a connection?
 *
 * `sni:*.NAME` matches names that end in .NAME, at any depth, not NAME itself; case does not matter.
 * @param sni  "" if the client sent none.
 * @return SCOPE_UNKNOWN: none is known to match, but some ask for addresses that are not known.
 */
enum scope_answer scope_match(const struct scope *s, const struct peer *peer, const char *sni);
