/* SPDX-License-Identifier: BSD-3-Clause */
/* push and tail: from key-log lines to payloads. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keybus/cli/cli.h"
#include "keybus/cli/follow.h"
#include "keybus/cli/group.h"

#define LINE_MAX_BYTES 8192

struct sending {
	struct push *push;
	struct group *group;
	uint64_t by[PUSH_REFUSED + 1];
	size_t len; /* of a line without its end */
	char buf[65536];
};

static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	stopping = 1;
}

static void send_one(void *arg, const uint8_t client_random[32], const char *text, size_t len)
{
	struct sending *s = arg;

	s->by[push_send(s->push, client_random, text, len)]++;
}

static int start(struct sending *s, const struct cli *c)
{
	const struct push_cfg cfg = { .servers = c->servers,
		.ca = c->access.ca,
		.cert = c->access.cert,
		.key = c->access.key,
		.password_file = c->access.password_file,
		.seal = c->seal,
		.ack = c->ack,
		.acks = c->acks,
		.hold_ms = c->hold_ms,
		.ttl_s = c->ttl_s };
	char why[300];

	if (push_new(&s->push, &cfg, why, sizeof(why)))
		return cli_fail("%s", why);
	return group_new(&s->group, send_one, s) ? cli_fail("no memory") : CLI_OK;
}

/* A last line without line feed is a line when nothing more will come. */
static void take(struct sending *s, size_t n, bool last)
{
	size_t used;

	s->len += n;
	if (last && s->len && s->len < sizeof(s->buf) && s->buf[s->len - 1] != '\n')
		s->buf[s->len++] = '\n';
	used = group_add(s->group, s->buf, s->len);
	s->len -= used;
	memmove(s->buf, s->buf + used, s->len);
	if (s->len > LINE_MAX_BYTES) /* no line is so long */
		s->len = 0;
	OPENSSL_cleanse(s->buf + s->len, used + n);
}

static int finish(struct sending *s)
{
	uint64_t lost = s->by[PUSH_TIMEOUT] + s->by[PUSH_DOWN] + s->by[PUSH_REFUSED];
	uint64_t skipped = s->group ? group_skipped(s->group) : 0;

	group_free(s->group);
	push_free(s->push);
	OPENSSL_cleanse(s->buf, sizeof(s->buf));
	if (skipped)
		cli_fail("%lu lines passed over: no key-log lines, or not by client_random",
			(unsigned long)skipped);
	if (!lost)
		return CLI_OK;
	return cli_fail(
		"%lu of %lu not sent: %lu not acknowledged in time, %lu without connection, "
		"%lu refused by Redis",
		(unsigned long)lost, (unsigned long)(lost + s->by[PUSH_ACKED] + s->by[PUSH_STORED]),
		(unsigned long)s->by[PUSH_TIMEOUT], (unsigned long)s->by[PUSH_DOWN],
		(unsigned long)s->by[PUSH_REFUSED]);
}

int cli_push(const struct cli *c)
{
	static struct sending s;
	int fd = STDIN_FILENO, rc = start(&s, c);
	ssize_t n = 0;

	if (!rc && c->n_args && strcmp(c->args[0], "-") != 0)
		fd = open(c->args[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		rc = cli_fail("%s: %s", c->args[0], strerror(errno));
	while (!rc && (n = read(fd, s.buf + s.len, sizeof(s.buf) - s.len)) > 0)
		take(&s, (size_t)n, false);
	if (n < 0)
		rc = cli_fail("read: %s", strerror(errno));
	if (!rc) {
		take(&s, 0, true);
		group_flush(s.group);
	}
	return finish(&s) | rc;
}

int cli_tail(const struct cli *c)
{
	struct sigaction act = { .sa_handler = on_signal };
	static struct sending s;
	struct follow *f = NULL;
	int rc = start(&s, c);

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	if (!rc)
		rc = follow_open(&f, c->args[0]);
	if (rc < 0)
		rc = cli_fail("%s: %s", c->args[0], strerror(-rc));
	while (!rc && !stopping) {
		bool anew;
		ssize_t n = follow_read(f, s.buf + s.len, sizeof(s.buf) - s.len, &anew);

		if (n > 0 && anew) { /* the rest of that line will not come */
			memmove(s.buf, s.buf + s.len, (size_t)n);
			s.len = 0;
		}
		if (n > 0)
			take(&s, (size_t)n, false);
		else
			group_flush(s.group);
		if (n == 0)
			follow_wait(f);
		if (n < 0)
			rc = cli_fail("%s: %s", c->args[0], strerror((int)-n));
	}
	if (s.group)
		group_flush(s.group);
	follow_close(f);
	return finish(&s) | rc;
}
