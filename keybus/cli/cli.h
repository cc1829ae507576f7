/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "keybus/access.h"
#include "keybus/push.h"

/** Exit status. */
enum { CLI_OK, CLI_FAILED, CLI_USAGE };

/** The command line of one command, after parsing. Strings are argv's, or the environment's. */
struct cli {
	const char *servers; /* --redis, or CLEARTAP_REDIS */
	struct access_cfg access;
	const char *seal;     /* public key, for push and tail */
	const char *seal_key; /* private key, for get and watch */
	enum push_ack ack;
	uint32_t acks, hold_ms, ttl_s;
	bool secrets; /* watch shows them */
	int n_args;
	char **args;
};

/** Commands. @return an exit status; what went wrong has been said on stderr. */
int cli_push(const struct cli *c);
int cli_tail(const struct cli *c);
int cli_get(const struct cli *c);
int cli_watch(const struct cli *c);
int cli_keygen(const struct cli *c);
int cli_acl(const struct cli *c);

/** Say on stderr what is wrong. @return CLI_FAILED. */
__attribute__((format(printf, 1, 2))) int cli_fail(const char *format, ...);
