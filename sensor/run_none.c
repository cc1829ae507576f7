/* SPDX-License-Identifier: BSD-3-Clause */
/* `cleartap run` of a build without DPDK. */
#include "run.h"

#include <stdio.h>

#include "replay.h"

int run_main(int argc, char **argv)
{
	fputs("cleartap: this build has no DPDK: install libdpdk-dev and build again\n", stderr);
	return EXIT_OTHER;
}
