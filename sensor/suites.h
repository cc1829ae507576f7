/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** `cleartap suites`: what this build and this CPU open, and with which back-end. @return exit status. */
int suites_main(int argc, char **argv);
