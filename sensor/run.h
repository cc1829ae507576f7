/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** `cleartap run`; argv[0] is the command. @return exit status. */
int run_main(int argc, char **argv);
