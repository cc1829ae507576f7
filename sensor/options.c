/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line, from one table. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/scope.h"
#include "sink.h"

enum command { REPLAY = 1, RUN = 2 };

static const struct {
	char letter;
	const char *name, *arg;
	int commands;
	const char *help;
} table[] = {
#define OPTION(letter, name, arg, commands, help) { letter, name, arg, commands, help },
#include "options.def"
#undef OPTION
};

#define COUNT ((int)(sizeof(table) / sizeof(*table)))

static void list(const struct sink_ops *const *s)
{
	for (; s && *s; s++)
		printf("  %s:%-8s %s\n", (*s)->scheme, (*s)->arg, (*s)->help);
}

static void help(enum command command, const struct sink_ops *const *more)
{
	puts(command == REPLAY ?
			"usage: cleartap replay [OPTION]... CAPTURE...\n"
			"\n"
			"Decrypt the TLS connections of captures (pcap or pcapng, gzip or not; - is standard\n"
			"input) with the secrets of key logs and of the captures themselves.\n" :
			"usage: cleartap run [OPTION]... [-- EAL ARGUMENT...]\n"
			"\n"
			"Decrypt the TLS connections that DPDK ports see, with secrets from Redis, and from\n"
			"key logs that are followed as they grow. SIGINT or SIGTERM ends it, SIGHUP reopens outputs\nand reads policy and key files again.\n");
	for (int i = 0; i < COUNT; i++)
		if (table[i].commands & command)
			printf("  -%c, --%-8s %-5s %s\n", table[i].letter, table[i].name,
				table[i].arg ? table[i].arg : "", table[i].help);
	puts("\nOUTPUTS (without one, a table of the connections is printed)");
	list(sinks);
	list(more);
	puts("\nPOLICY (an item is one of " SCOPE_FORM ")\n"
	     "  only ITEM    decrypt connections that such a line matches, and no others\n"
	     "  except ITEM  never decrypt those that such a line matches; stronger");
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

static int set_number(int *out, int min, int max, const char *name)
{
	char *end;
	long n = strtol(optarg, &end, 10);

	if (end == optarg || *end || n < min || n > max) {
		fprintf(stderr, "cleartap: --%s %s: give a number from %d to %d\n", name, optarg,
			min, max);
		return -1;
	}
	*out = (int)n;
	return 0;
}

static int apply(struct options *o, enum command command, int letter)
{
	switch (letter) {
	case 'k':
		return add(o->keys, &o->n_keys, optarg, "keys");
	case 'o':
		return add(o->outs, &o->n_outs, optarg, "out");
	case 'p':
		return add(o->ports, &o->n_ports, optarg, "port");
	case 'w':
		return set_number(&o->workers, 1, OPTIONS_WORKERS_MAX, "workers");
	case 'L':
		return set_number(&o->late_key_ms, 0, 60000, "late-key-ms");
	case 'B':
		return set_number(&o->late_key_bytes, 0, 16 << 20, "late-key-bytes");
	case 's':
		o->stats = optarg;
		return 0;
	case 'm':
		o->metrics = optarg;
		return 0;
	case 'y':
		o->policy = optarg;
		return 0;
	case 'b':
		o->backend = optarg;
		return 0;
	case 'S':
		return add(o->seal_keys, &o->n_seal_keys, optarg, "seal-key");
	case 'R':
		o->require_seal = true;
		return 0;
	case 'C':
		o->redis_ca = optarg;
		return 0;
	case 'T':
		o->redis_cert = optarg;
		return 0;
	case 'K':
		o->redis_key = optarg;
		return 0;
	case 'P':
		o->redis_password_file = optarg;
		return 0;
	case 'h':
		return 1;
	default:
		fprintf(stderr, "Try 'cleartap %s --help'.\n",
			command == REPLAY ? "replay" : "run");
		return -1;
	}
}

/* @return as options_replay(); optind is then the first word that is no option. */
static int parse(struct options *o, enum command command, int argc, char **argv)
{
	struct option longs[COUNT + 1];
	char shorts[2 * COUNT + 1], *p = shorts;
	int letter, n = 0, rc;

	memset(longs, 0, sizeof(longs));
	for (int i = 0; i < COUNT; i++) {
		if (!(table[i].commands & command))
			continue;
		longs[n++] = (struct option){ table[i].name,
			table[i].arg ? required_argument : no_argument, NULL, table[i].letter };
		*p++ = table[i].letter;
		if (table[i].arg)
			*p++ = ':';
	}
	*p = '\0';
	*o = (struct options){ .workers = 1, .late_key_bytes = 65536 };
	while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		rc = apply(o, command, letter);
		if (rc)
			return rc;
	}
	return 0;
}

int options_replay(struct options *o, int argc, char **argv)
{
	int rc = parse(o, REPLAY, argc, argv);

	if (rc > 0)
		help(REPLAY, NULL);
	if (rc)
		return rc;
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

int options_run(struct options *o, int argc, char **argv, const struct sink_ops *const *more)
{
	int ours = 1, rc;

	while (ours < argc && strcmp(argv[ours], "--") != 0)
		ours++;
	rc = parse(o, RUN, ours, argv);
	if (rc > 0)
		help(RUN, more);
	if (rc)
		return rc;
	if (optind < ours) {
		fprintf(stderr,
			"cleartap: run: '%s' is no option; arguments of the EAL come after --\n"
			"Try 'cleartap run --help'.\n",
			argv[optind]);
		return -1;
	}
	o->inputs = argv + (ours < argc ? ours + 1 : argc);
	o->n_inputs = ours < argc ? argc - ours - 1 : 0;
	return 0;
}
