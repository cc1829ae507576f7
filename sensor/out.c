/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Output files. Not stdio: records are built in place in the buffer, a failure is known by its
 * errno, what was written before it is not written twice, and live nothing is waited for.
 */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LAST_MS 2000 /* a reader that takes nothing for so long is not waited for at the end */

static bool live;

/* Where a record is built that the buffer has no room for: its length is what is lost. */
static uint8_t spare[OUT_BUF];

static const char *remedy(const struct out *o, int err)
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
	case ECONNREFUSED:
		return "start its reader first";
	case ENOENT:
	case ENOTDIR:
		return o->socket ? "start its reader first" : "create the directory first";
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
			remedy(o, err));
	if (!o->err)
		o->err = -err;
	o->len = 0;
	return o->err;
}

void out_live(bool on)
{
	live = on;
}

void out_meter(struct out *o, uint64_t *meter)
{
	o->meter = meter;
}

static int open_path(const char *path, int flags)
{
	int fd, hold;

	flags |= O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (live ? O_NONBLOCK : 0);
	fd = open(path, flags, 0600);
	if (fd >= 0 || errno != ENXIO)
		return fd;
	/* A FIFO that nobody reads yet can be opened while it is held open for reading. */
	hold = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (hold < 0)
		return hold;
	fd = open(path, flags, 0600);
	close(hold);
	return fd;
}

static void init(struct out *o, const char *name)
{
	o->name = name;
	o->fd = -1;
	o->err = o->why = 0;
	o->stalled = o->last = o->socket = o->cut = false;
	o->lost = o->before = 0;
	o->meter = NULL;
	o->len = 0;
}

int out_open(struct out *o, const char *path, int flags)
{
	bool standard = !path || !strcmp(path, "-");

	init(o, standard ? "standard output" : path);
	o->fd = standard ? STDOUT_FILENO : open_path(path, flags);
	return o->fd < 0 ? fail(o, "open") : 0;
}

/* @return a descriptor, or -1 and errno. */
static int dial(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (live ? SOCK_NONBLOCK : 0), 0);
	if (fd < 0 || !connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

int out_dial(struct out *o, const char *path)
{
	init(o, path ? path : "");
	o->socket = true;
	o->fd = dial(o->name);
	if (o->fd >= 0)
		return 0;
	if (!live || errno == ENAMETOOLONG)
		return fail(o, "connect to");
	fprintf(stderr, "cleartap: %s: nobody listens yet: %s\n", o->name, strerror(errno));
	return 0;
}

/* Is there room for PIPE_BUF bytes? Standard output is not ours to make non-blocking. */
static bool ready(const struct out *o, int ms)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	return poll(&p, 1, ms) > 0 && p.revents & POLLOUT && !(p.revents & POLLERR);
}

/* @return bytes that the kernel takes now. */
static size_t write_now(struct out *o, const uint8_t *p, size_t len)
{
	bool ours = o->fd != STDOUT_FILENO;
	size_t done = 0;

	while (done < len) {
		size_t left = len - done, most = ours || left < PIPE_BUF ? left : PIPE_BUF;
		ssize_t n;

		errno = EAGAIN;
		n = ours || ready(o, 0) ? write(o->fd, p + done, most) : -1;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			break;
	}
	o->why = done < len ? errno : 0;
	if (done)
		o->cut = p[done - 1] != '\n';
	return done;
}

static void lose(struct out *o, size_t n)
{
	o->lost += n;
	if (o->meter)
		__atomic_store_n(o->meter, *o->meter + n, __ATOMIC_RELAXED);
	if (o->stalled || !n)
		return;
	o->stalled = true;
	fprintf(stderr, "cleartap: %s: %s; records are lost until it goes on\n", o->name,
		o->why == EAGAIN ? "its reader does not keep up" : strerror(o->why));
}

/* What is left of a line that the last reader got the beginning of is of no use to another one. */
static void drop_rest_of_line(struct out *o)
{
	const uint8_t *end = o->cut ? memchr(o->buf, '\n', o->len) : NULL;
	size_t n = end ? (size_t)(end + 1 - o->buf) : 0;

	lose(o, n);
	o->len -= (uint32_t)n;
	memmove(o->buf, o->buf + n, o->len);
	o->cut = false;
}

/* Nobody reads from this socket any more: look for another reader, which gets what is left. */
static void dial_again(struct out *o)
{
	o->fd = dial(o->name);
	if (o->fd < 0)
		return;
	drop_rest_of_line(o);
	fprintf(stderr, "cleartap: %s: connected\n", o->name);
}

static void hang_up(struct out *o)
{
	fprintf(stderr, "cleartap: %s: its reader went away\n", o->name);
	close(o->fd);
	o->fd = -1;
}

/* Live: as much of the buffer as is taken now; at the end, as long as some of it is. */
static void push(struct out *o)
{
	size_t n;

	if (o->fd < 0) {
		o->why = ENOTCONN;
		return;
	}
	n = write_now(o, o->buf, o->len);
	while (n < o->len && o->last) {
		o->last = o->why == EAGAIN && ready(o, LAST_MS);
		n += write_now(o, o->buf + n, o->len - n);
	}
	o->len -= (uint32_t)n;
	memmove(o->buf, o->buf + n, o->len);
	if (o->socket && o->len && o->why != EAGAIN)
		hang_up(o);
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
	if (live) {
		push(o);
		return;
	}
	write_all(o, o->buf, o->len);
	o->len = 0;
}

void out_bytes(struct out *o, const void *data, size_t len)
{
	if (len > OUT_BUF - o->len)
		out_flush(o);
	if (len > OUT_BUF - o->len) {
		if (live)
			lose(o, len);
		else
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
	return n > OUT_BUF - o->len ? wr_init(spare, n) : wr_init(o->buf + o->len, n);
}

void out_done(struct out *o, const struct wr *w)
{
	if (w->p >= spare && w->p <= spare + OUT_BUF)
		lose(o, wr_len(w, spare));
	else if (!w->full)
		o->len = (uint32_t)wr_len(w, o->buf);
}

void out_tick(struct out *o)
{
	if (o->socket && o->fd < 0)
		dial_again(o);
	out_flush(o);
	if (o->stalled && !o->len && o->lost == o->before) {
		o->stalled = false;
		fprintf(stderr, "cleartap: %s goes on; %" PRIu64 " bytes were lost so far\n",
			o->name, o->lost);
	}
	o->before = o->lost;
}

void out_last(struct out *o)
{
	o->last = live;
}

int out_reopen(struct out *o, int flags)
{
	int fd;

	if (o->fd == STDOUT_FILENO || o->socket)
		return o->err;
	out_flush(o);
	lose(o, o->len);
	o->len = 0;
	fd = open_path(o->name, flags);
	if (fd < 0) {
		int err = errno;

		fprintf(stderr, "cleartap: cannot open %s again: %s; %s\n", o->name, strerror(err),
			remedy(o, err));
		return -err;
	}
	if (o->fd >= 0)
		close(o->fd);
	o->fd = fd;
	return 0;
}

/* What is in a pipe that nobody reads goes with it. */
static void count_unread(struct out *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };
	int n = 0;

	if (poll(&p, 1, 0) > 0 && p.revents & POLLERR && !ioctl(o->fd, FIONREAD, &n) && n > 0) {
		o->why = EPIPE;
		lose(o, (size_t)n);
	}
}

int out_close(struct out *o)
{
	out_last(o);
	out_flush(o);
	lose(o, o->len);
	o->len = 0;
	if (live && o->fd >= 0 && !o->socket)
		count_unread(o);
	if (o->lost)
		fprintf(stderr, "cleartap: %s: %" PRIu64 " bytes were lost\n", o->name, o->lost);
	if (o->fd != STDOUT_FILENO && o->fd >= 0 && close(o->fd) && errno != EINTR)
		fail(o, "close");
	o->fd = -1;
	return o->err;
}
