/* SPDX-License-Identifier: BSD-3-Clause */
/* cleartap: a command, and what it does. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "replay.h"
#include "run.h"
#include "suites.h"

static const struct {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "replay", "decrypt captures offline", replay_main },
	{ "run", "decrypt what DPDK ports see, live", run_main },
	{ "suites", "list cipher suites and what opens them", suites_main },
};

#define COUNT (sizeof(commands) / sizeof(*commands))

static void usage(FILE *out)
{
	fputs("usage: cleartap COMMAND [OPTION]...\n\n", out);
	for (size_t i = 0; i < COUNT; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\n'cleartap COMMAND --help' tells more; 'cleartap --version' the version.\n", out);
}

int main(int argc, char **argv)
{
	memory_protect_process();
	signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of that output */
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < COUNT; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("cleartap " CLEARTAP_VERSION);
		return EXIT_READ;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return EXIT_READ;
	}
	fprintf(stderr, "cleartap: no command '%s'\n\n", argv[1]);
	usage(stderr);
	return EXIT_USAGE;
}
