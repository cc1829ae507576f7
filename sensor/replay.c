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

#include "capture.h"
#include "keyring.h"
#include "options.h"
#include "outputs.h"
#include "pipeline.h"
#include "policy.h"
#include "progress.h"

#define BURST 64

struct replay {
	struct options opt;
	struct pipeline pl;
	struct keyring keys;
	struct key_counts embedded; /* lines of DSBs */
	struct policy *policy;
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

	keys_put_text(r->keys.table, text, len, 0, &r->embedded);
}

static void poll_keys(struct replay *r)
{
	if (keyring_poll(&r->keys, 0))
		fail(r, EXIT_OTHER);
}

static int start(struct replay *r)
{
	struct pipeline_cfg cfg = pipeline_offline_cfg();
	int status = keyring_open(&r->keys, &r->opt, 0, false);

	if (status)
		return status;
	if (r->opt.policy && policy_load(&r->policy, r->opt.policy))
		return EXIT_USAGE;
	pipeline_configure(&cfg, &r->opt);
	if (pipeline_init(&r->pl, &cfg, r->keys.table))
		return EXIT_OTHER;
	r->pl.policy = &r->policy;
	r->pl.keeper.keep = keep;
	r->pl.keeper.drop = drop;
	r->pl.tls->decrypt = keyring_decrypt;
	r->pl.tls->decrypt_arg = &r->keys;
	status = outputs_open(&r->pl.out, &r->opt, cfg.flow.max_conns, NULL);
	pipeline_serve(&r->pl, outputs_wants(&r->pl.out));
	return status;
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

static void finish(struct replay *r)
{
	if (r->pl.tls)
		pipeline_finish(&r->pl);
	keyring_count(&r->pl.count, &r->embedded);
	keyring_counts(&r->keys, &r->pl.count);
	outputs_stats(&r->pl.out, r->pl.now_ns, &r->pl.count);
	if (outputs_close(&r->pl.out))
		fail(r, EXIT_OTHER);
	if (r->opt.stats && counters_save(&r->pl.count, NULL, 0, r->opt.stats))
		fail(r, EXIT_OTHER);
	pipeline_fini(&r->pl);
	keyring_close(&r->keys);
	policy_free(r->policy);
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
