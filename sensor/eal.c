/* SPDX-License-Identifier: BSD-3-Clause */
/* The EAL's own command line, completed. */
#include "eal.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#define ARGS_MAX 256
#define TEXT_MAX 4096

static bool given(const struct options *opt, const char *word, bool exact)
{
	size_t n = strlen(word);

	for (int i = 0; i < opt->n_inputs; i++)
		if (exact ? !strcmp(opt->inputs[i], word) : !strncmp(opt->inputs[i], word, n))
			return true;
	return false;
}

/* "0@(CPUS),1@(CPUS),...": the scheduler deals lcores out, since there may be fewer CPUs. */
static void shared_lcores(char *out, size_t cap, int lcores)
{
	char cpus[TEXT_MAX / 2] = "";
	size_t n = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < CPU_SETSIZE && n < sizeof(cpus) - 8; i++)
		if (CPU_ISSET(i, &set))
			n += (size_t)snprintf(cpus + n, sizeof(cpus) - n, "%s%d", n ? "," : "", i);
	snprintf(out, cap, "--lcores=(0-%d)@(%s)", lcores - 1, cpus);
}

int eal_start(const struct options *opt)
{
	int lcores = opt->workers + (opt->workers > 1) + 1;
	static char name[] = "cleartap", memory[] = "-m512", text[TEXT_MAX];
	static char *argv[ARGS_MAX];
	int argc = 0;

	argv[argc++] = name;
	if (opt->n_inputs > ARGS_MAX - 4) {
		fputs("cleartap: too many arguments for the EAL\n", stderr);
		return -E2BIG;
	}
	if (!given(opt, "-l", false) && !given(opt, "-c", false) &&
		!given(opt, "--lcores", false)) {
		shared_lcores(text, sizeof(text), lcores);
		argv[argc++] = text;
	}
	if (given(opt, "--no-huge", true) && !given(opt, "-m", false))
		argv[argc++] = memory;
	for (int i = 0; i < opt->n_inputs; i++)
		argv[argc++] = opt->inputs[i];
	if (rte_eal_init(argc, argv) < 0) {
		fprintf(stderr,
			"cleartap: the EAL does not start: %s; its own messages are above. If it "
			"misses hugepages, reserve some (/proc/sys/vm/nr_hugepages) and give it "
			"--in-memory, which needs no mount, or give it --no-huge; beside another DPDK process --file-prefix NAME\n",
			rte_strerror(rte_errno));
		return -EIO;
	}
	if (rte_lcore_count() < (unsigned)opt->workers + 1) {
		fprintf(stderr,
			"cleartap: %d workers need %d lcores, the EAL has %u: "
			"give it more, for instance --lcores '(0-%d)@(0,1)'\n",
			opt->workers, lcores, rte_lcore_count(), lcores - 1);
		return -EINVAL;
	}
	return 0;
}
