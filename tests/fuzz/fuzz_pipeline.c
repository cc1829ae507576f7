/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole data path under a sequence of packets: u16 length, key log, then packets, each with an
 * operation, its argument and a u16 length. What must hold whatever comes: plaintext only from TLS
 * connections, every packet and every protected record counted once, nothing left over at the end.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "check.h"
#include "keys.h"
#include "memory.h"
#include "pipeline.h"

enum op { SEND, FLIP, TWICE, LATER, CUT, DROP, OTHER_PORT, JUMP, OPS };

static struct pipeline pl;
static const struct keytab_cfg key_cfg = { .max_entries = 256, .seed = 1 };
static void *key_mem;
static int held;
static uint64_t texts, text_bytes;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_text(void *sink, const struct conn_view *v, const struct text *t)
{
	volatile uint8_t sum = 0;

	check(v->is_tls && t->protected && t->type == TLS_APPLICATION_DATA, "text is of TLS");
	for (uint32_t i = 0; i < t->len; i++) /* for the sanitizer: all of it is there */
		sum ^= t->data[i];
	texts++;
	text_bytes += t->len;
}

static const struct sink_ops ops = { .scheme = "check", .text = on_text };

/* A leak checker has to be told of memory that it does not search, if there is one. */
__attribute__((weak)) void __lsan_register_root_region(const void *p, size_t n);

static void end(void)
{
	pipeline_fini(&pl);
}

static void start(void)
{
	struct pipeline_cfg cfg = pipeline_offline_cfg();

	cfg.flow.max_conns = 64;
	cfg.frag.max_datagrams = 4;
	cfg.tls = (struct tls_env_cfg){ .max_sessions = 32,
		.max_handshakes = 8,
		.max_buffers = 8,
		.max_openers = 4,
		.max_resumed = 64,
		.max_inflaters = 2 };
	cfg.max_segs = 32;
	cfg.max_bytes = 1 << 16;
	cfg.max_held = 128;
	key_mem = memory_reserve(keytab_bytes(&key_cfg));
	check(!pipeline_init(&pl, &cfg, keytab_init(key_mem, &key_cfg)), "it starts");
	pl.keeper.keep = keep;
	pl.keeper.drop = drop;
	pl.keeper.arg = &held;
	pl.out.at[0].ops = &ops;
	pl.out.n = 1;
	pipeline_serve(&pl, (struct outputs_wants){ true, true, true });
	for (int i = 0; i < 4 && __lsan_register_root_region; i++)
		__lsan_register_root_region(pl.block[i].mem, pl.block[i].len);
	atexit(end);
}

static void restart(void)
{
	keytab_fini(key_mem);
	memset(key_mem, 0, keytab_bytes(&key_cfg));
	keytab_init(key_mem, &key_cfg);
	pl.count = (struct counters){ 0 };
	texts = text_bytes = 0;
}

static void send_packet(uint8_t *frame, size_t n, uint64_t ts_ns)
{
	struct pkt p = { .data = frame,
		.len = (uint32_t)n,
		.wire_len = (uint32_t)n,
		.ts_ns = ts_ns,
		.link = LINK_ETHERNET };

	pipeline_burst(&pl, &p, 1);
}

/* A frame in memory of exactly its size, changed as the operation says. */
static void run(enum op op, uint8_t arg, const uint8_t *bytes, size_t n, uint64_t ts_ns)
{
	uint8_t *frame = malloc(n ? n : 1);
	size_t at = n ? arg * n / 256 : 0;

	memcpy(frame, bytes, n);
	if (op == FLIP && n)
		frame[at] ^= (uint8_t)(1 << (arg & 7));
	if (op == OTHER_PORT && n > 36)
		frame[35] ^= arg;
	if (op == JUMP && n > 41)
		frame[38] ^= arg;
	if (op == TWICE)
		send_packet(frame, n, ts_ns);
	if (op != DROP)
		send_packet(frame, op == CUT ? at : n, ts_ns);
	free(frame);
}

static void check_sums(void)
{
	uint64_t packets = 0;

	for (int v = 0; v < V_COUNT; v++)
		if (verdict_stage((enum verdict)v) == STAGE_PKT || v == V_OK || v == V_HELD)
			packets += pl.count.verdict[v];
	check(packets == pl.count.packets, "every packet is counted once");
	check(text_bytes == pl.count.plaintext_bytes, "all plaintext reaches the sink");
	check(texts <= pl.count.records_decrypted, "text comes from opened records");
	check(!held, "no segment is left");
	check(!flow_count(pl.flow), "no connection is left");
	check(!pl.tls->sessions.used && !pl.tls->handshakes.used && !pl.tls->messages.used,
		"no session is left");
	check(pl.tls->buffers.used == (pl.tls->lent != NULL), "no record is left");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size), keys, packet;
	struct rd later = { 0 };
	struct key_counts counts = { 0 };
	uint64_t ts_ns = pl.now_ns + 3600000000000u;
	uint8_t op, arg;

	if (!key_mem)
		start();
	restart();
	if (rd_vec16(&r, &keys) != V_OK)
		return 0;
	keys_put_text(key_mem, (const char *)keys.p, rd_left(&keys), 0, &counts);
	while (rd_u8(&r, &op) == V_OK && rd_u8(&r, &arg) == V_OK && rd_vec16(&r, &packet) == V_OK) {
		ts_ns += (uint64_t)arg << 20;
		if (op % OPS == LATER && !later.p) {
			later = packet;
			continue;
		}
		run((enum op)(op % OPS), arg, packet.p, rd_left(&packet), ts_ns);
		if (later.p && !(arg & 3)) {
			run(SEND, 0, later.p, rd_left(&later), ts_ns);
			later.p = NULL;
		}
	}
	pipeline_finish(&pl);
	check_sums();
	return 0;
}
