/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line, from one table. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "sink.h"

static const struct {
	char letter;
	const char *name, *arg, *help;
} table[] = {
#define OPTION(letter, name, arg, help) { letter, name, arg, help },
#include "options.def"
#undef OPTION
};

#define COUNT ((int)(sizeof(table) / sizeof(*table)))

static void help(void)
{
	puts("usage: cleartap replay [OPTION]... CAPTURE...\n"
	     "\n"
	     "Decrypt the TLS connections of captures (pcap or pcapng, gzip or not; - is standard\n"
	     "input) with the secrets of key logs and of the captures themselves.\n");
	for (int i = 0; i < COUNT; i++)
		printf("  -%c, --%-8s %-5s %s\n", table[i].letter, table[i].name,
			table[i].arg ? table[i].arg : "", table[i].help);
	puts("\nOUTPUTS (without one, a table of the connections is printed)");
	for (int i = 0; sinks[i]; i++)
		printf("  %s:%-8s %s\n", sinks[i]->scheme, sinks[i]->arg, sinks[i]->help);
	puts("\nExit status: 0 all read; 2 usage; 3 an input is damaged; 1 any other error.");
}

static int add(const char **list, int *n, const char *value, const char *name)
{
	if (*n == OPTIONS_MAX) {
		fprintf(stderr, "cleartap: more than %d --%s\n", OPTIONS_MAX, name);
		return -1;
	}
	list[(*n)++] = value;
	return 0;
}

static int apply(struct options *o, int letter)
{
	switch (letter) {
	case 'k':
		return add(o->keys, &o->n_keys, optarg, "keys");
	case 'o':
		return add(o->outs, &o->n_outs, optarg, "out");
	case 's':
		o->stats = optarg;
		return 0;
	case 'b':
		o->backend = optarg;
		return 0;
	case 'h':
		help();
		return 1;
	default:
		fputs("Try 'cleartap replay --help'.\n", stderr);
		return -1;
	}
}

int options_replay(struct options *o, int argc, char **argv)
{
	struct option longs[COUNT + 1];
	char shorts[2 * COUNT + 1], *p = shorts;
	int letter, rc;

	memset(longs, 0, sizeof(longs));
	for (int i = 0; i < COUNT; i++) {
		longs[i] = (struct option){ table[i].name,
			table[i].arg ? required_argument : no_argument, NULL, table[i].letter };
		*p++ = table[i].letter;
		if (table[i].arg)
			*p++ = ':';
	}
	*p = '\0';
	*o = (struct options){ 0 };
	while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		rc = apply(o, letter);
		if (rc)
			return rc;
	}
	o->inputs = argv + optind;
	o->n_inputs = argc - optind;
	if (!o->n_inputs) {
		fputs("cleartap: replay needs a capture file, or - for standard input\n"
		      "Try 'cleartap replay --help'.\n",
			stderr);
		return -1;
	}
	return 0;
}
