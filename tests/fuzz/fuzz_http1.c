/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1 of one connection under any bytes, cuts and holes: steps, each with an operation, a time that
 * passes and a u16 length of bytes. Nothing is read beyond, told twice or left.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "check.h"
#include "web/http1.h"

/* Bit 0: direction. */
enum op { TEXT, AFTER_GAP = 2, BY_BYTE = 4, GAP = 6, OPS = 8 };

static const struct http1_cfg cfg = { .max_conns = 1, .max_exchanges = 36, .max_lines = 2 };
static struct http1_env env;
static void *mem;
static struct {
	uint32_t id;
	uint64_t said[2], told[2];
} count;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void done(void *arg, const struct txn *t)
{
	size_t len = 0;

	check(t->id == count.id++, "one after the other");
	check(t->seen & 3, "a message was seen");
	check(!(t->seen >> S2C & 1) == !t->status, "a response has a status");
	check(t->used <= sizeof(t->text), "values fit");
	for (int v = 0; v < TXN_VALUES; v++)
		if (txn_get(t, (enum txn_value)v, &len))
			check(t->at[v] + len <= t->used, "a value is kept");
	for (int d = C2S; d <= S2C; d++)
		count.told[d] += t->body_len[d];
}

/* Memory of exactly the size, so that a sanitizer sees what is beyond it. */
static bool say(struct http1 **h, struct text t)
{
	uint8_t *copy = malloc(t.len + !t.len);

	if (t.len)
		memcpy(copy, t.data, t.len);
	t.data = copy;
	count.said[t.dir] += t.len;
	if (!*h && http1_likely(&t))
		*h = http1_new(&env, &t);
	if (*h && http1_text(&env, *h, &t) == V_STOPPED) {
		http1_free(&env, *h, true);
		*h = NULL;
		free(copy);
		return false;
	}
	free(copy);
	return true;
}

static bool step(struct http1 **h, uint8_t op, uint64_t ns, struct rd bytes)
{
	enum tls_dir d = (enum tls_dir)(op & 1);
	struct text t = {
		.data = bytes.p, .len = (uint32_t)rd_left(&bytes), .dir = (uint8_t)d, .ts_ns = ns
	};

	switch (op % OPS & ~1) {
	case GAP:
		if (*h)
			http1_gap(&env, *h, d);
		return true;
	case BY_BYTE:
		for (t.len = 1; rd_left(&bytes); t.data = ++bytes.p)
			if (!say(h, t))
				return false;
		return true;
	default:
		t.after_gap = (op % OPS & ~1) == AFTER_GAP;
		return say(h, t);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd steps = rd_init(data, size), bytes;
	struct http1 *h = NULL;
	uint64_t ns = 1;
	uint8_t op, later;

	if (!mem)
		mem = aligned_alloc(64, (http1_bytes(&cfg) + 63) & ~(size_t)63);
	http1_init(&env, mem, &cfg, done, NULL);
	memset(&count, 0, sizeof(count));
	while (rd_u8(&steps, &op) == V_OK && rd_u8(&steps, &later) == V_OK &&
		rd_vec16(&steps, &bytes) == V_OK && step(&h, op, ns += later, bytes))
		;
	if (h)
		http1_free(&env, h, size & 1);
	check(!env.conns.used && !env.lines.used && !env.pairs.pool.used, "nothing is left");
	for (int d = C2S; d <= S2C; d++)
		check(count.told[d] <= count.said[d], "content was there");
	return 0;
}
