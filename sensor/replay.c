/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The offline runtime: captures in, sinks out, one thread. Key logs are polled between bursts, so one
 * that grows while a capture comes down a pipe is as good as one that was there before.
 */
#include "replay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "keyfile.h"
#include "memory.h"
#include "options.h"
#include "pipeline.h"
#include "progress.h"
#include "rsakey.h"
#include "tell.h"

#define BURST 64

struct replay {
	struct options opt;
	struct pipeline pl;
	struct keytab_cfg key_cfg;
	struct keytab *keys;
	struct keyfile *keyfile[OPTIONS_MAX];
	struct rsakey *rsakey[OPTIONS_MAX];
	struct key_counts embedded; /* lines of DSBs */
	struct progress progress;
	uint32_t bursts;
	int status;
};

static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	stopping = 1;
}

/* Held segments are copied: a file's bytes are gone with the next burst. */
static bool keep(void *arg, struct seg *seg)
{
	uint8_t *copy = malloc(seg->len);

	if (!copy)
		return false;
	memcpy(copy, seg->data, seg->len);
	seg->data = copy;
	seg->owner = copy;
	return true;
}

static void drop(void *arg, void *owner)
{
	free(owner);
}

static void fail(struct replay *r, int status)
{
	if (r->status != EXIT_OTHER)
		r->status = status;
}

static void on_secrets(void *arg, const char *text, uint32_t len)
{
	struct replay *r = arg;

	keys_put_text(r->keys, text, len, 0, &r->embedded);
}

static void poll_keys(struct replay *r)
{
	for (int i = 0; i < r->opt.n_keys; i++)
		if (r->keyfile[i] && keyfile_poll(r->keyfile[i], r->keys, 0) < 0)
			fail(r, EXIT_OTHER);
}

static uint64_t random_seed(void)
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

static int open_key(struct replay *r, int i)
{
	const char *uri = r->opt.keys[i];

	if (strncmp(uri, "file:", 5) == 0)
		return keyfile_open(&r->keyfile[i], uri + 5, grows(uri + 5)) ? EXIT_OTHER :
									       EXIT_READ;
	if (strncmp(uri, "rsa:", 4) == 0)
		return rsakey_open(&r->rsakey[i], uri + 4) ? EXIT_OTHER : EXIT_READ;
	fprintf(stderr, "cleartap: --keys %.*s: only file:PATH and rsa:PEM are read here\n",
		(int)strcspn(uri, ":"), uri);
	return EXIT_USAGE;
}

static int open_keys(struct replay *r)
{
	int status = EXIT_READ;

	r->key_cfg = (struct keytab_cfg){ .max_entries = 1 << 20, .seed = random_seed() };
	r->keys = memory_reserve(keytab_bytes(&r->key_cfg));
	if (!r->keys) {
		perror("cleartap: no memory for the key table");
		return EXIT_OTHER;
	}
	r->keys = keytab_init(r->keys, &r->key_cfg);
	for (int i = 0; i < r->opt.n_keys && !status; i++)
		status = open_key(r, i);
	return status;
}

/* Which of the keys it was encrypted for is known only by trying. */
static bool decrypt(void *arg, const uint8_t *in, size_t len, uint8_t premaster[48])
{
	struct replay *r = arg;

	for (int i = 0; i < r->opt.n_keys; i++)
		if (r->rsakey[i] && rsakey_decrypt(r->rsakey[i], in, len, premaster))
			return true;
	return false;
}

static int open_out(struct replay *r, const char *uri, uint32_t max_conns)
{
	const char *colon = strchr(uri, ':');
	size_t n = colon ? (size_t)(colon - uri) : strlen(uri);
	struct pipeline *pl = &r->pl;

	for (int i = 0; sinks[i]; i++) {
		if (strlen(sinks[i]->scheme) != n || strncmp(sinks[i]->scheme, uri, n) != 0)
			continue;
		if (pl->sinks == PIPELINE_SINKS) {
			fprintf(stderr, "cleartap: more than %d --out\n", PIPELINE_SINKS);
			return EXIT_USAGE;
		}
		if (sinks[i]->open(colon ? colon + 1 : NULL, max_conns, &pl->sink[pl->sinks].sink))
			return EXIT_OTHER;
		pl->sink[pl->sinks++].ops = sinks[i];
		return EXIT_READ;
	}
	fprintf(stderr, "cleartap: --out %s: no such output; see `cleartap replay --help`\n", uri);
	return EXIT_USAGE;
}

static int open_outs(struct replay *r, uint32_t max_conns)
{
	if (!r->opt.n_outs)
		return open_out(r, "table", max_conns);
	for (int i = 0; i < r->opt.n_outs; i++) {
		int status = open_out(r, r->opt.outs[i], max_conns);

		if (status)
			return status;
	}
	return EXIT_READ;
}

static int start(struct replay *r)
{
	struct pipeline_cfg cfg = pipeline_offline_cfg();
	int status = open_keys(r);

	if (status)
		return status;
	cfg.flow.seed = cfg.tls.seed = cfg.frag.seed = random_seed();
	cfg.tls.backend = r->opt.backend;
	if (pipeline_init(&r->pl, &cfg, r->keys))
		return EXIT_OTHER;
	r->pl.keeper.keep = keep;
	r->pl.keeper.drop = drop;
	r->pl.tls->decrypt = decrypt;
	r->pl.tls->decrypt_arg = r;
	return open_outs(r, cfg.flow.max_conns);
}

static void read_capture(struct replay *r, const char *path)
{
	struct pkt pkts[BURST];
	struct capture *c;
	int n = 0, rc = capture_open(&c, path, on_secrets, r);

	if (rc) {
		fail(r, rc == -EBADMSG ? EXIT_DAMAGED : EXIT_OTHER);
		return;
	}
	while (!stopping && (n = capture_burst(c, pkts, BURST)) > 0) {
		/* A short burst comes from a pipe: there the keys may have come with it. */
		if (n < BURST || !(r->bursts++ & 255))
			poll_keys(r);
		pipeline_burst(&r->pl, pkts, n);
		progress_update(&r->progress, c, &r->pl.count);
	}
	if (!stopping && n < 0)
		fail(r, EXIT_DAMAGED);
	progress_clear(&r->progress);
	capture_close(c);
}

static int write_stats(const struct replay *r)
{
	bool standard = !strcmp(r->opt.stats, "-");
	FILE *f = standard ? stdout : fopen(r->opt.stats, "w");
	int rc;

	if (!f) {
		fprintf(stderr, "cleartap: --stats %s: %s\n", r->opt.stats, strerror(errno));
		return -1;
	}
	rc = counters_write(&r->pl.count, f);
	if (!standard && fclose(f))
		rc = -1;
	if (rc)
		fprintf(stderr, "cleartap: --stats %s: cannot be written\n", r->opt.stats);
	return rc;
}

/* Lines of key logs, wherever they came from, under the reasons they share. */
static void add_key_counts(struct counters *c, const struct key_counts *k)
{
	c->keys_installed += keys_stored(k);
	for (int v = 0; v < V_COUNT; v++)
		if (verdict_stage((enum verdict)v) == STAGE_KEY)
			c->verdict[v] += k->by[v];
}

static void finish(struct replay *r)
{
	if (r->pl.tls)
		pipeline_finish(&r->pl);
	add_key_counts(&r->pl.count, &r->embedded);
	for (int i = 0; i < r->opt.n_keys; i++) {
		if (r->rsakey[i])
			rsakey_close(r->rsakey[i]);
		if (!r->keyfile[i])
			continue;
		add_key_counts(&r->pl.count, keyfile_counts(r->keyfile[i]));
		keyfile_close(r->keyfile[i]);
	}
	tell_stats(&r->pl);
	for (int i = 0; i < r->pl.sinks; i++)
		if (r->pl.sink[i].ops->close(r->pl.sink[i].sink))
			fail(r, EXIT_OTHER);
	if (r->opt.stats && write_stats(r))
		fail(r, EXIT_OTHER);
	pipeline_fini(&r->pl);
	if (r->keys) {
		keytab_fini(r->keys);
		memory_free(r->keys, keytab_bytes(&r->key_cfg));
	}
}

int replay_main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal };
	static struct replay r;
	int rc = options_replay(&r.opt, argc, argv);

	if (rc)
		return rc < 0 ? EXIT_USAGE : EXIT_READ;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	r.status = start(&r);
	if (!r.status) {
		progress_init(&r.progress);
		poll_keys(&r);
		for (int i = 0; i < r.opt.n_inputs && !stopping; i++)
			read_capture(&r, r.opt.inputs[i]);
	}
	finish(&r);
	return r.status;
}
