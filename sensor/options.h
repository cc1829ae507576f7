/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>

#define OPTIONS_MAX 64
#define OPTIONS_WORKERS_MAX 64

/** The command line of one run, after parsing. Strings are argv's. */
struct options {
	int n_keys;
	int n_outs;
	int n_inputs;
	int n_ports;
	int workers;
	int late_key_ms; /* 0: nothing waits for a key */
	int late_key_bytes;
	const char *keys[OPTIONS_MAX];
	const char *outs[OPTIONS_MAX];
	const char *ports[OPTIONS_MAX];
	char **inputs;       /* replay: captures; run: arguments of the EAL */
	const char *stats;   /* NULL: none; "-": stdout */
	const char *metrics; /* NULL: none; address and port */
	const char *policy;  /* NULL: all may be decrypted */
	const char *backend; /* NULL: the best */
	int n_seal_keys;
	const char *seal_keys[OPTIONS_MAX];
	bool require_seal;
	const char *redis_ca, *redis_cert, *redis_key, *redis_password_file;
};

struct sink_ops;

/**
 * Parse the options of `cleartap replay`, or of `cleartap run`; argv[0] is the command.
 * @param more  Sinks that only this command has, ending with NULL, for --help.
 * @return 0; 1: help was asked for and printed; -1: usage error, said on stderr.
 */
int options_replay(struct options *o, int argc, char **argv);
int options_run(struct options *o, int argc, char **argv, const struct sink_ops *const *more);
