/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CBC with a chained IV across what was not read: the IV of a record is the last block of ciphertext
 * before it. Records may be passed over, cut by a hole, or lost with their headers; as long as that
 * block was seen, the next record can be opened.
 */
#include "tls/chain.h"

#include <string.h>

/* What may be needed of the bytes before a record: the longest MAC of these versions and a block. */
#define TAIL 64

/* The last bytes that went by, seen or not: bit i of `seen` is the byte i before the end. */
struct tail {
	uint64_t seen;
	uint8_t bytes[TAIL];
};

/* The suite in use; one that is being negotiated anew is not yet. */
static const struct suite *suite_of(const struct session *s, const struct session_dir *dir)
{
	return dir->known ? suite_find(dir->suite) : session_suite(s);
}

static struct material *material_of(struct session *s, const struct session_dir *dir)
{
	return &s->material[dir - s->dir];
}

static size_t block_len(const struct session *s, const struct session_dir *dir)
{
	return suite_cipher(suite_of(s, dir)->cipher)->block_len;
}

/* From the start of the block in question to the end of its record. */
static size_t reach(const struct session *s, const struct session_dir *dir)
{
	bool etm = dir->known ? dir->etm : s->etm;

	return block_len(s, dir) + (etm ? md_len(suite_of(s, dir)->mac) : 0);
}

bool chain_is_iv(const struct session *s, const struct session_dir *dir)
{
	const struct suite *suite;

	/* After a hole, ChangeCipherSpec may have been in it. */
	if (s->version > TLS10 || (dir->epoch != EPOCH_DATA && !dir->lost))
		return false;
	suite = suite_of(s, dir);
	return suite && suite_cipher(suite->cipher)->mode == MODE_CBC;
}

static void append(struct tail *t, const uint8_t *p, size_t n)
{
	if (n >= TAIL) {
		memcpy(t->bytes, p + n - TAIL, TAIL);
		t->seen = UINT64_MAX;
		return;
	}
	memmove(t->bytes, t->bytes + n, TAIL - n);
	memcpy(t->bytes + TAIL - n, p, n);
	t->seen = t->seen << n | ((1ull << n) - 1);
}

static struct tail *tail_of(struct tls_env *env, struct session_dir *dir)
{
	uint8_t *buf = session_buffer(env, dir);

	if (!buf && (buf = tls_env_buffer(env, dir->known))) {
		dir->buf = pool_index(&env->buffers, buf);
		((struct tail *)buf)->seen = 0;
	}
	return (struct tail *)buf;
}

void chain_pass(struct tls_env *env, const struct session *s, struct session_dir *dir,
	const uint8_t *p, size_t n)
{
	struct tail *t;

	if (!chain_is_iv(s, dir))
		return;
	dir->unchained = true;
	t = tail_of(env, dir);
	if (t)
		append(t, p, n);
}

void chain_miss(struct tls_env *env, const struct session *s, struct session_dir *dir, uint64_t n)
{
	struct tail *t;

	if (!chain_is_iv(s, dir))
		return;
	dir->unchained = true;
	t = tail_of(env, dir);
	if (!t)
		return;
	t->seen = n < TAIL ? t->seen << n : 0;
	if (n < TAIL)
		memmove(t->bytes, t->bytes + n, TAIL - n);
}

void chain_cut(struct tls_env *env, struct session_dir *dir)
{
	uint8_t *buf = session_buffer(env, dir);
	struct tail t = { 0 };

	append(&t, buf, dir->body_have);
	memcpy(buf, &t, sizeof(t));
}

void chain_note(struct session *s, struct session_dir *dir, const uint8_t *body, size_t len)
{
	if (!chain_is_iv(s, dir))
		return;
	dir->unchained = len < reach(s, dir);
	if (!dir->unchained)
		memcpy(material_of(s, dir)->iv, body + len - reach(s, dir), block_len(s, dir));
}

void chain_keep(struct tls_env *env, struct session *s, struct session_dir *dir,
	const uint8_t *body, size_t len)
{
	if (chain_is_iv(s, dir))
		tls_env_release(env, dir, dir->lease);
	chain_note(s, dir, body, len);
}

void chain_settle(struct tls_env *env, struct session *s, struct session_dir *dir)
{
	struct tail *t = (struct tail *)session_buffer(env, dir);
	uint64_t block;
	size_t end;

	if (!chain_is_iv(s, dir) || !t)
		return;
	end = reach(s, dir) - block_len(s, dir);
	block = ((1ull << block_len(s, dir)) - 1) << end;
	if ((t->seen & block) == block)
		chain_keep(env, s, dir, t->bytes, TAIL);
	pool_put(&env->buffers, t);
	dir->buf = POOL_NONE;
}

void chain_run_on(struct session *s, struct session_dir *dir, uint64_t n)
{
	uint32_t *passed = &material_of(s, dir)->passed;
	const struct suite *suite;

	if (version_is_13(s->version) || dir->epoch != EPOCH_DATA)
		return;
	suite = suite_of(s, dir);
	if (!suite || suite_cipher(suite->cipher)->mode != MODE_STREAM)
		return;
	*passed = n < UINT32_MAX - *passed ? *passed + (uint32_t)n : UINT32_MAX;
}

void chain_seek(struct tls_env *env, struct session *s, struct session_dir *dir, struct rd *in)
{
	const size_t left = rd_left(in);
	const uint8_t *version = left > 1 ? memchr(in->p + 1, 3, left - 1) : NULL;
	const uint8_t *to = version ? version - 1 : left ? in->end - 1 : in->p;

	if (to == in->p)
		return;
	chain_pass(env, s, dir, in->p, (size_t)(to - in->p));
	chain_run_on(s, dir, (uint64_t)(to - in->p));
	in->p = to;
}
