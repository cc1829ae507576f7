/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Key-log files are appended to by running programs, rotated, truncated, created late, and
 * sometimes are something else. Whole lines go to the table as they come; the piece of a line at
 * the end waits for its rest. Messages name the file and the line, never what it holds.
 */
#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The longest line of use is a premaster of 1024 bytes; with blanks and to spare. */
#define LINE_SIZE 8192

struct keyfile {
	struct key_counts counts;
	char *path;
	uint64_t offset; /* bytes read of this file */
	dev_t dev;
	ino_t ino;
	int fd;    /* -1: not there yet */
	int error; /* said */
	bool follow;
	bool regular;
	bool polled;
	bool complained;
	bool skipping; /* inside a line too long to be one */
	size_t tail;   /* bytes of an unfinished line, at the start of buf */
	char buf[64 << 10];
};

static int say(struct keyfile *k, int error)
{
	if (error != k->error)
		fprintf(stderr, "cleartap: %s: %s; give a key-log file that can be read\n", k->path,
			strerror(-error));
	k->error = error;
	return error;
}

static void from_start(struct keyfile *k)
{
	key_cleanse(k->buf, k->tail);
	k->tail = 0;
	k->offset = 0;
	k->skipping = false;
}

static int open_file(struct keyfile *k)
{
	/* Following must not wait for a FIFO's writer; reading once must. */
	int fd = open(k->path, O_RDONLY | O_CLOEXEC | (k->follow ? O_NONBLOCK : 0));
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return errno == ENOENT && k->follow ? 0 : say(k, -errno);
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		rc = -EISDIR;
	if (rc) {
		close(fd);
		return say(k, rc);
	}
	k->fd = fd;
	k->dev = st.st_dev;
	k->ino = st.st_ino;
	k->regular = S_ISREG(st.st_mode);
	k->error = 0;
	from_start(k);
	return 0;
}

int keyfile_open(struct keyfile **out, const char *path, bool follow)
{
	struct keyfile *k =
		mmap(NULL, sizeof(*k), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	*out = NULL;
	if (k == MAP_FAILED)
		return -ENOMEM;
	/* Secrets pass through. Without the right to lock memory we go on. */
	madvise(k, sizeof(*k), MADV_DONTDUMP);
	mlock(k, sizeof(*k));
	k->fd = -1;
	k->follow = follow;
	k->path = strdup(path);
	rc = k->path ? open_file(k) : -ENOMEM;
	if (rc) {
		keyfile_close(k);
		return rc;
	}
	*out = k;
	return 0;
}

/* Use the whole lines among the first @p len bytes of the buffer, and keep the rest. */
static void take_lines(struct keyfile *k, struct keytab *t, uint32_t now_s, size_t len)
{
	char *start = k->buf, *end = k->buf + len, *last;

	if (k->skipping) {
		start = memchr(start, '\n', len);
		if (!start) {
			k->tail = 0;
			return;
		}
		start++;
		k->skipping = false;
	}
	last = memrchr(start, '\n', (size_t)(end - start));
	if (last) {
		keys_put_text(t, start, (size_t)(last + 1 - start), now_s, &k->counts);
		start = last + 1;
	}
	k->tail = (size_t)(end - start);
	memmove(k->buf, start, k->tail);
	if (k->tail > LINE_SIZE) {
		keys_skip_line(&k->counts);
		k->skipping = true;
		k->tail = 0;
	}
}

static int read_all(struct keyfile *k, struct keytab *t, uint32_t now_s)
{
	ssize_t n;

	for (;;) {
		n = read(k->fd, k->buf + k->tail, sizeof(k->buf) - k->tail);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		k->offset += (uint64_t)n;
		take_lines(k, t, now_s, k->tail + (size_t)n);
	}
	if (n < 0 && errno != EAGAIN)
		return say(k, -errno);
	return 0;
}

/*
 * The last line without line feed. Read once, it is a line like any other. Of a followed file it
 * may still grow (and half a line may look whole): it is used, but kept, and counted when done.
 */
static void take_tail(struct keyfile *k, struct keytab *t, uint32_t now_s)
{
	struct key_counts uncounted = { 0 };

	if (!k->follow) {
		keys_put_text(t, k->buf, k->tail, now_s, &k->counts);
		k->tail = 0;
	} else if (k->regular) {
		keys_put_text(t, k->buf, k->tail, now_s, &uncounted);
	}
}

/* Whether another file bears the name now; if the same one became shorter, start it again. */
static bool replaced(struct keyfile *k)
{
	struct stat st;

	if (!k->regular || stat(k->path, &st) < 0)
		return false;
	if (st.st_dev != k->dev || st.st_ino != k->ino)
		return true;
	if ((uint64_t)st.st_size < k->offset && lseek(k->fd, 0, SEEK_SET) == 0)
		from_start(k);
	return false;
}

static int poll_file(struct keyfile *k, struct keytab *t, uint32_t now_s)
{
	bool other = k->fd >= 0 && k->follow && replaced(k);
	int rc;

	if (k->fd >= 0) {
		rc = read_all(k, t, now_s);
		if (rc)
			return rc;
	}
	if (other) {
		close(k->fd);
		k->fd = -1;
	}
	if (k->fd < 0) {
		rc = open_file(k);
		if (rc || k->fd < 0)
			return rc;
		return read_all(k, t, now_s);
	}
	return 0;
}

static void complain(struct keyfile *k)
{
	if (k->complained || keys_stored(&k->counts) || !k->counts.first_bad_line)
		return;
	k->complained = true;
	fprintf(stderr,
		"cleartap: %s: is no key log: first bad line %" PRIu64 ": %s; "
		"give a file that SSLKEYLOGFILE names\n",
		k->path, k->counts.first_bad_line, verdict_text(k->counts.first_bad));
}

int keyfile_poll(struct keyfile *k, struct keytab *t, uint32_t now_s)
{
	uint64_t before = keys_stored(&k->counts), stored;
	int rc = poll_file(k, t, now_s);

	if (rc == 0 && !k->polled && k->fd >= 0) {
		take_tail(k, t, now_s);
		k->polled = true;
	}
	key_cleanse(k->buf + k->tail, sizeof(k->buf) - k->tail);
	complain(k);
	if (rc)
		return rc;
	stored = keys_stored(&k->counts) - before;
	return stored > INT_MAX ? INT_MAX : (int)stored;
}

void keyfile_again(struct keyfile *k)
{
	if (!k->regular || k->fd < 0 || lseek(k->fd, 0, SEEK_SET))
		return;
	from_start(k);
	k->polled = false;
}

const struct key_counts *keyfile_counts(const struct keyfile *k)
{
	return &k->counts;
}

void keyfile_close(struct keyfile *k)
{
	if (!k)
		return;
	if (k->fd >= 0)
		close(k->fd);
	free(k->path);
	key_cleanse(k, sizeof(*k));
	munmap(k, sizeof(*k));
}
