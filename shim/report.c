/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest has to say goes to a file of its own, if one was asked for, and never to its host's. */
#include "shim/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *file;

void report_to(const char *path)
{
	file = path;
}

void report_say(const char *fmt, ...)
{
	int saved = errno, n, fd;
	char text[512];
	va_list ap;

	if (!file)
		return;
	n = snprintf(text, sizeof(text), "cleartap[%d]: ", (int)getpid());
	va_start(ap, fmt);
	n += vsnprintf(text + n, sizeof(text) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if ((size_t)n > sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n++] = '\n';
	fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd >= 0) {
		ssize_t written = write(fd, text, (size_t)n);

		(void)written; /* if not, there is nobody to tell */
		close(fd);
	}
	errno = saved;
}
