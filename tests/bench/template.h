/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "capture.h"
#include "decode/frame.h"
#include "memory.h"
#include "tls/text.h"

/*
 * The one connection that a benchmark makes many of: each packet is copied, and the client's address in
 * it rewritten. The client_random stays, so one entry of a key table opens all copies.
 */

enum { BURST = 32, STRIDE = 2304, PACKETS_MAX = 1 << 14 };
/* Where IPv4 over Ethernet has its addresses: the captures of scripts/gen-pcaps. */
enum { SRC_AT = 26, DST_AT = 30 };

/** One packet of it. */
struct frame {
	const uint8_t *data;
	uint16_t len;
	bool from_client;
	bool boundary;    /* no record is under way after it */
	uint16_t payload; /* where its TCP payload begins; 0: not the server's application data */
	uint32_t seq;     /* of the record that it brings bytes of */
};

/** One direction of the capture, for the records in it. */
struct stream {
	uint8_t *data;
	size_t len;
	uint32_t next; /* sequence number */
};

/** The connection that all others are copies of. */
static struct {
	uint32_t n;
	struct frame frame[PACKETS_MAX];
	uint64_t bytes;
	struct stream stream[2];
} template;

static inline void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(EXIT_FAILURE);
}

static inline void *reserve(size_t n)
{
	void *p = memory_reserve(n);

	if (!p)
		die("no memory");
	return p;
}

static inline bool at_boundary(const struct stream *s)
{
	size_t at = 0;

	while (at + 5 <= s->len)
		at += 5 + get_be16(s->data + at + 3);
	return at == s->len;
}

static inline void add(const struct pkt *p)
{
	static uint8_t client[4];
	struct frame *f = &template.frame[template.n];
	struct pkt d = *p;
	struct stream *s;
	uint8_t *copy;

	if (frame_decode(&d, NULL) != V_OK || d.addr_len != 4 || p->len > STRIDE)
		return;
	if (!template.n)
		memcpy(client, d.src, 4);
	copy = reserve(STRIDE);
	memcpy(copy, p->data, p->len);
	*f = (struct frame){
		.data = copy, .len = (uint16_t)p->len, .from_client = !memcmp(d.src, client, 4)
	};
	s = &template.stream[!f->from_client];
	if (d.tcp_flags & TCP_SYN)
		s->next = d.seq + 1;
	if (d.payload_len && d.seq == s->next) {
		memcpy(s->data + s->len, d.payload, d.payload_len);
		s->len += d.payload_len;
		s->next += d.payload_len;
		f->payload = (uint16_t)(d.payload - p->data);
	}
	f->boundary = at_boundary(&template.stream[0]) && at_boundary(&template.stream[1]);
	template.bytes += p->len;
	template.n++;
}

/* Only its first connection is to be in it. */
static inline void template_load(const char *path)
{
	struct pkt pkts[BURST];
	struct capture *c;
	int n;

	for (int d = 0; d < 2; d++)
		template.stream[d].data = reserve(64 << 20);
	if (capture_open(&c, path, NULL, NULL))
		exit(EXIT_FAILURE);
	while ((n = capture_burst(c, pkts, BURST)) > 0)
		for (int i = 0; i < n && template.n < PACKETS_MAX; i++)
			add(&pkts[i]);
	capture_close(c);
	if (!template.n)
		die("the capture has no TCP over IPv4 over Ethernet");
}

/* A connection of frames of 60 bytes that nobody can decrypt; it is no TLS. */
static inline void template_foreign(void)
{
	uint32_t seq[2] = { 0, 0 };

	for (template.n = 0; template.n < 256; template.n++) {
		bool client = !(template.n & 1), syn = template.n < 2;
		uint8_t *p = reserve(STRIDE);

		memcpy(p + 12, (uint8_t[]){ 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 6 }, 12);
		memcpy(p + (client ? DST_AT : SRC_AT), (uint8_t[]){ 10, 77, 0, 1 }, 4);
		put_be16(p + 34, client ? 40000 : 25);
		put_be16(p + 36, client ? 25 : 40000);
		put_be32(p + 38, seq[client]);
		put_be32(p + 42, seq[!client]);
		p[46] = 5 << 4;
		p[47] = syn ? (client ? TCP_SYN : TCP_SYN | TCP_ACK) : TCP_ACK;
		put_be16(p + 16, syn ? 40 : 46);
		memcpy(p + 54, "hello\n", 6);
		seq[client] += syn ? 1 : 6;
		template.frame[template.n] = (struct frame){
			.data = p, .len = 60, .from_client = client, .boundary = true
		};
		template.bytes += 60;
	}
}

/* Copy a packet to @p out, as one of another client. @param addr  Its address, network order. */
static inline void template_copy(uint8_t *out, const struct frame *f, uint32_t addr)
{
	memcpy(out, f->data, f->len);
	memcpy(out + (f->from_client ? SRC_AT : DST_AT), &addr, 4);
}

/* The end of the next group of packets: at least @p least after @p at, up to where no record is cut. */
static inline uint32_t template_group(uint32_t at, uint32_t least)
{
	uint32_t upto = at + least;

	upto = upto < template.n ? upto : template.n;
	while (upto < template.n && !template.frame[upto - 1].boundary)
		upto++;
	return upto;
}
