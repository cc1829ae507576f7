/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define URI_MAX 16 /* servers in one list */

/** Where one Redis server is, and as whom to log in. */
struct uri {
	bool tls;
	bool cluster;   /* a node of a Redis Cluster: it names the others */
	uint8_t db;     /* SELECTed if not 0 */
	char user[64];  /* "": the default user */
	char host[254]; /* name, IPv4 or IPv6 address; "": a UNIX socket */
	char port[6];
	char path[108]; /* of the UNIX socket */
};

/** Whether @p text is spoken of here at all: begins with a scheme that uri_list() reads. */
bool uri_is(const char *text);

/**
 * Read a list of servers: `redis://[USER@]HOST[:PORT][/DB]`, `rediss://...` (TLS), `unix:PATH` or `unix://USER@/PATH`,
 * `redis+cluster://HOST[:PORT]`, `rediss+cluster://...`; commas between them. What has no scheme is
 * one more host of the URI before it: `redis+cluster://a:7000,b:7000`.
 *
 * A password in a URI is an error: command lines and environments are read by others.
 *
 * @param out  Room for @p max servers.
 * @param why  What is wrong and what to do; never holds what may be a password.
 * @return number of servers, at least 1; -EINVAL.
 */
int uri_list(struct uri *out, int max, const char *text, char *why, size_t why_size);

/** The server's name for messages: `redis://HOST:PORT` or `unix:PATH`. @return @p out. */
const char *uri_text(const struct uri *u, char *out, size_t size);
