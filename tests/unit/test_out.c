/* SPDX-License-Identifier: BSD-3-Clause */
#include "sinks.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "out.h"

static struct out out;
static uint8_t data[3 * OUT_BUF], back[3 * OUT_BUF + 1];

/* Pieces of all sizes around that of the buffer come out as they went in. */
START_TEST(every_size)
{
	static const size_t sizes[] = { 0, 1, OUT_BUF - 1, OUT_BUF, OUT_BUF + 1, 2, 3 * OUT_BUF };

	tmp_make();
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i ^ i >> 8);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		ck_assert_int_eq(out_open(&out, tmp_path("f"), O_TRUNC), 0);
		for (size_t off = 0, n; off < sizeof(data); off += n) {
			n = sizes[i] ? sizes[i] : 4999;
			n = n < sizeof(data) - off ? n : sizeof(data) - off;
			if (sizes[i] == 1 && off > 1000)
				n = sizeof(data) - off;
			out_bytes(&out, data + off, n);
		}
		ck_assert_int_eq(out_close(&out), 0);
		ck_assert_uint_eq(slurp(tmp_path("f"), (char *)back, sizeof(back)), sizeof(data));
		ck_assert_mem_eq(back, data, sizeof(data));
	}
	tmp_remove();
}
END_TEST

START_TEST(built_in_place)
{
	struct wr w;

	tmp_make();
	ck_assert_int_eq(out_open(&out, tmp_path("f"), O_TRUNC), 0);
	out_bytes(&out, data, OUT_BUF - 2);
	w = out_room(&out, 3);
	wr_str(&w, "abc");
	out_done(&out, &w);
	w = out_room(&out, 3);
	wr_str(&w, "ab");
	wr_str(&w, "cd"); /* does not fit: nothing of it stays */
	ck_assert(w.full);
	out_done(&out, &w);
	ck_assert_int_eq(out_close(&out), 0);
	ck_assert_uint_eq(slurp(tmp_path("f"), (char *)back, sizeof(back)), OUT_BUF + 1);
	ck_assert_mem_eq(back + OUT_BUF - 2, "abc", 3);
	ck_assert_int_eq(out_open(&out, tmp_path("f"), O_APPEND), 0);
	out_bytes(&out, "d", 1);
	ck_assert_int_eq(out_close(&out), 0);
	ck_assert_uint_eq(slurp(tmp_path("f"), (char *)back, sizeof(back)), OUT_BUF + 2);
	tmp_remove();
}
END_TEST

START_TEST(first_failure_stays)
{
	ck_assert_int_eq(out_open(&out, "/dev/full", O_TRUNC), 0);
	out_bytes(&out, data, 1);
	ck_assert_int_eq(out.err, 0);
	out_flush(&out);
	ck_assert_int_eq(out.err, -ENOSPC);
	out_bytes(&out, data, sizeof(data));
	ck_assert_int_eq(out_close(&out), -ENOSPC);
	ck_assert_int_eq(out_open(&out, "/", O_TRUNC), -EISDIR);
}
END_TEST

static uint64_t meter;

static void live_open(const char *path)
{
	out_live(true);
	signal(SIGPIPE, SIG_IGN); /* as main() does */
	meter = 0;
	ck_assert_int_eq(out_open(&out, path, O_APPEND), 0);
	out_meter(&out, &meter);
}

/* Records of 1000 bytes, each of one letter, first letter 'a'. */
static void records(int n, bool in_place)
{
	static int letter;
	uint8_t r[1000];

	for (int i = 0; i < n; i++) {
		memset(r, 'a' + letter++ % 26, sizeof(r));
		if (in_place) {
			struct wr w = out_room(&out, 2000);

			wr_bytes(&w, r, sizeof(r));
			out_done(&out, &w);
		} else {
			out_bytes(&out, r, sizeof(r));
		}
	}
}

static size_t drained(int fd, uint8_t *to, size_t cap)
{
	ssize_t n;
	size_t sum = 0;

	while ((n = read(fd, to + sum, cap - sum)) > 0)
		sum += (size_t)n;
	return sum;
}

/* No reader, a slow reader, none again: only whole records are lost, and all of them are counted. */
START_TEST(a_fifo_is_never_waited_for)
{
	static uint8_t got[1 << 20];
	size_t sum;
	int fd;

	tmp_make();
	ck_assert_int_eq(mkfifo(tmp_path("f"), 0600), 0);
	live_open(tmp_path("f"));
	records(100, true);
	out_tick(&out);
	ck_assert_uint_eq(meter, 0);
	records(200, true);
	records(1, false);
	ck_assert_uint_gt(meter, 0);
	ck_assert(out.stalled);
	fd = open(tmp_path("f"), O_RDONLY | O_NONBLOCK);
	sum = drained(fd, got, sizeof(got));
	for (int i = 0; i < 4; i++) {
		out_tick(&out);
		sum += drained(fd, got + sum, sizeof(got) - sum);
	}
	for (size_t i = 0; i < sum; i++)
		ck_assert_msg(got[i] == got[i / 1000 * 1000], "a record is broken at %zu", i);
	ck_assert_uint_eq(sum + meter, 301000);
	ck_assert(!out.stalled);
	records(2, true);
	out_flush(&out);
	sum = drained(fd, got, sizeof(got));
	ck_assert_uint_eq(sum, 2000);
	close(fd);
	meter = 0;
	records(10, true); /* nobody will read these */
	ck_assert_int_eq(out_close(&out), 0);
	ck_assert_uint_eq(meter, 10000);
	out_live(false);
	tmp_remove();
}
END_TEST

START_TEST(a_full_disk_costs_records_only)
{
	live_open("/dev/full");
	records(300, true);
	ck_assert_uint_gt(meter, 0);
	ck_assert_int_eq(out.err, 0);
	ck_assert_int_eq(out_close(&out), 0);
	ck_assert_uint_eq(meter, 300000);
	out_live(false);
}
END_TEST

/* A reader that is there at the end is waited for. */
START_TEST(the_last_waits_for_its_reader)
{
	static uint8_t got[1 << 20];
	size_t sum = 0;
	ssize_t n;
	pid_t child;
	int fd, status;

	tmp_make();
	ck_assert_int_eq(mkfifo(tmp_path("f"), 0600), 0);
	live_open(tmp_path("f"));
	fd = open(tmp_path("f"), O_RDONLY | O_NONBLOCK);
	child = fork();
	if (!child) {
		out_last(&out);
		records(500, true);
		_exit(out_close(&out) || meter);
	}
	close(out.fd);
	fcntl(fd, F_SETFL, 0);
	while ((n = read(fd, got, sizeof(got))) > 0)
		sum += (size_t)n;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(sum, 500000);
	out_live(false);
	tmp_remove();
}
END_TEST

START_TEST(reopened_under_its_name)
{
	tmp_make();
	live_open(tmp_path("f"));
	records(3, true);
	ck_assert_int_eq(rename(tmp_path("f"), tmp_path("g")), 0);
	ck_assert_int_eq(out_reopen(&out, O_APPEND), 0);
	records(2, true);
	ck_assert_int_eq(out_close(&out), 0);
	ck_assert_uint_eq(slurp(tmp_path("g"), (char *)back, sizeof(back)), 3000);
	ck_assert_uint_eq(slurp(tmp_path("f"), (char *)back, sizeof(back)), 2000);
	ck_assert_uint_eq(meter, 0);
	out_live(false);
	tmp_remove();
}
END_TEST

static int listener(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(path);
	strcpy(a.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static void line(uint32_t number)
{
	struct wr w = out_room(&out, 1000);

	for (int i = 0; i < 999; i++)
		wr_u8(&w, (uint8_t)('a' + number % 26));
	wr_u8(&w, '\n');
	out_done(&out, &w);
}

/* All that waits, in whole lines. @return how many. */
static uint32_t lines_of(int fd)
{
	uint32_t n = 0;
	ssize_t got;

	while (out_tick(&out), (got = recv(fd, back, 1000, MSG_DONTWAIT)) > 0) {
		while (got < 1000 && out.len) {
			out_tick(&out);
			got += recv(fd, back + got, (size_t)(1000 - got), 0);
		}
		ck_assert_int_eq(got, 1000);
		ck_assert(back[999] == '\n' && back[0] == back[998]);
		n++;
	}
	return n;
}

/* Nobody listens yet; then someone does; that one goes in the middle of a line, and another comes. */
START_TEST(readers_of_a_socket_come_and_go)
{
	uint32_t sent = 0;
	int server, reader;

	tmp_make();
	signal(SIGPIPE, SIG_IGN); /* as main() does */
	out_live(true);
	meter = 0;
	ck_assert_int_eq(out_dial(&out, tmp_path("s")), 0);
	out_meter(&out, &meter);
	for (; sent < 10; sent++)
		line(sent);
	server = listener(tmp_path("s"));
	out_tick(&out);
	reader = accept(server, NULL, NULL);
	ck_assert_uint_eq(lines_of(reader), 10);
	while (!out.len) { /* until the socket is full */
		for (int i = 0; i < 100; i++)
			line(sent++);
		out_flush(&out);
	}
	ck_assert(out.cut);
	close(reader);
	for (int i = 0; i < 3; i++)
		out_tick(&out);
	reader = accept(server, NULL, NULL);
	ck_assert_uint_gt(lines_of(reader), 0);
	ck_assert_uint_gt(meter, 0); /* the rest of the line that was cut */
	ck_assert_uint_lt(meter, 1000);
	for (int i = 0; i < 5; i++)
		line(sent++);
	ck_assert_uint_eq(lines_of(reader), 5);
	close(reader);
	close(server);
	for (int i = 0; i < 1000; i++)
		line(sent++);
	ck_assert_int_eq(out_close(&out), 0);
	ck_assert_uint_gt(meter, 1000 * 1000 - 1000);
	out_live(false);
	tmp_remove();
}
END_TEST

START_TEST(a_socket_offline)
{
	static char name[200];

	tmp_make();
	ck_assert_int_eq(out_dial(&out, tmp_path("s")), -ENOENT);
	close(listener(tmp_path("s")));
	ck_assert_int_eq(out_dial(&out, tmp_path("s")), -ECONNREFUSED);
	memset(name, 'a', sizeof(name) - 1);
	out_live(true);
	ck_assert_int_eq(out_dial(&out, name), -ENAMETOOLONG);
	out_live(false);
	tmp_remove();
}
END_TEST

UNIT_MAIN("out", readers_of_a_socket_come_and_go, a_socket_offline, every_size, built_in_place,
	first_failure_stays, a_fifo_is_never_waited_for, a_full_disk_costs_records_only,
	the_last_waits_for_its_reader, reopened_under_its_name)
