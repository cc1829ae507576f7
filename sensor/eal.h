/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "options.h"

/**
 * Start the EAL with what follows -- on the command line. What is not said there and has a good
 * default is added: an lcore for every worker, the dispatcher and the main thread, on the CPUs that
 * this process may use; memory for a try-out with --no-huge.
 * @return 0 or -errno, said.
 */
int eal_start(const struct options *opt);
