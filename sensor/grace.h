/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <rte_lcore.h>
#include <rte_rcu_qsbr.h>

#define GRACE_WRITER RTE_MAX_LCORE /* beside the lcores: the thread of the sinks */

/**
 * Who is just reading a ring that a driver may take away? net_memif (DPDK 22.11) unmaps the memory of
 * a peer that has gone, in the EAL's interrupt thread, while a worker copies out of it. It has told
 * the worker's next burst before that to come back empty-handed; so no more is needed than to wait for
 * each burst that had begun: munmap() of this program does, see grace.c.
 *
 * One thread a number: its lcore, or GRACE_WRITER. NULL until grace_init().
 */
extern struct rte_rcu_qsbr *grace;

/** @return 0 or -ENOMEM. Before any thread reads a port; freed with the process. */
int grace_init(void);

/** From here to grace_leave() this thread is waited for. */
static inline void grace_enter(unsigned who)
{
	rte_rcu_qsbr_thread_online(grace, who);
}

/** Between two bursts. */
static inline void grace_turn(unsigned who)
{
	rte_rcu_qsbr_quiescent(grace, who);
}

static inline void grace_leave(unsigned who)
{
	rte_rcu_qsbr_thread_offline(grace, who);
}
