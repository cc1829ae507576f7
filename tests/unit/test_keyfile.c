/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyfile.h"

#define B8 "0123456789abcdef"
#define SECRET B8 B8 B8 B8 B8 B8
#define ID "000000000000000000000000000000000000000000000000000000000000000"
#define GOOD(n) "CLIENT_RANDOM " ID #n " " SECRET

static char dir[32], path[64], other[64];
static struct keytab *t;

static void setup(void)
{
	static const struct keytab_cfg cfg = { .max_entries = 64, .seed = 1 };
	size_t n = keytab_bytes(&cfg);

	strcpy(dir, "/tmp/test_keyfile.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/keys", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	t = keytab_init(memset(aligned_alloc(64, n), 0, n), &cfg);
}

static void teardown(void)
{
	keytab_fini(t);
	free(t);
	unlink(path);
	unlink(other);
	rmdir(dir);
}

static void put(const char *to, const char *mode, const void *data, size_t len)
{
	FILE *f = fopen(to, mode);

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, len, f), len);
	fclose(f);
}

static void append(const char *text)
{
	put(path, "a", text, strlen(text));
}

static struct keyfile *open_keys(bool follow)
{
	struct keyfile *k;

	ck_assert_int_eq(keyfile_open(&k, path, follow), 0);
	return k;
}

static size_t known(uint8_t id)
{
	struct key_name name = { .id_len = 32, .kind = KEY_BY_RANDOM };
	struct key_entry e;

	name.id[31] = id;
	return keytab_get(t, &name, &e) == V_OK ? e.master.len + e.traffic[0].len : 0;
}

/* What polling prints on stderr, to look for what must not be in it. */
static char *messages(struct keyfile *k, int polls)
{
	static char text[4096];
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	while (polls--)
		keyfile_poll(k, t, 0);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

START_TEST(read_once)
{
	struct keyfile *k;

	setup();
	append("# comment\r\n" GOOD(1) "\r\n\nNONSENSE x y\n");
	append(GOOD(2) "\nCLIENT_RANDOM zz\n" GOOD(3));
	k = open_keys(false);
	ck_assert_int_eq(keyfile_poll(k, t, 0), 3);
	for (uint8_t i = 1; i <= 3; i++)
		ck_assert_uint_eq(known(i), 48);
	ck_assert_uint_eq(keyfile_counts(k)->lines, 7);
	ck_assert_uint_eq(keyfile_counts(k)->by[V_OK], 3);
	ck_assert_uint_eq(keyfile_counts(k)->by[V_MORE], 2);
	ck_assert_uint_eq(keyfile_counts(k)->by[V_KEY_LABEL], 1);
	ck_assert_uint_eq(keyfile_counts(k)->by[V_KEY_LEN], 1);
	ck_assert_uint_eq(keyfile_counts(k)->first_bad_line, 4);
	ck_assert_int_eq(keyfile_poll(k, t, 0), 0);
	keyfile_close(k);
	teardown();
}
END_TEST

START_TEST(grows_byte_by_byte)
{
	const char *text = GOOD(1) "\n" GOOD(2) "\n";
	struct keyfile *k;
	int stored = 0;

	setup();
	k = open_keys(true); /* not there yet */
	ck_assert_int_eq(keyfile_poll(k, t, 0), 0);
	for (size_t i = 0; text[i]; i++) {
		put(path, "a", text + i, 1);
		stored += keyfile_poll(k, t, 0);
	}
	ck_assert_int_eq(stored, 2);
	ck_assert_uint_eq(keyfile_counts(k)->lines, 2);
	ck_assert_uint_eq(known(2), 48);
	keyfile_close(k);
	teardown();
}
END_TEST

/* Half a line that looks whole is used at first sight, and corrected when the rest has come. */
START_TEST(unfinished_at_open)
{
	struct keyfile *k;

	setup();
	append("CLIENT_TRAFFIC_SECRET_0 " ID "4 " B8 B8 B8 B8);
	k = open_keys(true);
	keyfile_poll(k, t, 0);
	ck_assert_uint_eq(known(4), 32);
	append(B8);
	keyfile_poll(k, t, 0);
	append(B8 "\n");
	ck_assert_int_eq(keyfile_poll(k, t, 0), 1);
	ck_assert_uint_eq(known(4), 48);
	ck_assert_uint_eq(keyfile_counts(k)->lines, 1);
	keyfile_close(k);
	teardown();
}
END_TEST

START_TEST(rotated_and_truncated)
{
	struct keyfile *k;

	setup();
	append(GOOD(1) "\n" GOOD(2) "\n");
	k = open_keys(true);
	ck_assert_int_eq(keyfile_poll(k, t, 0), 2);
	/* The last line of the old file came after our last look. */
	append(GOOD(3) "\n");
	rename(path, other);
	append(GOOD(4) "\n" GOOD(5));
	ck_assert_int_eq(keyfile_poll(k, t, 0), 2);
	ck_assert_uint_eq(known(3) + known(4), 96);
	put(path, "w", GOOD(6) "\n", strlen(GOOD(6) "\n"));
	ck_assert_int_eq(keyfile_poll(k, t, 0), 1);
	ck_assert_uint_eq(known(6), 48);
	ck_assert_uint_eq(known(5), 0);
	unlink(path); /* gone, for now */
	ck_assert_int_eq(keyfile_poll(k, t, 0), 0);
	append(GOOD(7) "\n");
	ck_assert_int_eq(keyfile_poll(k, t, 0), 1);
	ck_assert_uint_eq(keyfile_counts(k)->first_bad_line, 0);
	keyfile_close(k);
	teardown();
}
END_TEST

START_TEST(read_again)
{
	struct keyfile *k;
	FILE *f;

	setup();
	append(GOOD(1) "\n" GOOD(2));
	k = open_keys(true);
	ck_assert_int_eq(keyfile_poll(k, t, 0), 1);
	f = fopen(path, "r+"); /* over it, in place: as long as before */
	fputs(GOOD(3) "\n" GOOD(4), f);
	fclose(f);
	ck_assert_int_eq(keyfile_poll(k, t, 0), 0);
	ck_assert(!known(3) && !known(4));
	keyfile_again(k);
	ck_assert_int_eq(keyfile_poll(k, t, 0), 1);
	ck_assert(known(3) && known(4));
	unlink(path);
	keyfile_again(k);
	keyfile_close(k);
	k = open_keys(true); /* not there */
	keyfile_again(k);
	ck_assert_int_eq(keyfile_poll(k, t, 0), 0);
	keyfile_close(k);
	teardown();
}
END_TEST

START_TEST(long_lines_are_skipped)
{
	char *text = malloc(300000);

	for (size_t len = 8000; len < 300000; len += 29173) {
		struct keyfile *k;

		setup();
		memset(text, 'a', len);
		put(path, "w", text, len);
		append("\n" GOOD(1) "\n");
		k = open_keys(false);
		ck_assert_int_eq(keyfile_poll(k, t, 0), 1);
		ck_assert_uint_eq(keyfile_counts(k)->lines, 2);
		keyfile_close(k);
		put(path, "w", text, len); /* and no end at all */
		k = open_keys(false);
		ck_assert_int_eq(keyfile_poll(k, t, 0), 0);
		ck_assert_uint_eq(keyfile_counts(k)->lines, 1);
		keyfile_close(k);
		teardown();
	}
	free(text);
}
END_TEST

START_TEST(many_lines)
{
	struct keyfile *k;

	setup();
	for (int i = 0; i < 200; i++)
		append(GOOD(1) "\n" GOOD(2) "\n# between\n" GOOD(3) "\r\n");
	k = open_keys(true);
	ck_assert_int_eq(keyfile_poll(k, t, 0), 600);
	ck_assert_uint_eq(keyfile_counts(k)->lines, 800);
	keyfile_close(k);
	teardown();
}
END_TEST

START_TEST(no_key_log)
{
	struct keyfile *k;
	const char *said;

	setup();
	append("# fine\nCLIENT_RANDOM " ID "1 " B8 "\nthe password is hunter2\n");
	k = open_keys(false);
	said = messages(k, 3);
	ck_assert_ptr_nonnull(strstr(said, path));
	ck_assert_ptr_nonnull(strstr(said, "first bad line 2"));
	ck_assert_ptr_eq(strchr(said, '\n') + 1, said + strlen(said)); /* once */
	ck_assert_ptr_null(strstr(said, B8));
	ck_assert_ptr_null(strstr(said, "hunter2"));
	keyfile_close(k);
	put(path, "w",
		"\x7f"
		"ELF\0\0\n\0\1\2\xff",
		11);
	k = open_keys(false);
	ck_assert_ptr_nonnull(strstr(messages(k, 1), "first bad line 1"));
	keyfile_close(k);
	put(path, "w", "# nothing yet\n\n", 15);
	k = open_keys(false);
	ck_assert_str_eq(messages(k, 1), "");
	keyfile_close(k);
	put(path, "w", "nonsense\n" GOOD(1) "\n", strlen("nonsense\n" GOOD(1) "\n"));
	k = open_keys(false);
	ck_assert_str_eq(messages(k, 1), "");
	keyfile_close(k);
	teardown();
}
END_TEST

START_TEST(cannot_open)
{
	struct keyfile *k;

	setup();
	ck_assert_int_eq(keyfile_open(&k, path, false), -ENOENT);
	ck_assert_ptr_null(k);
	ck_assert_int_eq(keyfile_open(&k, dir, false), -EISDIR);
	ck_assert_int_eq(keyfile_open(&k, dir, true), -EISDIR);
	teardown();
}
END_TEST

START_TEST(fifo)
{
	struct keyfile *k;
	FILE *f;

	setup();
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	k = open_keys(true); /* waits for no writer */
	ck_assert_int_eq(keyfile_poll(k, t, 0), 0);
	f = fopen(path, "w");
	fputs(GOOD(1) "\n" GOOD(2), f);
	fflush(f);
	ck_assert_int_eq(keyfile_poll(k, t, 0), 1);
	fputs("\n", f);
	fclose(f);
	ck_assert_int_eq(keyfile_poll(k, t, 0), 1);
	keyfile_close(k);
	teardown();
}
END_TEST

START_TEST(text_of_a_block)
{
	const char text[] = GOOD(1) "\r\n" GOOD(2) "\0\0";
	struct key_counts c = { 0 };

	setup();
	for (size_t n = 0; n < sizeof(text); n++) {
		char *exact = malloc(n ? n : 1);

		memcpy(exact, text, n);
		c = (struct key_counts){ 0 };
		keys_put_text(t, exact, n, 0, &c);
		ck_assert_uint_eq(keys_stored(&c),
			(n >= strlen(GOOD(1))) + (n >= strlen(GOOD(1) "\r\n" GOOD(2))));
		free(exact);
	}
	ck_assert_uint_eq(c.lines, 2);
	keys_put_text(t, NULL, 0, 0, &c);
	ck_assert_uint_eq(c.lines, 2);
	teardown();
}
END_TEST

UNIT_MAIN("keyfile", read_once, grows_byte_by_byte, unfinished_at_open, rotated_and_truncated,
	read_again, long_lines_are_skipped, many_lines, no_key_log, cannot_open, fifo,
	text_of_a_block)
