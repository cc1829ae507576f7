/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Back-ends against each other, whole against piecewise. Input: suite (2), version (1), flags (1),
 * piece (1), header (5), keys (96), body.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tls/opener.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	enum verdict key, open;
	size_t len;
	uint8_t type;
	uint8_t out[RECORD_MAX];
};

static void must(bool truth)
{
	if (!truth)
		abort();
}

static bool same(const struct result *a, const struct result *b)
{
	if (a->key != b->key || a->open != b->open)
		return false;
	return a->open != V_OK ||
		(a->len == b->len && a->type == b->type && !memcmp(a->out, b->out, a->len));
}

static struct opener *opener_of(const char *backend)
{
	struct opener_env *env = opener_env_init(aligned_alloc(64, opener_env_bytes()), backend);

	return env ? opener_init(aligned_alloc(64, opener_bytes(NULL)), env) : NULL;
}

static void whole(struct opener *o, const struct record_keys *k, const uint8_t *hdr, struct rd body,
	struct result *r)
{
	struct opener_record rec = { 5, hdr, body.p, rd_left(&body), r->out, 0 };

	r->open = V_SUITE;
	r->key = opener_key(o, k);
	if (r->key == V_OK)
		r->open = opener_open(o, &rec, &r->len, &r->type);
}

static void pieces(
	struct opener *o, const uint8_t *hdr, struct rd body, size_t piece, struct result *r)
{
	opener_begin(o, 5, hdr, r->out);
	for (size_t i = 0, n = rd_left(&body); i < n; i += piece)
		opener_update(o, body.p + i, n - i < piece ? n - i : piece);
	r->open = opener_finish(o, &r->len, &r->type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t versions[] = { SSL3, TLS10, TLS11, TLS12, TLS13, 0x7f17, 0x7f1c, 0 };
	static struct opener *o[2];
	static struct result a, b;
	struct record_keys k = { 0 };
	struct rd r = rd_init(data, size);
	uint8_t version, flags, piece, hdr[5];
	uint16_t suite;

	if (!o[0]) {
		o[0] = opener_of("openssl");
		o[1] = opener_of(NULL);
	}
	if (rd_u16(&r, &suite) || rd_u8(&r, &version) || rd_u8(&r, &flags) || rd_u8(&r, &piece) ||
		rd_copy(&r, hdr, 5) || rd_copy(&r, k.key, 32) || rd_copy(&r, k.iv, 16) ||
		rd_copy(&r, k.mac, 48) || !(k.suite = suite_find(suite)))
		return 0;
	if (rd_left(&r) > RECORD_MAX)
		r.end = r.p + RECORD_MAX;
	put_be16(hdr + 3, (uint16_t)rd_left(&r));
	k.version = versions[version % 8];
	k.etm = flags & 1;
	whole(o[0], &k, hdr, r, &a);
	whole(o[1], &k, hdr, r, &b);
	must(same(&a, &b));
	if (!opener_streams(o[1]))
		return 0;
	pieces(o[1], hdr, r, piece + 1u, &b);
	must(same(&a, &b));
	if (b.open != V_OK) {
		opener_restore(o[1]);
		must(!memcmp(b.out, r.p, rd_left(&r)));
	}
	return 0;
}
