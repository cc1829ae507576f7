/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JA3: a client is known by what it offers, in the order in which it offers it. A text of numbers
 * is written straight from the hello, without a list in between.
 */
#include "tls/ja3.h"

#include "base/hex.h"
#include "tls/md.h"

static void decimal(struct wr *w, uint16_t v)
{
	char text[5];
	char *p = text + sizeof(text);

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	wr_bytes(w, p, (size_t)(text + sizeof(text) - p));
}

static void next(struct wr *w, bool *first, uint16_t v)
{
	if (!*first)
		wr_u8(w, '-');
	*first = false;
	decimal(w, v);
}

static void values(struct wr *w, struct rd list)
{
	bool first = true;
	uint16_t v;

	while (hello_value(&list, &v))
		next(w, &first, v);
}

static void octets(struct wr *w, struct rd list)
{
	bool first = true;
	uint8_t v;

	while (rd_u8(&list, &v) == V_OK)
		next(w, &first, v);
}

static void types(struct wr *w, struct rd block)
{
	bool first = true;
	struct rd body;
	uint16_t type;

	while (hello_extension(&block, &type, &body) == V_OK)
		if (!hello_grease(type))
			next(w, &first, type);
}

void ja3_client(const struct client_hello *h, struct wr *text)
{
	decimal(text, h->legacy_version);
	wr_u8(text, ',');
	values(text, h->suites);
	wr_u8(text, ',');
	types(text, h->extensions);
	wr_u8(text, ',');
	values(text, h->groups);
	wr_u8(text, ',');
	octets(text, h->point_formats);
}

void ja3_server(const struct server_hello *h, struct wr *text)
{
	decimal(text, h->legacy_version);
	wr_u8(text, ',');
	decimal(text, h->suite);
	wr_u8(text, ',');
	types(text, h->extensions);
}

void ja3_hash(const void *text, size_t len, char out[JA3_HASH_SIZE])
{
	uint8_t digest[16];
	struct md md;

	md_init(&md, MD_MD5);
	md_update(&md, text, len);
	md_final(&md, digest);
	hex_encode(out, digest, sizeof(digest));
}
