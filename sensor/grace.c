/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver has no hook between "closed" and "unmapped". But it is a shared object that calls
 * munmap(), and the program's own munmap() comes before libc's.
 */
#include "grace.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct rte_rcu_qsbr *grace;

int grace_init(void)
{
	size_t len = rte_rcu_qsbr_get_memsize(GRACE_WRITER + 1);
	struct rte_rcu_qsbr *v = aligned_alloc(RTE_CACHE_LINE_SIZE, len);

	if (!v)
		return -ENOMEM;
	rte_rcu_qsbr_init(v, GRACE_WRITER + 1);
	for (unsigned who = 0; who <= GRACE_WRITER; who++)
		rte_rcu_qsbr_thread_register(v, who);
	grace = v;
	return 0;
}

/* Who reads ports does not unmap, and would wait for itself: lcores go on at once. */
int munmap(void *addr, size_t len)
{
	if (grace && rte_lcore_id() == LCORE_ID_ANY)
		rte_rcu_qsbr_synchronize(grace, RTE_QSBR_THRID_INVALID);
	return (int)syscall(SYS_munmap, addr, len);
}
