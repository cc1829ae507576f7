/* SPDX-License-Identifier: BSD-3-Clause */
/* cleartap-keys: the key store from a shell. Passwords come from files and the environment only. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "keybus/cli/cli.h"

static const struct {
	char letter;
	const char *name, *arg, *help;
} table[] = {
#define OPTION(letter, name, arg, help) { letter, name, arg, help },
#include "keybus/cli/options.def"
#undef OPTION
};

#define COUNT ((int)(sizeof(table) / sizeof(*table)))

static const struct command {
	const char *name, *args, *help;
	int least, most; /* arguments */
	bool bus;        /* needs a server */
	int (*run)(const struct cli *c);
} commands[] = {
	{ "push", "[FILE]", "send the secrets of a key log, or of standard input", 0, 1, true,
		cli_push },
	{ "tail", "FILE", "follow a key log as it grows, or a FIFO, and send what is written", 1, 1,
		true, cli_tail },
	{ "get", "CLIENT_RANDOM", "print what Redis holds for a connection", 1, 1, true, cli_get },
	{ "watch", "", "print what is announced, a line for each connection", 0, 0, true,
		cli_watch },
	{ "keygen", "FILE", "make the sensor's key pair: FILE (0600) and FILE.pub", 1, 1, false,
		cli_keygen },
	{ "acl", "SHIM-PASSWORD-FILE SENSOR-PASSWORD-FILE",
		"print redis.conf lines for both users; passwords are made if the files are not there",
		2, 2, false, cli_acl },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

int cli_fail(const char *format, ...)
{
	va_list ap;

	fputs("cleartap-keys: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return CLI_FAILED;
}

static int usage(const char *what, const char *which)
{
	cli_fail("%s%s\nTry 'cleartap-keys --help'.", what, which);
	return CLI_USAGE;
}

static int help(void)
{
	puts("usage: cleartap-keys COMMAND [OPTION]... [ARGUMENT]...\n"
	     "\n"
	     "The secrets of TLS connections, on their way through Redis to the sensor.\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %s %s\n      %s\n", commands[i].name, commands[i].args, commands[i].help);
	puts("\nOPTIONS");
	for (int i = 0; i < COUNT; i++)
		printf("  -%c, --%-13s %-5s %s\n", table[i].letter, table[i].name,
			table[i].arg ? table[i].arg : "", table[i].help);
	puts("\nExit status: 0 done; 1 not, or not all of it; 2 usage.");
	return CLI_OK;
}

static int number(uint32_t *out, uint32_t max)
{
	char *end;
	unsigned long n = strtoul(optarg, &end, 10);

	if (*optarg < '1' || *optarg > '9' || *end || n > max)
		return usage("no number in range: ", optarg);
	*out = (uint32_t)n;
	return CLI_OK;
}

static int set_ack(struct cli *c)
{
	static const char *const who[] = { "sensor", "cache", "none" };

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(optarg, who[i]) != 0)
			continue;
		c->ack = (enum push_ack)i;
		return CLI_OK;
	}
	return usage("--ack is sensor, cache or none, not ", optarg);
}

static int apply(struct cli *c, int letter)
{
	switch (letter) {
	case 'r':
		c->servers = optarg;
		return CLI_OK;
	case 'c':
		c->access.ca = optarg;
		return CLI_OK;
	case 'C':
		c->access.cert = optarg;
		return CLI_OK;
	case 'K':
		c->access.key = optarg;
		return CLI_OK;
	case 'p':
		c->access.password_file = optarg;
		return CLI_OK;
	case 's':
		c->seal = optarg;
		return CLI_OK;
	case 'S':
		c->seal_key = optarg;
		return CLI_OK;
	case 'a':
		return set_ack(c);
	case 'n':
		return number(&c->acks, 16);
	case 'w':
		return number(&c->hold_ms, 60000);
	case 't':
		return number(&c->ttl_s, 30 * 86400);
	case 'x':
		c->secrets = true;
		return CLI_OK;
	default:
		return usage("an option was wrong", "");
	}
}

/* @return CLI_OK, CLI_USAGE; -1: help was asked for. */
static int parse(struct cli *c, int argc, char **argv)
{
	struct option longs[COUNT + 1];
	char shorts[2 * COUNT + 1], *p = shorts;
	int letter, rc = CLI_OK;

	memset(longs, 0, sizeof(longs));
	for (int i = 0; i < COUNT; i++) {
		longs[i] = (struct option){ table[i].name,
			table[i].arg ? required_argument : no_argument, NULL, table[i].letter };
		*p++ = table[i].letter;
		if (table[i].arg)
			*p++ = ':';
	}
	*p = '\0';
	while (!rc && (letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		rc = letter == 'h' ? -1 : apply(c, letter);
	c->args = argv + optind;
	c->n_args = argc - optind;
	return rc;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct cli c = { .servers = getenv("CLEARTAP_REDIS"),
		.ack = PUSH_ACK_CACHE,
		.acks = 1,
		.hold_ms = 5000,
		.ttl_s = 300 };
	int rc = parse(&c, argc, argv);

	if (rc)
		return rc < 0 ? help() : rc;
	if (c.n_args < command->least || c.n_args > command->most)
		return usage(command->name,
			*command->args ? ": wrong number of arguments" : " takes no argument");
	if (command->bus && !c.servers)
		return usage(command->name, ": no server; give --redis URI or set CLEARTAP_REDIS");
	return command->run(&c);
}

int main(int argc, char **argv)
{
#ifndef __SANITIZE_ADDRESS__ /* LeakSanitizer has to look into its own process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	if (argc < 2)
		return usage("no command", "");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help();
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return run(&commands[i], argc - 1, argv + 1);
	return usage("no such command: ", argv[1]);
}
