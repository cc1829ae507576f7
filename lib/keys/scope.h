/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys/tuple.h"

#define SCOPE_NAME_MAX 255
#define SCOPE_ITEM_MAX (SCOPE_NAME_MAX + 8) /* bytes of an item's text */

/** What an item may be, for messages. */
#define SCOPE_FORM "port:N, sni:NAME, sni:*.NAME, net:ADDRESS/BITS, server:ADDRESS/BITS"

enum scope_kind { SCOPE_PORT, SCOPE_SNI, SCOPE_NET, SCOPE_SERVER };

struct scope_item {
	enum scope_kind kind;
	bool suffix; /* sni:*.NAME */
	uint8_t addr_len;
	uint8_t bits;
	uint8_t name_len;
	uint16_t port;
	uint8_t addr[16];
	char name[SCOPE_NAME_MAX + 1];
};

/** A list of items, any of which may match. The caller's memory. */
struct scope {
	uint32_t n;
	struct scope_item *item;
};

enum scope_answer { SCOPE_NO, SCOPE_YES, SCOPE_UNKNOWN };

/**
 * Read one item: `port:` of the server, `net:` of the client, `server:` network of the server, `sni:`.
 * @return 0, or -EINVAL: it has none of the forms of SCOPE_FORM.
 */
int scope_read(struct scope_item *out, const char *text, size_t len);

/**
 * Does an item match a connection? What is not known is its own answer, so that the caller can decide it
 * in favour of secrecy.
 *
 * `sni:*.NAME` matches names that end in .NAME, at any depth, not NAME itself; case does not matter.
 * @param client  And @p server: NULL if they are not known.
 * @param sni     "" if the client sent none; NULL if that is not known.
 * @return SCOPE_UNKNOWN: none is known to match, but some ask for what is not known.
 */
enum scope_answer scope_match(const struct scope *s, const struct tuple_end *client,
	const struct tuple_end *server, const char *sni);

/**
 * May a connection be decrypted? If an item of @p only matches it, or there is none, and no item of
 * @p except does; what is not known counts against it. Otherwise as scope_match().
 */
bool scope_permits(const struct scope *only, const struct scope *except,
	const struct tuple_end *client, const struct tuple_end *server, const char *sni);
