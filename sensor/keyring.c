/* SPDX-License-Identifier: BSD-3-Clause */
/* From --keys URI to a table of secrets; the offline reader and the live sensor fill it alike. */
#include "keyring.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "memory.h"
#include "replay.h"

uint64_t keyring_seed(void)
{
	uint64_t seed;

	return getrandom(&seed, sizeof(seed), 0) == sizeof(seed) ? seed : 0x9e3779b97f4a7c15u;
}

/* A file may be appended to while a capture comes down a pipe; a FIFO is read once. */
static bool grows(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

int keyring_open(struct keyring *k, const struct options *opt, uint32_t ttl_s, bool follow)
{
	k->cfg = (struct keytab_cfg){
		.max_entries = 1 << 20, .ttl_s = ttl_s, .seed = keyring_seed()
	};
	k->table = memory_reserve(keytab_bytes(&k->cfg));
	if (!k->table) {
		perror("cleartap: no memory for the key table");
		return EXIT_OTHER;
	}
	k->table = keytab_init(k->table, &k->cfg);
	for (int i = 0; i < opt->n_keys; i++) {
		const char *uri = opt->keys[i];

		if (strncmp(uri, "file:", 5) != 0) {
			fprintf(stderr, "cleartap: --keys %.*s: only file:PATH is read here\n",
				(int)strcspn(uri, ":"), uri);
			return EXIT_USAGE;
		}
		if (keyfile_open(&k->file[i], uri + 5, follow || grows(uri + 5)))
			return EXIT_OTHER;
		k->n = i + 1;
	}
	return EXIT_READ;
}

int keyring_poll(struct keyring *k, uint32_t now_s)
{
	int rc = 0;

	for (int i = 0; i < k->n; i++) {
		int one = keyfile_poll(k->file[i], k->table, now_s);

		if (one < 0 && !rc)
			rc = one;
	}
	return rc;
}

void keyring_count(struct counters *c, const struct key_counts *lines)
{
	c->keys_installed += keys_stored(lines);
	for (int v = 0; v < V_COUNT; v++)
		if (verdict_stage((enum verdict)v) == STAGE_KEY)
			c->verdict[v] += lines->by[v];
}

void keyring_counts(const struct keyring *k, struct counters *c)
{
	for (int i = 0; i < k->n; i++)
		keyring_count(c, keyfile_counts(k->file[i]));
}

void keyring_close(struct keyring *k)
{
	for (int i = 0; i < k->n; i++)
		keyfile_close(k->file[i]);
	k->n = 0;
	if (k->table) {
		keytab_fini(k->table);
		memory_free(k->table, keytab_bytes(&k->cfg));
		k->table = NULL;
	}
}
