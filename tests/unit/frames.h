/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "unit.h"

#include "base/bytes.h"
#include "decode/frag.h"
#include "decode/frame.h"

#define FRAME_SPORT 49152
#define FRAME_DPORT 443
#define FRAME_SEQ 0xfffffff0
#define FRAME_ACK 0x01020304
#define FRAME_PAYLOAD 48

/** A frame under construction: layers are appended outermost first; lengths are filled in last. */
struct frame {
	uint8_t b[8192];
	uint32_t len;
	uint32_t tcp; /* offset of the TCP header */
	uint16_t link;
	int fixes;
	struct {
		uint32_t field; /* offset of a 16-bit length */
		uint32_t from;  /* it counts from here to the end */
	} fix[32];
	uint8_t *copy; /* what was decoded last, in a block of exactly its size */
};

static inline struct frame frame_new(uint16_t link)
{
	return (struct frame){ .link = link };
}

static inline void frame_hex(struct frame *f, const char *hex)
{
	f->len += (uint32_t)unhex(f->b + f->len, hex);
}

static inline void frame_fix(struct frame *f, uint32_t field, uint32_t from)
{
	f->fix[f->fixes].field = field;
	f->fix[f->fixes++].from = from;
}

static inline void frame_u16(struct frame *f, uint16_t v)
{
	put_be16(f->b + f->len, v);
	f->len += 2;
}

static inline void frame_eth(struct frame *f, uint16_t type)
{
	frame_hex(f, "021122334455 02aabbccddee");
	frame_u16(f, type);
}

/** @param frag  The flags and offset word. */
static inline void frame_ip4_frag(struct frame *f, uint8_t proto, uint16_t id, uint16_t frag)
{
	frame_fix(f, f->len + 2, f->len);
	frame_hex(f, "45000000");
	frame_u16(f, id);
	frame_u16(f, frag);
	frame_hex(f, "40");
	f->b[f->len++] = proto;
	frame_hex(f, "0000 c0000201 c6336402");
}

static inline void frame_ip4(struct frame *f, uint8_t proto)
{
	frame_ip4_frag(f, proto, 0x1234, 0x4000);
}

static inline void frame_ip6(struct frame *f, uint8_t next)
{
	frame_fix(f, f->len + 4, f->len + 40);
	frame_hex(f, "60000000 0000");
	f->b[f->len++] = next;
	frame_hex(f, "40 20010db8000000000000000000000001 20010db8000000000000000000000002");
}

static inline void frame_udp(struct frame *f, uint16_t dport)
{
	frame_fix(f, f->len + 4, f->len);
	frame_hex(f, "c001");
	frame_u16(f, dport);
	frame_hex(f, "0000 0000");
}

/** The bytes of a payload, so that a wrong offset shows. */
static inline uint8_t frame_byte(uint32_t i)
{
	return (uint8_t)(i * 7 + 3);
}

static inline void frame_tcp(struct frame *f)
{
	f->tcp = f->len;
	frame_u16(f, FRAME_SPORT);
	frame_u16(f, FRAME_DPORT);
	put_be32(f->b + f->len, FRAME_SEQ);
	put_be32(f->b + f->len + 4, FRAME_ACK);
	f->len += 8;
	frame_hex(f, "5018 0400 0000 0000");
	for (uint32_t i = 0; i < FRAME_PAYLOAD; i++)
		f->b[f->len++] = frame_byte(i);
}

/** Fill in all lengths for what has been appended so far. */
static inline void frame_close(struct frame *f)
{
	for (int i = 0; i < f->fixes; i++)
		put_be16(f->b + f->fix[i].field, (uint16_t)(f->len - f->fix[i].from));
	f->fixes = 0;
}

/** Decode the first @p n bytes as the capture of a frame of @p wire bytes. */
static inline enum verdict frame_cut(
	struct frame *f, uint32_t n, uint32_t wire, struct frag *frags, struct pkt *p)
{
	frame_close(f);
	free(f->copy);
	f->copy = malloc(n ? n : 1);
	memcpy(f->copy, f->b, n);
	*p = (struct pkt){
		.data = f->copy, .len = n, .wire_len = wire, .link = f->link, .ts_ns = 1000000000
	};
	return frame_decode(p, frags);
}

static inline enum verdict frame_run(struct frame *f, struct frag *frags, struct pkt *p)
{
	return frame_cut(f, f->len, f->len, frags, p);
}

static inline void frame_fini(struct frame *f)
{
	free(f->copy);
	f->copy = NULL;
}

/** The segment of frame_tcp(), of which @p len payload bytes were captured. */
static inline void frame_check(const struct pkt *p, uint32_t len)
{
	ck_assert_uint_eq(p->sport, FRAME_SPORT);
	ck_assert_uint_eq(p->dport, FRAME_DPORT);
	ck_assert_uint_eq(p->seq, FRAME_SEQ);
	ck_assert_uint_eq(p->ack, FRAME_ACK);
	ck_assert_uint_eq(p->tcp_flags, TCP_ACK | TCP_PSH);
	ck_assert_uint_eq(p->window, 0x0400);
	ck_assert_uint_eq(p->payload_len, len);
	ck_assert_uint_eq(p->payload_wire, FRAME_PAYLOAD);
	for (uint32_t i = 0; i < len; i++)
		ck_assert_uint_eq(p->payload[i], frame_byte(i));
	if (p->addr_len == 4)
		ck_assert_uint_eq(get_be32(p->src), 0xc0000201);
	else
		ck_assert_uint_eq(p->dst[15], 2);
}

/** Whatever is damaged: no read beyond the end (a sanitizer sees it), no payload outside. */
static inline void frame_flip(struct frame *f)
{
	struct pkt p;

	for (uint32_t i = 0; i < f->len * 8; i++) {
		f->b[i / 8] ^= (uint8_t)(1 << i % 8);
		if (frame_run(f, NULL, &p) == V_OK) {
			ck_assert(p.payload >= f->copy);
			ck_assert(p.payload + p.payload_len <= f->copy + f->len);
			ck_assert_uint_le(p.payload_len, p.payload_wire);
		}
		f->b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

/**
 * The frame holds the segment of frame_tcp(): decode it whole, with a trailer, cut at every byte
 * (found as soon as the TCP header is there) and with every bit flipped.
 */
static inline void frame_expect_tcp(struct frame *f)
{
	struct pkt p;

	ck_assert_str_eq(verdict_label(frame_run(f, NULL, &p)), "ok");
	frame_check(&p, FRAME_PAYLOAD);
	for (uint32_t n = 0; n < f->len; n++) {
		enum verdict v = frame_cut(f, n, f->len, NULL, &p);

		if (n < f->tcp + 20) {
			ck_assert(v != V_OK && v != V_MORE);
			continue;
		}
		ck_assert_str_eq(verdict_label(v), "ok");
		frame_check(&p, n - f->tcp - 20);
	}
	frame_flip(f);
	frame_hex(f, "deadbeef0102"); /* Ethernet padding, or a frame check sequence */
	ck_assert_str_eq(verdict_label(frame_run(f, NULL, &p)), "ok");
	frame_check(&p, FRAME_PAYLOAD);
	frame_fini(f);
}

static inline void frame_expect(struct frame *f, enum verdict want)
{
	struct pkt p;

	ck_assert_str_eq(verdict_label(frame_run(f, NULL, &p)), verdict_label(want));
	for (uint32_t n = 0; n < f->len; n++)
		ck_assert_int_ne(frame_cut(f, n, f->len, NULL, &p), V_OK);
	frame_flip(f);
	frame_fini(f);
}

/** Layers in a row: link type, hexadecimal of everything up to IPv4 in the outermost, segment. */
static inline void frame_expect_ip4_behind(uint16_t link, const char *hex)
{
	struct frame f = frame_new(link);

	frame_hex(&f, hex);
	frame_ip4(&f, 6);
	frame_tcp(&f);
	frame_expect_tcp(&f);
}
