/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "memory.h"

/* The flags of the mapping that begins at an address, as the kernel tells them. */
static void flags_of(const void *p, char *out, size_t cap)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512], want[32];
	bool inside = false;

	ck_assert_ptr_nonnull(f);
	*out = '\0';
	snprintf(want, sizeof(want), "%lx-", (unsigned long)p);
	while (!*out && fgets(line, sizeof(line), f)) {
		inside |= !strncmp(line, want, strlen(want));
		if (inside && !strncmp(line, "VmFlags:", 8))
			snprintf(out, cap, "%s", line);
	}
	fclose(f);
}

START_TEST(zeros_that_are_not_dumped)
{
	size_t n = 1 << 20;
	uint8_t *p = memory_reserve(n);
	char flags[512];

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq((uintptr_t)p % 4096, 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(p[i], 0);
	memset(p, 1, n);
	flags_of(p, flags, sizeof(flags));
	ck_assert_msg(strstr(flags, " dd") != NULL, "%s", flags);
	memory_free(p, n);
	memory_free(NULL, n);
}
END_TEST

/* Reserving costs address space: tables are sized for the worst, replays are small. */
START_TEST(pages_come_when_touched)
{
	size_t n = (size_t)1 << 34;
	uint8_t *p = memory_reserve(n);
	unsigned char in_core[4];

	ck_assert_ptr_nonnull(p);
	p[n - 1] = 1;
	ck_assert_int_eq(mincore(p, 4 * 4096, in_core), 0);
	ck_assert_uint_eq((in_core[0] | in_core[1] | in_core[2] | in_core[3]) & 1, 0);
	memory_free(p, n);
	ck_assert_ptr_null(memory_reserve((size_t)1 << 60));
}
END_TEST

START_TEST(a_process_that_is_not_dumped)
{
	memory_protect_process();
#ifndef __SANITIZE_ADDRESS__
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
#endif
}
END_TEST

UNIT_MAIN(
	"memory", zeros_that_are_not_dumped, pages_come_when_touched, a_process_that_is_not_dumped)
