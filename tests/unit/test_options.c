/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "options.h"
#include "sink.h"

static struct options o;
static char said[2][16384]; /* on standard output, on standard error */

static FILE *divert(int fd, int *saved)
{
	FILE *f = tmpfile();

	fflush(NULL);
	*saved = dup(fd);
	dup2(fileno(f), fd);
	return f;
}

static void restore(int fd, int saved, FILE *f, char *out)
{
	size_t n;

	fflush(NULL);
	dup2(saved, fd);
	close(saved);
	rewind(f);
	n = fread(out, 1, sizeof(said[0]) - 1, f);
	out[n] = '\0';
	fclose(f);
}

/* Words as a shell would pass them, after the command's name. */
static int run(int n, const char *const *words)
{
	static char *argv[256];
	static char command[] = "replay";
	FILE *f[2];
	int saved[2], rc;

	argv[0] = command;
	argv[n + 1] = NULL;
	memcpy(argv + 1, words, (size_t)n * sizeof(*words));
	for (int i = 0; i < 2; i++)
		f[i] = divert(i + 1, &saved[i]);
	optind = 0; /* getopt remembers where it was */
	rc = options_replay(&o, n + 1, argv);
	for (int i = 0; i < 2; i++)
		restore(i + 1, saved[i], f[i], said[i]);
	return rc;
}

#define RUN(...)                                                                                   \
	run((int)(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)),                       \
		(const char *[]){ __VA_ARGS__ })

START_TEST(every_option_in_every_form)
{
	ck_assert_int_eq(RUN("-k", "file:a", "--keys=file:b", "--keys", "file:c", "-o", "digest:-",
				 "one.pcap", "--out", "eve:x", "-s", "-", "-bopenssl", "-"),
		0);
	ck_assert_int_eq(o.n_keys, 3);
	ck_assert_str_eq(o.keys[0], "file:a");
	ck_assert_str_eq(o.keys[1], "file:b");
	ck_assert_str_eq(o.keys[2], "file:c");
	ck_assert_int_eq(o.n_outs, 2);
	ck_assert_str_eq(o.outs[0], "digest:-");
	ck_assert_str_eq(o.outs[1], "eve:x");
	ck_assert_str_eq(o.stats, "-");
	ck_assert_str_eq(o.backend, "openssl");
	ck_assert_int_eq(o.n_inputs, 2); /* options may stand behind them */
	ck_assert_str_eq(o.inputs[0], "one.pcap");
	ck_assert_str_eq(o.inputs[1], "-");
	ck_assert_str_eq(said[0], "");
	ck_assert_str_eq(said[1], "");
}
END_TEST

START_TEST(nothing_is_left_of_an_earlier_run)
{
	ck_assert_int_eq(RUN("-k", "file:a", "-o", "raw:x", "-s", "f", "-b", "openssl", "x"), 0);
	ck_assert_int_eq(RUN("--", "-k"), 0);
	ck_assert_int_eq(o.n_keys + o.n_outs, 0);
	ck_assert_ptr_null(o.stats);
	ck_assert_ptr_null(o.backend);
	ck_assert_int_eq(o.n_inputs, 1);
	ck_assert_str_eq(o.inputs[0], "-k");
}
END_TEST

START_TEST(usage_errors_point_to_the_help)
{
	ck_assert_int_eq(RUN("--out", "digest:-"), -1);
	ck_assert_ptr_nonnull(strstr(said[1], "needs a capture file"));
	ck_assert_int_eq(RUN("--no-such-option", "x"), -1);
	ck_assert_ptr_nonnull(strstr(said[1], "--help"));
	ck_assert_int_eq(RUN("x", "--keys"), -1);
	ck_assert_ptr_nonnull(strstr(said[1], "--help"));
	ck_assert_int_eq(RUN("-Z", "x"), -1);
	ck_assert_str_eq(said[0], "");
}
END_TEST

START_TEST(help_names_every_option_and_output)
{
	ck_assert_int_eq(RUN("--help"), 1);
	ck_assert_ptr_nonnull(strstr(said[0], "--keys"));
	ck_assert_ptr_nonnull(strstr(said[0], "--stats"));
	ck_assert_ptr_nonnull(strstr(said[0], "Exit status"));
	for (int i = 0; sinks[i]; i++)
		ck_assert_ptr_nonnull(strstr(said[0], sinks[i]->scheme));
	ck_assert_str_eq(said[1], "");
}
END_TEST

START_TEST(as_many_as_there_is_room_for)
{
	static const char *words[2 * OPTIONS_MAX + 3];

	for (int i = 0; i <= OPTIONS_MAX; i++) {
		words[2 * i] = "-k";
		words[2 * i + 1] = "file:x";
	}
	words[2 * OPTIONS_MAX + 2] = "capture";
	ck_assert_int_eq(run(2 * OPTIONS_MAX + 1, words + 2), 0);
	ck_assert_int_eq(o.n_keys, OPTIONS_MAX);
	ck_assert_int_eq(run(2 * OPTIONS_MAX + 3, words), -1);
	ck_assert_ptr_nonnull(strstr(said[1], "more than 64 --keys"));
}
END_TEST

UNIT_MAIN("options", every_option_in_every_form, nothing_is_left_of_an_earlier_run,
	usage_errors_point_to_the_help, help_names_every_option_and_output,
	as_many_as_there_is_room_for)
