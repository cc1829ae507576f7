/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Output files. Not stdio: records are built in place in the buffer, a failure is known by its
 * errno, and what was written before it is not written twice.
 */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static const char *remedy(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
		return "make room or choose another place";
	case EPIPE:
		return "its reader went away";
	case EFBIG:
		return "raise the file size limit (ulimit -f)";
	case EACCES:
	case EPERM:
	case EROFS:
		return "choose a place that this user may write to";
	case ENOENT:
	case ENOTDIR:
		return "create the directory first";
	case EMFILE:
	case ENFILE:
		return "raise the limit of open files (ulimit -n)";
	default:
		return "the output is incomplete from here on";
	}
}

static int fail(struct out *o, const char *what)
{
	int err = errno;

	if (!o->err)
		fprintf(stderr, "cleartap: cannot %s %s: %s; %s\n", what, o->name, strerror(err),
			remedy(err));
	if (!o->err)
		o->err = -err;
	o->len = 0;
	return o->err;
}

int out_open(struct out *o, const char *path, int flags)
{
	o->err = 0;
	o->len = 0;
	if (!path || !strcmp(path, "-")) {
		o->name = "standard output";
		o->fd = STDOUT_FILENO;
		return 0;
	}
	o->name = path;
	o->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | flags, 0600);
	return o->fd < 0 ? fail(o, "open") : 0;
}

static void write_all(struct out *o, const uint8_t *p, size_t left)
{
	while (left && !o->err) {
		ssize_t n = write(o->fd, p, left);

		if (n >= 0) {
			p += n;
			left -= (size_t)n;
		} else if (errno == EAGAIN) {
			/* Someone else's descriptor may be non-blocking: a terminal, a pipe. */
			poll(&(struct pollfd){ .fd = o->fd, .events = POLLOUT }, 1, -1);
		} else if (errno != EINTR) {
			fail(o, "write to");
		}
	}
}

void out_flush(struct out *o)
{
	write_all(o, o->buf, o->len);
	o->len = 0;
}

void out_bytes(struct out *o, const void *data, size_t len)
{
	if (len > OUT_BUF - o->len)
		out_flush(o);
	if (len > OUT_BUF) {
		write_all(o, data, len);
		return;
	}
	memcpy(o->buf + o->len, data, len);
	o->len += (uint32_t)len;
}

struct wr out_room(struct out *o, size_t n)
{
	if (n > OUT_BUF - o->len)
		out_flush(o);
	return wr_init(o->buf + o->len, n);
}

void out_done(struct out *o, const struct wr *w)
{
	if (!w->full)
		o->len = (uint32_t)wr_len(w, o->buf);
}

int out_reopen(struct out *o, int flags)
{
	const char *path = o->name;

	if (o->fd == STDOUT_FILENO)
		return o->err;
	return out_close(o) ? o->err : out_open(o, path, flags);
}

int out_close(struct out *o)
{
	out_flush(o);
	if (o->fd != STDOUT_FILENO && o->fd >= 0 && close(o->fd) && errno != EINTR)
		fail(o, "close");
	o->fd = -1;
	return o->err;
}
