/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JA4: a client is known by what it offers, whatever the order. Lists are sorted, so that clients
 * which shuffle their extensions keep their fingerprint; their number is bounded, so that a
 * hostile hello costs no more than 2^16 moves.
 */
#include "tls/ja4.h"

#include "base/hex.h"
#include "tls/md.h"

#define LIST_MAX 512
#define TEXT_MAX (2 * LIST_MAX * 5) /* "1301," for each of two lists */

struct list {
	uint32_t n;
	bool over; /* there were more than fit */
	uint16_t v[LIST_MAX];
};

/* Insertion: the lists are short, and most clients do not shuffle. */
static void insert(struct list *l, uint16_t v)
{
	uint32_t i;

	if (l->n == LIST_MAX) {
		l->over = true;
		return;
	}
	for (i = l->n++; i > 0 && l->v[i - 1] > v; i--)
		l->v[i] = l->v[i - 1];
	l->v[i] = v;
}

static void collect_suites(struct list *l, struct rd suites)
{
	uint16_t v;

	l->n = 0;
	l->over = false;
	while (hello_value(&suites, &v))
		insert(l, v);
}

/* Server name and ALPN differ from one server to the next: they are counted, not listed. */
static uint32_t collect_extensions(struct list *l, struct rd block)
{
	uint32_t count = 0;
	struct rd body;
	uint16_t type;

	l->n = 0;
	l->over = false;
	while (hello_extension(&block, &type, &body) == V_OK) {
		if (hello_grease(type))
			continue;
		count++;
		if (type != EXT_SERVER_NAME && type != EXT_ALPN)
			insert(l, type);
	}
	return count;
}

static void write_value(struct wr *w, bool first, uint16_t v)
{
	uint8_t be[2];
	char text[5];

	put_be16(be, v);
	hex_encode(text, be, 2);
	if (!first)
		wr_u8(w, ',');
	wr_bytes(w, text, 4);
}

static void write_list(struct wr *w, const struct list *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		write_value(w, i == 0, l->v[i]);
}

static void write_signatures(struct wr *w, struct rd algorithms)
{
	bool first = true;
	uint16_t v;

	while (hello_value(&algorithms, &v)) {
		if (first)
			wr_u8(w, '_');
		write_value(w, first, v);
		first = false;
	}
}

static void write_hash(struct wr *w, const void *text, size_t len)
{
	uint8_t digest[32];
	char hex[13];
	struct md md;

	if (!len) {
		wr_str(w, "000000000000");
		return;
	}
	md_init(&md, MD_SHA256);
	md_update(&md, text, len);
	md_final(&md, digest);
	hex_encode(hex, digest, 6);
	wr_bytes(w, hex, 12);
}

static const char *version_name(const struct client_hello *h)
{
	struct rd versions = h->versions;
	uint16_t v, top = 0;

	while (hello_value(&versions, &v))
		if (v > top)
			top = v;
	switch (top ? top : h->legacy_version) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	default:
		return "00";
	}
}

static void write_count(struct wr *w, uint32_t n)
{
	if (n > 99)
		n = 99;
	wr_u8(w, (uint8_t)('0' + n / 10));
	wr_u8(w, (uint8_t)('0' + n % 10));
}

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void write_alpn(struct wr *w, struct rd protocols)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t first, last;
	struct rd name;

	if (rd_vec8(&protocols, &name) != V_OK || !rd_left(&name)) {
		wr_str(w, "00");
		return;
	}
	first = name.p[0];
	last = name.end[-1];
	if (!is_alnum(first) || !is_alnum(last)) {
		first = (uint8_t)digits[first >> 4];
		last = (uint8_t)digits[last & 15];
	}
	wr_u8(w, first);
	wr_u8(w, last);
}

void ja4_client(const struct client_hello *h, char out[JA4_SIZE])
{
	char text[TEXT_MAX];
	struct wr w = wr_init(out, JA4_SIZE - 1), t = wr_init(text, sizeof(text));
	struct list suites, exts;
	uint32_t count;

	collect_suites(&suites, h->suites);
	count = collect_extensions(&exts, h->extensions);
	wr_u8(&w, 't');
	wr_str(&w, version_name(h));
	wr_u8(&w, h->has_server_name ? 'd' : 'i');
	write_count(&w, suites.n);
	write_count(&w, count);
	write_alpn(&w, h->alpn);
	wr_u8(&w, '_');
	write_list(&t, &suites);
	write_hash(&w, text, wr_len(&t, text));
	wr_u8(&w, '_');
	t = wr_init(text, sizeof(text));
	write_list(&t, &exts);
	if (exts.n)
		write_signatures(&t, h->signature_algorithms);
	write_hash(&w, text, wr_len(&t, text));
	*w.p = '\0';
	if (suites.over || exts.over || t.full)
		out[0] = '\0';
}
