/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/report.h"
#include "shim/tally.h"

static char path[] = "/tmp/test_report.XXXXXX", text[4096];

static const char *contents(void)
{
	FILE *f = fopen(path, "r");

	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

START_TEST(lines)
{
	char long_text[2000];
	struct stat st;

	close(mkstemp(path));
	unlink(path);
	report_say("nowhere");
	report_to(path);
	errno = 77;
	report_say("one %d", 1);
	ck_assert_int_eq(errno, 77);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	memset(long_text, 'x', sizeof(long_text));
	long_text[1999] = '\0';
	report_say("%s", long_text);
	ck_assert_ptr_nonnull(strstr(contents(), "]: one 1\n"));
	ck_assert_uint_lt(strlen(text), 700);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	unlink(path);
	report_to("/nowhere/at/all");
	report_say("lost");
}
END_TEST

START_TEST(counts)
{
	close(mkstemp(path));
	report_to(path);
	tally_report();
	ck_assert_str_eq(contents(), "");
	for (int i = 0; i < TALLIES; i++)
		tally_add((enum tally)i, UINT64_MAX); /* the longest line */
	tally_max(TALLY_hold_max_us, 1);
	ck_assert_uint_eq(tally_get(TALLY_hold_max_us), UINT64_MAX);
	tally_report();
	ck_assert_ptr_nonnull(strstr(contents(), " handshakes=18446744073709551615 "));
	ck_assert_ptr_nonnull(strstr(text, " hold_max_us=18446744073709551615\n"));
	tally_reset();
	tally_add(TALLY_late, 2);
	tally_max(TALLY_hold_max_us, 5);
	tally_max(TALLY_hold_max_us, 4);
	tally_report();
	ck_assert_ptr_nonnull(strstr(contents(), "]: counts: late=2 hold_max_us=5\n"));
	unlink(path);
}
END_TEST

UNIT_MAIN("report", lines, counts)
