/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** Exit statuses of the program. */
enum { EXIT_READ = 0, EXIT_OTHER = 1, EXIT_USAGE = 2, EXIT_DAMAGED = 3 };

/** `cleartap replay`; argv[0] is the command. @return exit status. */
int replay_main(int argc, char **argv);
