/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Captures are larger than memory, may grow while they are read, may be cut short by others (a
 * mapping would then kill us with SIGBUS), come through pipes, and are often compressed. Large
 * reads into one buffer that stays in the cache serve all of them alike, and were measured to be
 * faster than mapping windows.
 */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "keys/keytab.h"

#define BUF_SIZE (256u << 10)
#define GZIP_WINDOW (15 + 16) /* zlib: 32 KB window, gzip header expected */

struct gunzip {
	z_stream z;
	uint8_t *raw;
	size_t cap;
	bool inside; /* a member has begun and not ended */
};

/* @return bytes read, 0 at the end, -errno. */
static ssize_t read_some(struct input *in, uint8_t *to, size_t room)
{
	for (;;) {
		ssize_t n = read(in->fd, to, room);
		struct pollfd pfd = { .fd = in->fd, .events = POLLIN };

		if (n >= 0) {
			in->read += (uint64_t)n;
			return n;
		}
		/* Standard input may have been made non-blocking by who shares it. */
		if (errno == EAGAIN)
			poll(&pfd, 1, -1);
		else if (errno != EINTR)
			return -errno;
	}
}

/* The next member, after one has ended. Bytes that are none are ignored, as gzip does. */
static bool next_member(struct input *in, struct gunzip *gz)
{
	/* The two bytes of the magic may come in two reads. */
	while (gz->z.avail_in < 2) {
		ssize_t n;

		if (gz->z.avail_in)
			gz->raw[0] = *gz->z.next_in;
		gz->z.next_in = gz->raw;
		n = read_some(in, gz->raw + gz->z.avail_in, gz->cap - gz->z.avail_in);
		if (n < 0)
			in->error = (int)n;
		if (n <= 0)
			return false;
		gz->z.avail_in += (uInt)n;
	}
	if (gz->z.next_in[0] != 0x1f || gz->z.next_in[1] != 0x8b)
		return false;
	inflateReset(&gz->z);
	gz->inside = true;
	return true;
}

/* @return bytes inflated, 0 at the end, -errno. */
static ssize_t inflate_some(struct input *in, uint8_t *to, size_t room)
{
	struct gunzip *gz = in->gz;

	gz->z.next_out = to;
	gz->z.avail_out = (uInt)room;
	while (gz->z.avail_out == room) {
		int rc;

		if (!gz->inside && !next_member(in, gz))
			return in->error;
		if (!gz->z.avail_in) {
			ssize_t n = read_some(in, gz->raw, gz->cap);

			if (n < 0)
				return n;
			in->cut = n == 0;
			if (in->cut)
				return 0;
			gz->z.next_in = gz->raw;
			gz->z.avail_in = (uInt)n;
		}
		rc = inflate(&gz->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END) {
			gz->inside = false;
		} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
			in->why = gz->z.msg ? gz->z.msg : "no gzip data";
			in->error = -EBADMSG;
			break; /* what came out before is good */
		}
	}
	return (ssize_t)(room - gz->z.avail_out);
}

/* Room at the end of the buffer: by moving what is at hand to its start, else by growing. */
static bool make_room(struct input *in, size_t n)
{
	size_t left = input_left(in);
	size_t room = (size_t)(in->buf + in->cap - in->end);

	if (in->p > in->buf && (room < in->cap / 2 || room + left < n)) {
		in->base += (uint64_t)(in->p - in->buf);
		memmove(in->buf, in->p, left);
		in->p = in->buf;
		in->end = in->buf + left;
	}
	if (in->end == in->buf + in->cap) {
		uint8_t *wider = malloc(in->cap * 2);

		if (!wider)
			return false;
		memcpy(wider, in->p, left);
		key_cleanse(in->buf, in->cap);
		free(in->buf);
		in->buf = in->p = wider;
		in->end = wider + left;
		in->cap *= 2;
	}
	return true;
}

bool input_fill(struct input *in, size_t n)
{
	while (input_left(in) < n && !in->eof && !in->error) {
		ssize_t got;

		if (!make_room(in, n)) {
			in->error = -ENOMEM;
			break;
		}
		if (in->gz)
			got = inflate_some(in, in->end, (size_t)(in->buf + in->cap - in->end));
		else
			got = read_some(in, in->end, (size_t)(in->buf + in->cap - in->end));
		if (got < 0)
			in->error = (int)got;
		else if (got == 0)
			in->eof = in->error == 0;
		else
			in->end += got;
	}
	return input_left(in) >= n;
}

/* The bytes read so far turn out to be compressed: the buffer becomes zlib's. */
static int start_gunzip(struct input *in)
{
	struct gunzip *gz = calloc(1, sizeof(*gz));
	uint8_t *buf = malloc(BUF_SIZE);

	if (!gz || !buf || inflateInit2(&gz->z, GZIP_WINDOW) != Z_OK) {
		free(gz);
		free(buf);
		return -ENOMEM;
	}
	gz->raw = in->buf;
	gz->cap = in->cap;
	gz->z.next_in = in->p;
	gz->z.avail_in = (uInt)input_left(in);
	gz->inside = true;
	in->gz = gz;
	in->buf = in->p = in->end = buf;
	in->cap = BUF_SIZE;
	in->eof = false;
	return 0;
}

int input_open(struct input *in, const char *path)
{
	bool std = strcmp(path, "-") == 0;
	struct stat st;
	int rc = 0;

	*in = (struct input){ .cap = BUF_SIZE };
	in->fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0)
		return -errno;
	if (fstat(in->fd, &st) < 0)
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		rc = -EISDIR;
	else if (S_ISREG(st.st_mode))
		in->size = (uint64_t)st.st_size;
	in->buf = in->p = in->end = malloc(in->cap);
	if (!rc && !in->buf)
		rc = -ENOMEM;
	if (!rc) {
		posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		if (input_fill(in, 2) && in->p[0] == 0x1f && in->p[1] == 0x8b)
			rc = start_gunzip(in);
		else
			rc = in->error;
	}
	if (rc)
		input_close(in);
	return rc;
}

void input_close(struct input *in)
{
	/* Captures may hold secrets, in blocks of their own. */
	if (in->buf)
		key_cleanse(in->buf, in->cap);
	free(in->buf);
	if (in->gz) {
		inflateEnd(&in->gz->z);
		free(in->gz->raw);
		free(in->gz);
	}
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	*in = (struct input){ .fd = -1 };
}

int input_rewind(struct input *in)
{
	if (in->base == 0) {
		in->p = in->buf;
		return 0;
	}
	if (lseek(in->fd, 0, SEEK_SET) < 0)
		return -errno;
	if (in->gz) {
		inflateReset(&in->gz->z);
		in->gz->z.avail_in = 0;
		in->gz->inside = true;
	}
	in->p = in->end = in->buf;
	in->base = 0;
	in->read = 0;
	in->eof = false;
	in->cut = false;
	in->error = 0;
	in->why = NULL;
	return 0;
}
