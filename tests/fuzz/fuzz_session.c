/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both directions of a TLS session under any bytes, cuts and holes: u16 length, key log, then steps,
 * each with an operation and a u16 length of bytes. The same is shown to each AEAD back-end: what
 * they make of it has to be the same.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "check.h"
#include "keys.h"
#include "tls/session.h"

/* Bit 0: direction. */
enum op { BYTES, HOLE = 2, FORCE = 4, BY_BYTE = 6, OPS = 8 };

static const char *const backends[] = { NULL, "openssl" };
static const struct keytab_cfg key_cfg = { .max_entries = 64, .seed = 1 };
static struct keytab *keys;
static struct tls_env *env[2];

/* What one back-end made of it. */
struct outcome {
	uint64_t hash; /* of all plaintext and verdicts, in order */
	uint32_t opened, failed;
};

/* Bytes of a direction that came and were not used yet. */
struct pending {
	uint8_t *data;
	size_t len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *zeros(size_t n)
{
	return memset(aligned_alloc(64, (n + 63) & ~(size_t)63), 0, n);
}

static void start(void)
{
	struct tls_env_cfg cfg = { .max_sessions = 1,
		.max_handshakes = 1,
		.max_buffers = 3,
		.max_openers = 2,
		.max_resumed = 64,
		.max_inflaters = 2,
		.seed = 1 };

	keys = keytab_init(zeros(keytab_bytes(&key_cfg)), &key_cfg);
	for (int i = 0; i < 2; i++) {
		cfg.backend = backends[i];
		env[i] = tls_env_init(zeros(tls_env_bytes(&cfg)), &cfg, keys);
		check(env[i] != NULL, "it starts");
	}
}

/* No secret of an earlier input may open this one. */
static void forget(struct keytab *t, const struct keytab_cfg *cfg)
{
	keytab_fini(t);
	memset(t, 0, keytab_bytes(cfg));
	keytab_init(t, cfg);
}

static void mix(struct outcome *o, const void *data, size_t n)
{
	const struct hash_key key = { o->hash, 1 };

	o->hash = hash_bytes(&key, data, n);
}

static void take(struct outcome *o, enum tls_dir d, enum verdict v, const struct text *t)
{
	uint8_t head[4] = { (uint8_t)v, (uint8_t)d };

	o->failed += verdict_stage(v) == STAGE_REC;
	if (v == V_OK) {
		check(t->len <= RECORD_MAX && t->dir == d, "a record of this direction");
		check(!t->protected || keytab_count(keys), "no text without keys");
		o->opened += t->protected;
		head[2] = t->type;
		head[3] = t->protected;
		mix(o, t->data, t->len);
	}
	mix(o, head, 4);
}

/* @return false if the rest has to wait. */
static bool feed(
	struct tls_env *e, struct session *s, enum tls_dir d, struct pending *p, struct outcome *o)
{
	struct rd in = rd_init(p->data, p->len);
	size_t turns = 0;
	enum verdict v;
	struct text t;

	while ((v = session_next(e, s, d, &in, &t)) != V_MORE && v != V_WAIT && v != V_STOPPED) {
		check(turns++ <= 2 * p->len + 4, "it comes to an end");
		take(o, d, v, &t);
	}
	check(v != V_MORE || !rd_left(&in), "all is used");
	if (v == V_STOPPED)
		in.p = in.end;
	p->len = rd_left(&in);
	if (p->len)
		memmove(p->data, in.p, p->len);
	return v != V_WAIT;
}

/* Memory of exactly the size, so that a sanitizer sees what is beyond it. */
static void add(struct pending *p, const uint8_t *bytes, size_t n)
{
	uint8_t *wider = malloc(p->len + n + !(p->len + n));

	if (p->len)
		memcpy(wider, p->data, p->len);
	memcpy(wider + p->len, bytes, n);
	free(p->data);
	p->data = wider;
	p->len += n;
}

static void feed_both(struct tls_env *e, struct session *s, enum tls_dir first, struct pending *p,
	struct outcome *o)
{
	for (size_t before = SIZE_MAX; before != p[0].len + p[1].len;) {
		before = p[0].len + p[1].len;
		feed(e, s, first, &p[first], o);
		feed(e, s, !first, &p[!first], o);
	}
}

/* What waits is read first, as far as it can be: a hole comes behind it. */
static void force(
	struct tls_env *e, struct session *s, enum tls_dir d, struct pending *p, struct outcome *o)
{
	session_force(s, d);
	check(feed(e, s, d, &p[d], o), "who is forced does not wait");
}

static void step(struct tls_env *e, struct session *s, uint8_t op, struct rd bytes,
	struct pending *p, struct outcome *o)
{
	enum tls_dir d = (enum tls_dir)(op & 1);

	switch (op % OPS & ~1) {
	case HOLE:
		force(e, s, d, p, o);
		if (rd_left(&bytes))
			o->failed += session_gap(e, s, d, rd_left(&bytes)) == V_CUT;
		break;
	case FORCE:
		force(e, s, d, p, o);
		break;
	case BY_BYTE:
		for (; rd_left(&bytes); bytes.p++) {
			add(&p[d], bytes.p, 1);
			feed(e, s, d, &p[d], o);
		}
		break;
	default:
		add(&p[d], bytes.p, rd_left(&bytes));
		break;
	}
	feed_both(e, s, d, p, o);
}

static struct outcome run(struct tls_env *e, struct rd steps)
{
	struct session *s = session_new(e);
	struct pending p[2] = { { 0 } };
	struct outcome o = { 0 };
	struct rd bytes;
	uint8_t op;

	while (rd_u8(&steps, &op) == V_OK && rd_vec16(&steps, &bytes) == V_OK)
		step(e, s, op, bytes, p, &o);
	for (int d = 0; d < 2; d++) {
		force(e, s, (enum tls_dir)d, p, &o);
		o.failed += session_end(e, s, (enum tls_dir)d) == V_CUT;
		free(p[d].data);
	}
	session_free(e, s);
	check(!e->sessions.used && !e->handshakes.used && !e->messages.used && !e->inflaters.used,
		"nothing is left");
	check(e->buffers.used == (e->lent != NULL), "no record is left");
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size), log;
	struct key_counts counts = { 0 };
	struct outcome o[2];

	if (!keys)
		start();
	if (rd_vec16(&r, &log) != V_OK)
		return 0;
	forget(keys, &key_cfg);
	keys_put_text(keys, (const char *)log.p, rd_left(&log), 0, &counts);
	for (int i = 0; i < 2; i++) {
		const struct keytab_cfg resumed = { env[i]->cfg.max_resumed, 0, 1 };

		forget(env[i]->resumed, &resumed);
		o[i] = run(env[i], r);
	}
	check(o[0].hash == o[1].hash && o[0].opened == o[1].opened && o[0].failed == o[1].failed,
		"back-ends agree");
	return 0;
}
