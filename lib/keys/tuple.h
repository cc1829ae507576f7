/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/ends.h"
#include "keys/keylog.h"
#include "keys/keytab.h"

/** One endpoint of a connection, as a key is bound to it. */
struct tuple_end {
	uint8_t addr[16]; /* network order; IPv4 in the first 4 bytes, the rest 0 */
	uint8_t addr_len; /* 4 or 16 */
	uint16_t port;
};

/** Endpoint @p end, 0 or 1, of a connection in the table. */
struct tuple_end tuple_end_of(const struct flow_key *k, int end);

/** An address as text, of either family. @param addr  Set as in struct tuple_end. */
bool tuple_read_addr(const char *s, uint8_t addr[16], uint8_t *addr_len);

/** A port as decimal text, not 0. */
bool tuple_read_port(const char *s, uint16_t *port);

/** The name under which the secrets of a connection are found without its ClientHello. */
struct key_name tuple_name(const struct tuple_end *client, const struct tuple_end *server);

/**
 * Which connection the lines of a key log speak of: what the comment
 * `# tuple=<client ip>,<port>,<server ip>,<port>` said, and of which ClientHello.random it was said.
 * All zeros: of none.
 */
struct tuple_scope {
	bool bound;      /* there was such a comment */
	bool has_random; /* and a secret since */
	struct key_name name;
	uint8_t random[32];
};

/** Heed a line that starts with '#'; another comment changes nothing. */
void tuple_comment(struct tuple_scope *t, const char *s, size_t n);

/**
 * A secret under the random of its connection: is it bound to a tuple as well?
 * @return true: @p line now goes by the tuple's name and is to be put a second time.
 */
bool tuple_bind(struct tuple_scope *t, struct keylog_line *line);
