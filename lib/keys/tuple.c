/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Secrets by 5-tuple, for connections whose handshake was not seen. The name is a hash: addresses and
 * ports of both ends do not fit into the 32 bytes of an identifier.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* the low-level hash does not allocate */
#include "keys/tuple.h"

#include <arpa/inet.h>
#include <openssl/sha.h>
#include <string.h>

struct tuple_end tuple_end_of(const struct flow_key *k, int end)
{
	struct tuple_end e = { .addr_len = k->addr_len, .port = k->port[end] };

	memcpy(e.addr, k->addr[end], sizeof(e.addr));
	return e;
}

struct key_name tuple_name(const struct tuple_end *client, const struct tuple_end *server)
{
	struct key_name name = { .id_len = 32, .kind = KEY_BY_TUPLE };
	const struct tuple_end *end[2] = { client, server };
	uint8_t text[2 * 19];
	SHA256_CTX sha;

	for (int i = 0; i < 2; i++) {
		uint8_t *p = text + 19 * i;

		memcpy(p, end[i]->addr, 16);
		p[16] = end[i]->addr_len;
		p[17] = (uint8_t)(end[i]->port >> 8);
		p[18] = (uint8_t)end[i]->port;
	}
	SHA256_Init(&sha);
	SHA256_Update(&sha, text, sizeof(text));
	SHA256_Final(name.id, &sha);
	return name;
}

/* One field up to a comma or the end. */
static bool field(const char **s, const char *end, char *out, size_t cap)
{
	size_t n = 0;

	while (*s < end && **s != ',' && **s != ' ' && **s != '\r') {
		if (n + 1 >= cap)
			return false;
		out[n++] = *(*s)++;
	}
	out[n] = '\0';
	if (*s < end && **s == ',')
		(*s)++;
	return n > 0;
}

bool tuple_read_port(const char *s, uint16_t *port)
{
	uint32_t v = 0;

	for (; *s; s++) {
		if (*s < '0' || *s > '9' || v > 6553)
			return false;
		v = v * 10 + (uint32_t)(*s - '0');
	}
	*port = (uint16_t)v;
	return v && v <= UINT16_MAX;
}

bool tuple_read_addr(const char *s, uint8_t addr[16], uint8_t *addr_len)
{
	if (inet_pton(AF_INET, s, addr) == 1)
		*addr_len = 4;
	else if (inet_pton(AF_INET6, s, addr) == 1)
		*addr_len = 16;
	else
		return false;
	return true;
}

static bool parse_end(const char **s, const char *end, struct tuple_end *out)
{
	char text[INET6_ADDRSTRLEN];

	*out = (struct tuple_end){ 0 };
	return field(s, end, text, sizeof(text)) &&
		tuple_read_addr(text, out->addr, &out->addr_len) &&
		field(s, end, text, sizeof(text)) && tuple_read_port(text, &out->port);
}

void tuple_comment(struct tuple_scope *t, const char *s, size_t n)
{
	static const char key[] = "tuple=";
	const char *end = s + n;
	struct tuple_end client, server;

	while (s < end && (*s == '#' || *s == ' '))
		s++;
	if ((size_t)(end - s) < sizeof(key) - 1 || memcmp(s, key, sizeof(key) - 1) != 0)
		return;
	s += sizeof(key) - 1;
	*t = (struct tuple_scope){ 0 };
	if (!parse_end(&s, end, &client) || !parse_end(&s, end, &server))
		return;
	t->bound = true;
	t->name = tuple_name(&client, &server);
}

bool tuple_bind(struct tuple_scope *t, struct keylog_line *line)
{
	if (!t->bound || line->id_kind != KEY_BY_RANDOM)
		return false;
	if (t->has_random && memcmp(t->random, line->id, 32) != 0) {
		t->bound = false;
		return false;
	}
	t->has_random = true;
	memcpy(t->random, line->id, 32);
	memcpy(line->id, t->name.id, 32);
	line->id_len = t->name.id_len;
	line->id_kind = KEY_BY_TUPLE;
	return true;
}
