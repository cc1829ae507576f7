/* SPDX-License-Identifier: BSD-3-Clause */
#include "keybus/cli/follow.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char dir[32], path[64], other[64];
static struct follow *f;

static void setup(void)
{
	strcpy(dir, "/tmp/test_follow.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(other, sizeof(other), "%s/old", dir);
	ck_assert_int_eq(follow_open(&f, path), 0);
}

static void teardown(void)
{
	follow_close(f);
	unlink(path);
	unlink(other);
	rmdir(dir);
}

static void put(const char *mode, const char *text)
{
	FILE *file = fopen(path, mode);

	fputs(text, file);
	fclose(file);
}

/* @param anew  Whether it should be the beginning of something else. */
static void expect(const char *text, bool anew)
{
	char buf[64] = "";
	bool is;
	ssize_t n = follow_read(f, buf, sizeof(buf) - 1, &is);

	ck_assert_int_eq(n, (int)strlen(text));
	ck_assert_str_eq(buf, text);
	ck_assert(n == 0 || is == anew);
}

START_TEST(regular)
{
	setup();
	expect("", false); /* not there */
	put("w", "one\n");
	expect("one\n", true);
	expect("", false);
	put("a", "two");
	expect("two", false);
	put("w", "3\n"); /* cut */
	expect("3\n", true);
	put("a", "last of it\n");
	rename(path, other);
	put("w", "new\n");
	expect("last of it\n", false); /* first what was left */
	expect("new\n", true);
	unlink(path);
	expect("", false);
	put("w", "again\n");
	expect("again\n", true);
	follow_wait(f);
	teardown();
}
END_TEST

START_TEST(fifo)
{
	int fd;

	setup();
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect("", false);
	for (int i = 0; i < 3; i++) { /* writers come and go */
		fd = open(path, O_WRONLY);
		ck_assert_int_eq(write(fd, "a\n", 2), 2);
		expect("a\n", i == 0);
		expect("", false);
		close(fd);
		expect("", false);
	}
	teardown();
}
END_TEST

START_TEST(no_file)
{
	char buf[8];
	bool anew;

	ck_assert_int_eq(follow_open(&f, "/tmp"), 0);
	ck_assert_int_lt(follow_read(f, buf, sizeof(buf), &anew), 0);
	follow_close(f);
	ck_assert_int_lt(follow_open(&f, "") ? 0 : follow_read(f, buf, sizeof(buf), &anew), 1);
	follow_close(f);
	follow_close(NULL);
}
END_TEST

UNIT_MAIN("follow", regular, fifo, no_file)
