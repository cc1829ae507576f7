/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several servers in one string, as environment variables and command lines hold them. Commas are
 * what separates servers, so no part of a URI may hold one.
 */
#include "keybus/uri.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_DEFAULT "6379"

struct span {
	const char *p;
	size_t n;
};

static const struct scheme {
	const char *name;
	bool tls, cluster;
} schemes[] = {
	{ "redis://", false, false },
	{ "rediss://", true, false },
	{ "redis+cluster://", false, true },
	{ "rediss+cluster://", true, true },
};

static bool begins(struct span s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && !memcmp(s.p, with, n);
}

static struct span skip(struct span s, size_t n)
{
	return (struct span){ s.p + n, s.n - n };
}

/* @return false if it does not fit, or is empty. */
static bool copy(char *out, size_t size, struct span s)
{
	if (!s.n || s.n >= size || memchr(s.p, '\0', s.n))
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

static bool number(struct span s, unsigned long max, unsigned long *out)
{
	char text[8], *end;

	if (!copy(text, sizeof(text), s) || text[0] < '0' || text[0] > '9')
		return false;
	*out = strtoul(text, &end, 10);
	return !*end && *out <= max;
}

/* What names and addresses are made of; a zone of a link-local address may follow %. */
static bool is_host(const char *s)
{
	return *s &&
		s[strspn(s,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%")] ==
		'\0';
}

/* HOST, HOST:PORT, [IPV6], [IPV6]:PORT. @return NULL or what is wrong. */
static const char *parse_host(struct uri *u, struct span s)
{
	const char *end = s.p + s.n, *colon;
	struct span host = s;
	unsigned long port;

	if (s.n && *s.p == '[') {
		const char *close = memchr(s.p, ']', s.n);

		if (!close)
			return "a [ without ]";
		host = (struct span){ s.p + 1, (size_t)(close - s.p - 1) };
		colon = close + 1 < end ? close + 1 : NULL;
	} else {
		colon = memchr(s.p, ':', s.n);
		if (colon)
			host.n = (size_t)(colon - s.p);
	}
	if (!copy(u->host, sizeof(u->host), host) || !is_host(u->host))
		return "no host; give HOST or HOST:PORT";
	memcpy(u->port, PORT_DEFAULT, sizeof(PORT_DEFAULT));
	if (!colon)
		return NULL;
	s = (struct span){ colon + 1, (size_t)(end - colon - 1) };
	if (*colon != ':' || !number(s, 65535, &port) || !port ||
		!copy(u->port, sizeof(u->port), s))
		return "the port is no number from 1 to 65535 (an IPv6 address stands in [ ])";
	return NULL;
}

/* [USER@]HOST[:PORT][/DB] */
static const char *parse_server(struct uri *u, struct span s)
{
	const char *at = memrchr(s.p, '@', s.n), *slash;
	unsigned long db;

	if (at) {
		struct span user = { s.p, (size_t)(at - s.p) };

		if (memchr(user.p, ':', user.n))
			return "a password does not belong in a URI; use a password file or "
			       "CLEARTAP_REDIS_PASSWORD";
		if (!copy(u->user, sizeof(u->user), user))
			return "the user name is empty or longer than 63 bytes";
		s = skip(s, (size_t)(at + 1 - s.p));
	}
	slash = memchr(s.p, '/', s.n);
	if (slash) {
		if (!number(skip(s, (size_t)(slash + 1 - s.p)), 255, &db) || (db && u->cluster))
			return "what follows / is a database from 0 to 255 (a cluster has only 0)";
		u->db = (uint8_t)db;
		s.n = (size_t)(slash - s.p);
	}
	return parse_host(u, s);
}

static const char *parse(struct uri *u, const struct uri *before, struct span s)
{
	*u = (struct uri){ 0 };
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		if (!begins(s, schemes[i].name))
			continue;
		u->tls = schemes[i].tls;
		u->cluster = schemes[i].cluster;
		return parse_server(u, skip(s, strlen(schemes[i].name)));
	}
	if (begins(s, "unix:")) {
		s = skip(s, 5);
		if (begins(s, "//"))
			s = skip(s, 2);
		if (begins(s, "//"))
			return "too many slashes";
		return copy(u->path, sizeof(u->path), s) ? NULL :
							   "give unix:PATH, of at most 107 bytes";
	}
	if (!before || !*before->host || memmem(s.p, s.n, "://", 3))
		return "give redis://HOST:PORT, rediss://HOST:PORT, redis+cluster://HOST:PORT or "
		       "unix:PATH";
	*u = *before;
	return parse_host(u, s);
}

bool uri_is(const char *text)
{
	struct span s = { text, strlen(text) };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (begins(s, schemes[i].name))
			return true;
	return begins(s, "unix:");
}

int uri_list(struct uri *out, int max, const char *text, char *why, size_t why_size)
{
	int n = 0;

	for (;; text++) {
		struct span s = { text, strcspn(text, ",") };
		const char *wrong;

		if (n == max) {
			snprintf(why, why_size, "more than %d servers", max);
			return -EINVAL;
		}
		wrong = parse(&out[n], n ? &out[n - 1] : NULL, s);
		if (wrong) {
			snprintf(why, why_size, "server %d: %s", n + 1, wrong);
			return -EINVAL;
		}
		n++;
		text += s.n;
		if (!*text)
			return n;
	}
}

const char *uri_text(const struct uri *u, char *out, size_t size)
{
	bool v6 = strchr(u->host, ':');

	if (!*u->host)
		snprintf(out, size, "unix:%s", u->path);
	else
		snprintf(out, size, "redis%s%s://%s%s%s:%s", u->tls ? "s" : "",
			u->cluster ? "+cluster" : "", v6 ? "[" : "", u->host, v6 ? "]" : "",
			u->port);
	return out;
}
