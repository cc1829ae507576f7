/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"
#include "keyfile.h"
#include "keys/keytab.h"
#include "options.h"

struct keyredis;
struct rsakey;

/** The key table of a run and what fills it. Context: the table's one writer. */
struct keyring {
	struct keytab_cfg cfg;
	struct keytab *table;
	int n;
	struct keyfile *file[OPTIONS_MAX]; /* one of these two for each --keys */
	struct rsakey *rsa[OPTIONS_MAX];
	struct keyredis *redis; /* all servers; NULL: none */
};

/** From the system's random source, for hashes that outsiders must not foresee. */
uint64_t keyring_seed(void);

/**
 * Make the table and open what --keys names.
 *
 * @param ttl_s   Of the entries; 0: for ever.
 * @param live    Files that are not there yet will come, and may be FIFOs; no RSA keys.
 * @return EXIT_READ, or another exit status; the reason has then been said.
 */
int keyring_open(struct keyring *k, const struct options *opt, uint32_t ttl_s, bool live);

/** Read what is new. @return 0 or -errno of a file that could not be read, said once. */
int keyring_poll(struct keyring *k, uint32_t now_s);

/** The next poll reads all files from their start; keys that open sealed payloads are read now, or stay if they cannot be. */
void keyring_reload(struct keyring *k);

/**
 * Decrypt an encrypted premaster secret; for struct tls_env. Which of the keys it was encrypted for
 * is known only by trying.
 * @param keyring  struct keyring.
 */
bool keyring_decrypt(void *keyring, const uint8_t *in, size_t len, uint8_t premaster[48]);

/** Add what became of key-log lines, wherever they came from, under the reasons they share. */
void keyring_count(struct counters *c, const struct key_counts *lines);

/** Add the counts of all files and servers, which the writer may be adding to meanwhile. Context: any. */
void keyring_counts(const struct keyring *k, struct counters *c);

/** Cleanse and free; also after a failed keyring_open(). */
void keyring_close(struct keyring *k);
