/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scraper is not trusted: few connections, little memory for each, a short patience, and nothing
 * that a worker would have to wait for.
 */
#include "metrics.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <microhttpd.h>

#include "scrape.h"

#define CONNECTIONS 16u
#define CONNECTION_BYTES 16384
#define PATIENCE_S 10u

struct metrics {
	struct MHD_Daemon *daemon;
	const struct telemetry *t;
	size_t cap;
	uint8_t page[]; /* there is one thread */
};

static enum MHD_Result reply(
	struct MHD_Connection *c, unsigned status, const void *body, size_t len)
{
	static const char type[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
	/* MHD takes no const pointer, but copies. */
	struct MHD_Response *r = MHD_create_response_from_buffer(
		len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(
		r, MHD_HTTP_HEADER_CONTENT_TYPE, status == MHD_HTTP_OK ? type : "text/plain");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *why)
{
	return reply(c, status, why, strlen(why));
}

/* shape: parameters, MHD's */
static enum MHD_Result answer(void *metrics, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *body, size_t *body_len, void **state)
{
	struct metrics *m = metrics;
	struct wr w = wr_init(m->page, m->cap);

	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or HEAD\n");
	if (strcmp(url, "/metrics") != 0)
		return refuse(c, MHD_HTTP_NOT_FOUND, "try /metrics\n");
	scrape_write(&w, m->t);
	if (w.full)
		return refuse(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "too much to say\n");
	return reply(c, MHD_HTTP_OK, m->page, wr_len(&w, m->page));
}

/* @return 0 or an error of getaddrinfo(). */
static int resolve(const char *address, struct addrinfo **out)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(address, ':');
	char host[128];
	size_t n = colon ? (size_t)(colon - address) : 0;

	if (!n || n >= sizeof(host) || !colon[1])
		return EAI_NONAME;
	memcpy(host, address, n);
	host[n] = '\0';
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		return getaddrinfo(host + 1, colon + 1, &hints, out);
	}
	return getaddrinfo(host, colon + 1, &hints, out);
}

static struct MHD_Daemon *serve(struct metrics *m, const struct addrinfo *at)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO;

	if (at->ai_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	return MHD_start_daemon(flags, 0, NULL, NULL, answer, m, MHD_OPTION_SOCK_ADDR, at->ai_addr,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, PATIENCE_S,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
}

int metrics_start(struct metrics **out, const char *address, const struct telemetry *t)
{
	size_t cap = SCRAPE_BYTES((size_t)t->n);
	struct metrics *m;
	struct addrinfo *at;

	if (resolve(address, &at)) {
		fprintf(stderr,
			"cleartap: --metrics %s: give an address and a port, 127.0.0.1:9464 or "
			"[::1]:9464\n",
			address);
		return -EINVAL;
	}
	m = calloc(1, sizeof(*m) + cap);
	if (m) {
		m->t = t;
		m->cap = cap;
		errno = 0;
		m->daemon = serve(m, at);
	}
	freeaddrinfo(at);
	if (!m || !m->daemon) {
		int err = errno ? errno : EIO;

		fprintf(stderr, "cleartap: --metrics %s: cannot listen there: %s\n", address,
			strerror(err));
		free(m);
		return -err;
	}
	*out = m;
	return 0;
}

void metrics_stop(struct metrics *m)
{
	if (!m)
		return;
	MHD_stop_daemon(m->daemon);
	free(m);
}
