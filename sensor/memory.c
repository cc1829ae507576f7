/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for tables that hold secrets: reserved, not paid for; not dumped; not swapped. */
#include "memory.h"

#include <sys/mman.h>
#include <sys/prctl.h>

void *memory_reserve(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		-1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, n, MADV_DONTDUMP);
	mlock2(p, n, MLOCK_ONFAULT); /* best effort: an unprivileged replay has a small limit */
	return p;
}

void memory_huge(void *p, size_t n)
{
	madvise(p, n, MADV_HUGEPAGE); /* best effort: a kernel may have none */
}

void memory_free(void *p, size_t n)
{
	if (p)
		munmap(p, n);
}

void memory_protect_process(void)
{
#ifndef __SANITIZE_ADDRESS__ /* LeakSanitizer has to look into its own process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}
