/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which connections keys may be sent of: by server port, server name and client network. What cannot
 * be known is its own answer, so that the caller can decide it in favour of secrecy.
 */
#include "shim/scope.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int number(const char *s, unsigned long max, unsigned long *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	*out = strtoul(s, &end, 10);
	return *end || errno || *out > max ? -EINVAL : 0;
}

static int parse_port(struct scope_rule *r, const char *s)
{
	unsigned long port;

	r->kind = SCOPE_PORT;
	if (number(s, UINT16_MAX, &port) < 0 || !port)
		return -EINVAL;
	r->port = (uint16_t)port;
	return 0;
}

static int parse_sni(struct scope_rule *r, const char *s)
{
	r->kind = SCOPE_SNI;
	r->suffix = s[0] == '*' && s[1] == '.';
	if (r->suffix)
		s++;
	if (!s[r->suffix] || strchr(s, '*') || strlen(s) > SCOPE_NAME_MAX)
		return -EINVAL;
	snprintf(r->name, sizeof(r->name), "%s", s);
	return 0;
}

static int parse_net(struct scope_rule *r, char *s)
{
	char *slash = strchr(s, '/');
	unsigned long bits;

	r->kind = SCOPE_NET;
	if (slash)
		*slash = '\0';
	if (inet_pton(AF_INET, s, r->addr) == 1)
		r->addr_len = 4;
	else if (inet_pton(AF_INET6, s, r->addr) == 1)
		r->addr_len = 16;
	else
		return -EINVAL;
	bits = 8ul * r->addr_len;
	if (slash && number(slash + 1, bits, &bits) < 0)
		return -EINVAL;
	r->bits = (uint8_t)bits;
	if (r->addr_len == 16 && bits >= 96 && IN6_IS_ADDR_V4MAPPED(r->addr)) {
		memmove(r->addr, r->addr + 12, 4);
		r->addr_len = 4;
		r->bits -= 96;
	}
	return 0;
}

static int parse_item(struct scope_rule *r, char *s)
{
	char *value = strchr(s, ':');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (strcmp(s, "port") == 0)
		return parse_port(r, value);
	if (strcmp(s, "sni") == 0)
		return parse_sni(r, value);
	return strcmp(s, "net") == 0 ? parse_net(r, value) : -EINVAL;
}

int scope_parse(struct scope *out, const char *text, char *why, size_t why_size)
{
	memset(out, 0, sizeof(*out));
	while (text && *text) {
		size_t n = strcspn(text, ",");
		char item[SCOPE_NAME_MAX + 8];

		snprintf(item, sizeof(item), "%.*s", (int)n, text);
		if (n >= sizeof(item) || out->n == SCOPE_RULES_MAX ||
			parse_item(&out->rule[out->n], item) < 0) {
			snprintf(why, why_size,
				"\"%.*s\": give at most %d of port:N, sni:NAME, sni:*.NAME, "
				"net:ADDRESS/BITS",
				n < 64 ? (int)n : 64, text, SCOPE_RULES_MAX);
			return -EINVAL;
		}
		out->n++;
		text += n;
		if (*text == ',' && !*++text) {
			snprintf(why, why_size, "an item is missing after the last comma");
			return -EINVAL;
		}
	}
	return 0;
}

static bool match_net(const struct scope_rule *r, const struct tuple_end *client)
{
	uint8_t whole = r->bits / 8, rest = r->bits % 8;

	if (client->addr_len != r->addr_len || memcmp(client->addr, r->addr, whole) != 0)
		return false;
	return !rest || (client->addr[whole] ^ r->addr[whole]) >> (8 - rest) == 0;
}

static bool match_sni(const struct scope_rule *r, const char *sni)
{
	size_t name = strlen(r->name), n = strlen(sni);

	if (!r->suffix)
		return strcasecmp(r->name, sni) == 0;
	return n > name && strcasecmp(r->name, sni + n - name) == 0;
}

enum scope_answer scope_match(const struct scope *s, const struct peer *peer, const char *sni)
{
	enum scope_answer answer = SCOPE_NO;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct scope_rule *r = &s->rule[i];
		bool hit;

		if (r->kind == SCOPE_SNI)
			hit = match_sni(r, sni);
		else if (!peer->known)
			hit = false, answer = SCOPE_UNKNOWN;
		else
			hit = r->kind == SCOPE_PORT ? peer->server.port == r->port :
						      match_net(r, &peer->client);
		if (hit)
			return SCOPE_YES;
	}
	return answer;
}
