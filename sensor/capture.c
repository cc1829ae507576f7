/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets out of a capture file. Packets are handed out in place, so the buffer may move only while
 * none is out: a burst ends early where the bytes at hand end, and the next one starts by reading.
 * What is damaged or cut off is found by looking at a record without taking it; all before it has
 * been handed out when that is said.
 */
#include "capture_format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum capture_step capture_damaged(struct capture *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return STEP_DAMAGED;
}

/* Say it once, and be done with this capture. */
static int fail(struct capture *c, int error, const char *what, const char *advice)
{
	fprintf(stderr, "cleartap: %s: at byte %" PRIu64 "%s: %s; %s\n", c->name,
		input_offset(&c->in), c->in.gz ? " of the uncompressed data" : "", what, advice);
	c->error = error;
	return error;
}

static int fail_truncated(struct capture *c)
{
	char what[96];

	c->truncated = true;
	if (c->in.cut)
		snprintf(what, sizeof(what), "the gzip data is cut off");
	else
		snprintf(what, sizeof(what), "the capture is cut off (%zu of %zu bytes)",
			input_left(&c->in), c->need);
	return fail(c, -EBADMSG, what, "what comes before was read");
}

/* @return 1 if `need` bytes are at hand now, 0 at the end, or -errno. */
static int more(struct capture *c)
{
	if (input_fill(&c->in, c->need))
		return 1;
	if (c->in.error) {
		snprintf(c->why, sizeof(c->why), "%s%s", c->in.why ? "gzip: " : "",
			c->in.why ? c->in.why : strerror(-c->in.error));
		return fail(c, c->in.error, c->why, "the rest is not read");
	}
	if (input_left(&c->in) || c->in.cut)
		return fail_truncated(c);
	return 0;
}

int capture_burst(struct capture *c, struct pkt *pkts, int max)
{
	int n = 0;

	while (n < max && !c->error) {
		enum capture_step step = c->step(c, &pkts[n]);

		if (step == STEP_PACKET) {
			n++;
			continue;
		}
		if (step == STEP_OTHER)
			continue;
		/* Packets out: neither move the buffer nor wait; the next call looks again. */
		if (n)
			return n;
		if (step == STEP_DAMAGED)
			return fail(c, -EBADMSG, c->why, "the rest is not read");
		if (more(c) == 0)
			return 0;
	}
	return n ? n : c->error;
}

/* Secrets may stand behind the packets that need them: fetch them all, then start again. */
static int scan_secrets(struct capture *c)
{
	struct pkt ignored;
	int rc;

	for (;;) {
		enum capture_step step = c->step(c, &ignored);

		if (step == STEP_DAMAGED)
			break; /* found again, and said, when the packets before it were read */
		if (step == STEP_MORE && !input_fill(&c->in, c->need))
			break;
	}
	c->secrets = NULL;
	c->iface_count = 0;
	rc = input_rewind(&c->in);
	if (rc)
		return fail(c, rc, strerror(-rc), "cannot start again");
	return 0;
}

static int start(struct capture *c)
{
	const uint8_t section[4] = { 0x0a, 0x0d, 0x0d, 0x0a };
	int rc;

	if (!input_fill(&c->in, 4)) {
		if (c->in.error || c->in.cut)
			return more(c);
		c->truncated = input_left(&c->in) > 0;
		return fail(c, -EBADMSG, c->truncated ? "too short for a capture" : "empty",
			"nothing to be read");
	}
	if (memcmp(c->in.p, section, 4) == 0) {
		c->step = capture_pcapng_step;
		rc = capture_pcapng_start(c);
	} else {
		c->step = capture_pcap_step;
		rc = capture_pcap_start(c);
	}
	if (rc)
		return fail(c, rc, c->why, "give a capture, or convert it with editcap");
	if (c->step == capture_pcapng_step && c->secrets && c->in.size)
		return scan_secrets(c);
	return 0;
}

static int cannot_open(const char *name, int rc)
{
	fprintf(stderr, "cleartap: %s: %s; %s\n", name, strerror(-rc),
		rc == -EISDIR         ? "give the capture files in it" :
			rc == -EACCES ? "let this user read it" :
					"give a capture file, a FIFO, or - for standard input");
	return rc;
}

int capture_open(struct capture **out, const char *path, capture_secrets_fn *secrets, void *arg)
{
	struct capture *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
	if (!c)
		return cannot_open(path, -ENOMEM);
	c->name = strcmp(path, "-") == 0 ? "standard input" : path;
	c->secrets = secrets;
	c->secrets_arg = arg;
	c->need = 4;
	rc = input_open(&c->in, path);
	if (rc) {
		cannot_open(c->name, rc);
		free(c);
		return rc;
	}
	rc = start(c);
	if (rc) {
		capture_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

uint64_t capture_tell(const struct capture *c)
{
	return c->in.read;
}

uint64_t capture_size(const struct capture *c)
{
	return c->in.size;
}

int capture_truncated(const struct capture *c)
{
	return c->truncated;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	input_close(&c->in);
	free(c->ifaces);
	free(c);
}
