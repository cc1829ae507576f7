/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which connections may be decrypted: by server port and network, server name and client network. One
 * language for whoever sends keys (the shim) and whoever uses them (the sensor's policy).
 */
#include "keys/scope.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

static int number(const char *s, uint32_t max, uint32_t *out)
{
	*out = 0;
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		*out = *out * 10 + (uint32_t)(*s - '0');
		if (*out > max)
			return -EINVAL;
	}
	return 0;
}

static int read_sni(struct scope_item *i, const char *s)
{
	size_t n;

	i->suffix = s[0] == '*' && s[1] == '.';
	s += i->suffix;
	n = strlen(s);
	if (!s[i->suffix] || strchr(s, '*') || n > SCOPE_NAME_MAX)
		return -EINVAL;
	memcpy(i->name, s, n + 1);
	i->name_len = (uint8_t)n;
	return 0;
}

static int read_net(struct scope_item *i, char *s)
{
	char *slash = strchr(s, '/');
	uint32_t bits;

	if (slash)
		*slash = '\0';
	if (!tuple_read_addr(s, i->addr, &i->addr_len))
		return -EINVAL;
	bits = 8u * i->addr_len;
	if (slash && number(slash + 1, bits, &bits) < 0)
		return -EINVAL;
	i->bits = (uint8_t)bits;
	if (i->addr_len == 16 && bits >= 96 && IN6_IS_ADDR_V4MAPPED(i->addr)) {
		memmove(i->addr, i->addr + 12, 4);
		i->addr_len = 4;
		i->bits -= 96;
	}
	return 0;
}

int scope_read(struct scope_item *out, const char *text, size_t len)
{
	char item[SCOPE_ITEM_MAX + 1], *value;

	memset(out, 0, sizeof(*out));
	if (len > SCOPE_ITEM_MAX || memchr(text, '\0', len))
		return -EINVAL;
	memcpy(item, text, len);
	item[len] = '\0';
	value = strchr(item, ':');
	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (strcmp(item, "port") == 0) {
		out->kind = SCOPE_PORT;
		return tuple_read_port(value, &out->port) ? 0 : -EINVAL;
	}
	if (strcmp(item, "sni") == 0) {
		out->kind = SCOPE_SNI;
		return read_sni(out, value);
	}
	out->kind = strcmp(item, "net") == 0 ? SCOPE_NET : SCOPE_SERVER;
	if (out->kind == SCOPE_SERVER && strcmp(item, "server") != 0)
		return -EINVAL;
	return read_net(out, value);
}

static bool match_net(const struct scope_item *i, const struct tuple_end *end)
{
	uint8_t whole = i->bits / 8, rest = i->bits % 8;

	if (end->addr_len != i->addr_len || memcmp(end->addr, i->addr, whole) != 0)
		return false;
	return !rest || (end->addr[whole] ^ i->addr[whole]) >> (8 - rest) == 0;
}

static bool match_sni(const struct scope_item *i, const char *sni)
{
	size_t n = strlen(sni);

	if (!i->suffix)
		return n == i->name_len && strcasecmp(i->name, sni) == 0;
	return n > i->name_len && strcasecmp(i->name, sni + n - i->name_len) == 0;
}

static bool match(const struct scope_item *i, const struct tuple_end *client,
	const struct tuple_end *server, const char *sni)
{
	switch (i->kind) {
	case SCOPE_SNI:
		return match_sni(i, sni);
	case SCOPE_PORT:
		return server->port == i->port;
	case SCOPE_NET:
		return match_net(i, client);
	default:
		return match_net(i, server);
	}
}

enum scope_answer scope_match(const struct scope *s, const struct tuple_end *client,
	const struct tuple_end *server, const char *sni)
{
	const bool known[] = { [SCOPE_PORT] = server,
		[SCOPE_SNI] = sni,
		[SCOPE_NET] = client,
		[SCOPE_SERVER] = server };
	enum scope_answer answer = SCOPE_NO;

	for (uint32_t k = 0; k < s->n; k++) {
		if (!known[s->item[k].kind])
			answer = SCOPE_UNKNOWN;
		else if (match(&s->item[k], client, server, sni))
			return SCOPE_YES;
	}
	return answer;
}

bool scope_permits(const struct scope *only, const struct scope *except,
	const struct tuple_end *client, const struct tuple_end *server, const char *sni)
{
	return (!only->n || scope_match(only, client, server, sni) == SCOPE_YES) &&
		scope_match(except, client, server, sni) == SCOPE_NO;
}
