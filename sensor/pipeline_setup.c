/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Budgets, and the memory they come to: all that a pipeline ever needs is reserved before its first
 * packet. Apart from the data path, so that scripts/check-objects can prove that to be free of heap
 * and system calls.
 */
#include <errno.h>
#include <stdio.h>

#include "keyring.h"
#include "memory.h"
#include "pipeline.h"

struct pipeline_cfg pipeline_offline_cfg(void)
{
	return (struct pipeline_cfg){
		.flow = { .max_conns = 1 << 20,
			.idle_ms = 24 * 3600 * 1000,
			.new_ms = 600 * 1000,
			.closed_ms = 120 * 1000 },
		.frag = { .max_datagrams = 256, .timeout_ms = 30000 },
		.tls = { .max_sessions = 1 << 20,
			.max_handshakes = 1 << 16,
			.max_buffers = 1 << 16,
			.max_openers = 4096,
			.max_resumed = 1 << 16,
			.max_inflaters = 1024 },
		.http1 = { .max_conns = 1 << 18, .max_exchanges = 1 << 16, .max_lines = 1 << 12 },
		.max_segs = 4096,
		.max_bytes = 16 << 20,
		.max_held = 1 << 17,
		.skew_ms = 1000,
		.stuck_ms = 60000,
	};
}

struct pipeline_cfg pipeline_live_cfg(void)
{
	return (struct pipeline_cfg){
		.flow = { .max_conns = 1 << 18,
			.idle_ms = 600 * 1000,
			.new_ms = 30 * 1000,
			.closed_ms = 3 * 1000 },
		.frag = { .max_datagrams = 256, .timeout_ms = 30000 },
		.tls = { .max_sessions = 1 << 17,
			.max_handshakes = 1 << 14,
			.max_buffers = 1 << 14,
			.max_openers = 4096,
			.max_resumed = 1 << 15,
			.max_inflaters = 256,
			.trial_rate = 256 << 10,
			.trial_share = UINT16_MAX },
		.http1 = { .max_conns = 1 << 16, .max_exchanges = 1 << 14, .max_lines = 1 << 10 },
		.max_segs = 1024,
		.max_bytes = 2 << 20,
		.max_held = 1 << 13,
		.skew_ms = 200,
		.stuck_ms = 5000,
		.huge = true,
	};
}

void pipeline_configure(struct pipeline_cfg *cfg, const struct options *opt)
{
	cfg->flow.seed = cfg->tls.seed = cfg->frag.seed = keyring_seed();
	cfg->tls.backend = opt->backend;
	cfg->late_ms = (uint32_t)opt->late_key_ms;
	cfg->late_bytes = (uint32_t)opt->late_key_bytes;
}

void pipeline_serve(struct pipeline *pl, struct outputs_wants wants)
{
	pl->wants = wants;
	pl->tls->printless = !wants.prints;
}

static void *reserve(struct pipeline *pl, const struct pipeline_cfg *cfg, int i, size_t n)
{
	pl->block[i].mem = memory_reserve(n);
	pl->block[i].len = n;
	if (pl->block[i].mem && cfg->huge)
		memory_huge(pl->block[i].mem, n);
	return pl->block[i].mem;
}

int pipeline_init(struct pipeline *pl, const struct pipeline_cfg *cfg, const struct keytab *keys)
{
	void *flow = reserve(pl, cfg, 0, flow_bytes(&cfg->flow));
	void *frag = reserve(pl, cfg, 1, frag_bytes(&cfg->frag));
	void *tls = reserve(pl, cfg, 2, tls_env_bytes(&cfg->tls));
	void *held = reserve(pl, cfg, 3, pool_bytes(cfg->max_held, reasm_node_size()));
	void *web = reserve(pl, cfg, 4, web_bytes(&cfg->http1, cfg->flow.max_conns));

	if (!flow || !frag || !tls || !held || !web) {
		perror("cleartap: no memory for the tables");
		return -ENOMEM;
	}
	pl->flow = flow_init(flow, &cfg->flow);
	pl->frag = frag_init(frag, &cfg->frag);
	pl->tls = tls_env_init(tls, &cfg->tls, keys);
	if (pl->tls)
		pl->tls->late_keys = cfg->late_ms;
	pool_init(&pl->keeper.nodes, held, cfg->max_held, reasm_node_size());
	web_init(pl, web, &cfg->http1, cfg->flow.max_conns);
	pl->keeper.max_segs = cfg->max_segs;
	pl->keeper.max_bytes = cfg->max_bytes;
	pl->skew_ms = cfg->skew_ms;
	pl->stuck_ms = cfg->stuck_ms;
	pl->late_ms = cfg->late_ms;
	pl->late_bytes = cfg->late_bytes;
	if (!pl->tls) {
		fprintf(stderr,
			"cleartap: back-end %s is not in this build; see `cleartap suites`\n",
			cfg->tls.backend);
		return -ENOTSUP;
	}
	return 0;
}

void pipeline_fini(struct pipeline *pl)
{
	if (pl->tls)
		tls_env_fini(pl->tls);
	for (int i = 0; i < 5; i++)
		memory_free(pl->block[i].mem, pl->block[i].len);
}
