/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a long replay is, for the person who waits. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void progress_init(struct progress *p)
{
	*p = (struct progress){ .on = isatty(STDERR_FILENO), .next_ms = now_ms() + 1000 };
}

void progress_update(struct progress *p, const struct capture *c, const struct counters *count)
{
	uint64_t size = capture_size(c), now;

	if (!p->on || ++p->bursts & 255)
		return;
	now = now_ms();
	if (now < p->next_ms)
		return;
	p->next_ms = now + 500;
	p->shown = true;
	fprintf(stderr, "\r\033[K");
	if (size)
		fprintf(stderr, "%3" PRIu64 "%%  ", capture_tell(c) * 100 / size);
	fprintf(stderr,
		"%" PRIu64 " packets, %" PRIu64 " TLS connections, %" PRIu64 " records decrypted",
		count->packets, count->tls_connections, count->records_decrypted);
	fflush(stderr);
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
