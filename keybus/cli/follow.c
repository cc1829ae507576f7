/* SPDX-License-Identifier: BSD-3-Clause */
/* Like tail -F: but what was written to a file before it was replaced is read to its end first. */
#include "keybus/cli/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 20 /* where nothing can be watched */

struct follow {
	char path[PATH_MAX];
	int fd;      /* -1: not there yet */
	int inotify; /* -1: none */
	struct stat st;
	off_t offset;
	bool fresh; /* nothing has been read of it yet */
};

int follow_open(struct follow **out, const char *path)
{
	struct follow *f;
	char dir[PATH_MAX];

	*out = NULL;
	if (strlen(path) >= sizeof(f->path))
		return -ENAMETOOLONG;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	memcpy(f->path, path, strlen(path) + 1);
	memcpy(dir, path, strlen(path) + 1);
	f->fd = -1;
	f->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (f->inotify >= 0)
		inotify_add_watch(f->inotify, dirname(dir), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	*out = f;
	return 0;
}

static int open_file(struct follow *f)
{
	f->fd = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (f->fd < 0)
		return errno == ENOENT ? 0 : -errno;
	f->offset = 0;
	f->fresh = true;
	return fstat(f->fd, &f->st) ? -errno : 0;
}

/* At the end of it: is it still the one that bears the name, and as long as it was? */
static int check(struct follow *f)
{
	struct stat st;

	if (!S_ISREG(f->st.st_mode) || stat(f->path, &st) < 0)
		return 0;
	if (st.st_dev != f->st.st_dev || st.st_ino != f->st.st_ino) {
		close(f->fd);
		return open_file(f);
	}
	if (st.st_size < f->offset) {
		f->offset = lseek(f->fd, 0, SEEK_SET);
		f->fresh = true;
	}
	return 0;
}

static ssize_t read_some(struct follow *f, void *buf, size_t size)
{
	ssize_t n = read(f->fd, buf, size);

	if (n > 0)
		f->offset += n;
	return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

ssize_t follow_read(struct follow *f, void *buf, size_t size, bool *anew)
{
	ssize_t n = f->fd < 0 ? open_file(f) : 0;

	*anew = false;
	if (n < 0 || f->fd < 0)
		return n;
	n = read_some(f, buf, size);
	if (n == 0) {
		n = check(f);
		if (n == 0 && f->fd >= 0)
			n = read_some(f, buf, size);
	}
	if (n > 0) {
		*anew = f->fresh;
		f->fresh = false;
	}
	return n;
}

void follow_wait(struct follow *f)
{
	struct pollfd p[2] = { { .fd = f->inotify, .events = POLLIN },
		{ .fd = f->fd >= 0 && S_ISFIFO(f->st.st_mode) ? f->fd : -1, .events = POLLIN } };
	char events[4096];

	if (poll(p, 2, LOOK_MS) > 0 && p[0].revents)
		while (read(f->inotify, events, sizeof(events)) > 0)
			;
	if (p[1].revents & POLLHUP) /* a FIFO whose writers have all gone */
		usleep(LOOK_MS * 1000);
}

void follow_close(struct follow *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	if (f->inotify >= 0)
		close(f->inotify);
	free(f);
}
