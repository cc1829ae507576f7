/* SPDX-License-Identifier: BSD-3-Clause */
/* From --keys URI to a table of secrets; the offline reader and the live sensor fill it alike. */
#include "keyring.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "keyredis.h"
#include "memory.h"
#include "replay.h"
#include "rsakey.h"

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

/* A private-key operation takes half a millisecond, and a heap: nothing for a live worker. */
static int open_key(struct keyring *k, const char *uri, bool live)
{
	if (strncmp(uri, "file:", 5) == 0)
		return keyfile_open(&k->file[k->n], uri + 5, live || grows(uri + 5)) ? EXIT_OTHER :
										       EXIT_READ;
	if (strncmp(uri, "rsa:", 4) == 0 && !live)
		return rsakey_open(&k->rsa[k->n], uri + 4) ? EXIT_OTHER : EXIT_READ;
	if (keyredis_is(uri) && live)
		return EXIT_READ; /* all together, by open_redis() */
	fprintf(stderr, "cleartap: --keys %.*s: only file:PATH%s read here\n",
		(int)strcspn(uri, ":"), uri,
		live ? ", redis://, rediss:// and unix:PATH are" : " and rsa:PEM are");
	return EXIT_USAGE;
}

/* @return EXIT_READ, also if there is no server. */
static int open_redis(struct keyring *k, const struct options *opt)
{
	for (int i = 0; i < opt->n_keys; i++)
		if (keyredis_is(opt->keys[i]))
			return keyredis_new(&k->redis, k->table, opt) ? EXIT_USAGE : EXIT_READ;
	return EXIT_READ;
}

int keyring_open(struct keyring *k, const struct options *opt, uint32_t ttl_s, bool live)
{
	k->cfg = (struct keytab_cfg){
		.max_entries = 1 << 20, .ttl_s = ttl_s, .seed = keyring_seed()
	};
	k->table = memory_reserve(keytab_bytes(&k->cfg));
	if (!k->table) {
		perror("cleartap: no memory for the key table");
		return EXIT_OTHER;
	}
	if (live)
		memory_huge(k->table, keytab_bytes(&k->cfg));
	k->table = keytab_init(k->table, &k->cfg);
	for (int i = 0; i < opt->n_keys; i++, k->n++) {
		int status = open_key(k, opt->keys[i], live);

		if (status)
			return status;
	}
	return live ? open_redis(k, opt) : EXIT_READ;
}

int keyring_poll(struct keyring *k, uint32_t now_s)
{
	int rc = 0;

	for (int i = 0; i < k->n; i++) {
		int one = k->file[i] ? keyfile_poll(k->file[i], k->table, now_s) : 0;

		if (one < 0 && !rc)
			rc = one;
	}
	return rc;
}

void keyring_reload(struct keyring *k)
{
	for (int i = 0; i < k->n; i++)
		if (k->file[i])
			keyfile_again(k->file[i]);
	if (k->redis)
		keyredis_reload(k->redis);
}

bool keyring_decrypt(void *keyring, const uint8_t *in, size_t len, uint8_t premaster[48])
{
	const struct keyring *k = keyring;

	for (int i = 0; i < k->n; i++)
		if (k->rsa[i] && rsakey_decrypt(k->rsa[i], in, len, premaster))
			return true;
	return false;
}

void keyring_count(struct counters *c, const struct key_counts *lines)
{
	for (int v = 0; v < V_COUNT; v++) {
		uint64_t n = __atomic_load_n(&lines->by[v], __ATOMIC_RELAXED);

		if (v == V_OK || v == V_KEY_FULL)
			c->keys_installed += n;
		if (verdict_stage((enum verdict)v) == STAGE_KEY)
			c->verdict[v] += n;
	}
}

void keyring_counts(const struct keyring *k, struct counters *c)
{
	for (int i = 0; i < k->n; i++)
		if (k->file[i])
			keyring_count(c, keyfile_counts(k->file[i]));
	if (k->redis)
		keyredis_count(k->redis, c);
}

void keyring_close(struct keyring *k)
{
	for (int i = 0; i < k->n; i++) {
		keyfile_close(k->file[i]);
		if (k->rsa[i])
			rsakey_close(k->rsa[i]);
	}
	k->n = 0;
	keyredis_free(k->redis);
	k->redis = NULL;
	if (k->table) {
		keytab_fini(k->table);
		memory_free(k->table, keytab_bytes(&k->cfg));
		k->table = NULL;
	}
}
