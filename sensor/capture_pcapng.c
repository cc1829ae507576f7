/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcapng: blocks, each with its length at both ends. A section header sets the byte order and
 * forgets the interfaces; interface descriptions give link type and time unit; packets name their
 * interface. A block is taken only when all of it is at hand and both lengths agree, so that what
 * is believed was written whole.
 */
#include "capture_format.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/keytab.h"

#define BLOCK_MAX (16u << 20)
#define BLOCK_MIN 12
#define BLOCK_HEAD 8
#define BLOCK_TAIL 4
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define TLS_KEY_LOG 0x544c534bu
#define IFACES_MAX 65536u

enum block {
	SECTION_HEADER = 0x0a0d0d0a,
	INTERFACE = 1,
	PACKET = 2, /* obsolete */
	SIMPLE_PACKET = 3,
	ENHANCED_PACKET = 6,
	SECRETS = 10,
};

enum option { OPT_END = 0, OPT_TSRESOL = 9, OPT_TSOFFSET = 14 };

static bool set_byte_order(struct capture *c, const uint8_t *p)
{
	uint32_t magic;

	memcpy(&magic, p, sizeof(magic));
	c->swap = magic != BYTE_ORDER_MAGIC;
	return !c->swap || magic == __builtin_bswap32(BYTE_ORDER_MAGIC);
}

int capture_pcapng_start(struct capture *c)
{
	if (!input_fill(&c->in, BLOCK_MIN)) {
		c->truncated = true;
		capture_damaged(c, "cut off inside the pcapng section header");
		return -EBADMSG;
	}
	if (!set_byte_order(c, c->in.p + BLOCK_HEAD)) {
		capture_damaged(c, "a pcapng section header without byte-order magic");
		return -EBADMSG;
	}
	return 0;
}

/* The resolution of timestamps: a negative power of 10, or of 2 if the top bit is set. */
static void set_resolution(struct iface *i, uint8_t resol)
{
	int n = resol & 0x7f;

	i->mul = 1000000000u;
	i->div = 1;
	i->shift = 0;
	if (resol & 0x80) {
		i->shift = (uint8_t)n;
		return;
	}
	for (; n > 0 && i->mul > 1; n--)
		i->mul /= 10;
	/* Finer than 10^-28 s, no 64-bit number reaches a nanosecond. */
	if (n > 19)
		i->mul = 0;
	for (; n > 0 && i->mul; n--)
		i->div *= 10;
}

/* Options that are cut off or too long end the list: the packets do not depend on them. */
static void read_options(const struct capture *c, struct rd *r, struct iface *i)
{
	const uint8_t *h, *v;

	while (rd_bytes(r, 4, &h) == V_OK) {
		uint16_t code = capture_u16(c, h), len = capture_u16(c, h + 2);

		if (code == OPT_END || rd_bytes(r, len, &v) != V_OK)
			return;
		if (code == OPT_TSRESOL && len == 1)
			set_resolution(i, v[0]);
		else if (code == OPT_TSOFFSET && len == 8)
			i->offset_s = (int64_t)capture_u64(c, v);
		if (rd_skip(r, -len & 3u) != V_OK)
			return;
	}
}

static enum capture_step interface(struct capture *c, struct rd r)
{
	const uint8_t *h;
	struct iface *i;

	if (rd_bytes(&r, 8, &h) != V_OK)
		return capture_damaged(c, "an interface description that is too short");
	if (c->iface_count == IFACES_MAX)
		return capture_damaged(c, "more than %u interfaces", IFACES_MAX);
	if (c->iface_count == c->iface_cap) {
		uint32_t cap = c->iface_cap ? c->iface_cap * 2 : 4;
		struct iface *more = realloc(c->ifaces, cap * sizeof(*more));

		if (!more)
			return capture_damaged(c, "no memory for %u interfaces", cap);
		c->ifaces = more;
		c->iface_cap = cap;
	}
	i = &c->ifaces[c->iface_count++];
	*i = (struct iface){ .link = capture_u16(c, h), .snaplen = capture_u32(c, h + 4) };
	set_resolution(i, 6);
	read_options(c, &r, i);
	return STEP_OTHER;
}

/* Times before 1970 become 0, those after 2554 the largest: no capture has them in earnest. */
static uint64_t to_ns(const struct iface *i, uint64_t ts)
{
	unsigned __int128 abs = (unsigned __int128)ts * i->mul;
	__int128 ns;

	if (i->div > 1)
		abs /= i->div;
	ns = (__int128)(abs >> i->shift) + (__int128)i->offset_s * 1000000000;
	if (ns < 0)
		return 0;
	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

/* The packet proper, once its header said where it comes from and how long it is. */
static enum capture_step packet(struct capture *c, struct rd *r, struct pkt *p, uint32_t len,
	uint32_t wire_len, uint32_t iface)
{
	const uint8_t *data;

	if (iface >= c->iface_count)
		return capture_damaged(
			c, "a packet of interface %u, which was never described", iface);
	if (len > CAPTURE_PACKET_MAX)
		return capture_damaged(c, "a packet of %u bytes cannot be", len);
	if (rd_bytes(r, len, &data) != V_OK)
		return capture_damaged(c, "a packet of %u bytes in a shorter block", len);
	*p = (struct pkt){
		.data = data,
		.len = len,
		.wire_len = wire_len > len ? wire_len : len,
		.link = c->ifaces[iface].link,
		.port = (uint16_t)iface,
	};
	return STEP_PACKET;
}

/* The current and the obsolete packet block differ in how the interface is written. */
static enum capture_step enhanced(struct capture *c, struct rd r, struct pkt *p, bool obsolete)
{
	enum capture_step step;
	const uint8_t *h;
	uint32_t iface;

	if (rd_bytes(&r, 20, &h) != V_OK)
		return capture_damaged(c, "a packet block that is too short");
	iface = obsolete ? capture_u16(c, h) : capture_u32(c, h);
	step = packet(c, &r, p, capture_u32(c, h + 12), capture_u32(c, h + 16), iface);
	if (step == STEP_PACKET)
		p->ts_ns = to_ns(&c->ifaces[iface],
			(uint64_t)capture_u32(c, h + 4) << 32 | capture_u32(c, h + 8));
	return step;
}

/* No time, no interface, no captured length: all of the packet that the snap length left. */
static enum capture_step simple(struct capture *c, struct rd r, struct pkt *p)
{
	uint32_t len, wire_len;
	const uint8_t *h;

	if (rd_bytes(&r, 4, &h) != V_OK)
		return capture_damaged(c, "a packet block that is too short");
	wire_len = len = capture_u32(c, h);
	if (c->iface_count && c->ifaces[0].snaplen && len > c->ifaces[0].snaplen)
		len = c->ifaces[0].snaplen;
	return packet(c, &r, p, len, wire_len, 0);
}

static enum capture_step secrets(struct capture *c, struct rd r)
{
	const uint8_t *h, *text;
	uint32_t len;

	if (rd_bytes(&r, 8, &h) != V_OK)
		return capture_damaged(c, "a secrets block that is too short");
	len = capture_u32(c, h + 4);
	if (rd_bytes(&r, len, &text) != V_OK)
		return capture_damaged(c, "%u bytes of secrets in a shorter block", len);
	if (c->secrets && capture_u32(c, h) == TLS_KEY_LOG) {
		c->secrets(c->secrets_arg, (const char *)text, len);
		key_cleanse(c->in.p + (text - c->in.p), len);
	}
	return STEP_OTHER;
}

static enum capture_step section(struct capture *c, struct rd r)
{
	const uint8_t *h;

	if (rd_bytes(&r, 16, &h) != V_OK)
		return capture_damaged(c, "a section header that is too short");
	if (capture_u16(c, h + 4) != 1)
		return capture_damaged(c, "pcapng version %u.%u is not read", capture_u16(c, h + 4),
			capture_u16(c, h + 6));
	c->iface_count = 0;
	return STEP_OTHER;
}

static enum capture_step body(struct capture *c, uint32_t type, struct rd r, struct pkt *p)
{
	switch (type) {
	case SECTION_HEADER:
		return section(c, r);
	case INTERFACE:
		return interface(c, r);
	case PACKET:
		return enhanced(c, r, p, true);
	case SIMPLE_PACKET:
		return simple(c, r, p);
	case ENHANCED_PACKET:
		return enhanced(c, r, p, false);
	case SECRETS:
		return secrets(c, r);
	default:
		return STEP_OTHER;
	}
}

enum capture_step capture_pcapng_step(struct capture *c, struct pkt *p)
{
	const uint8_t *block = c->in.p;
	size_t left = input_left(&c->in);
	enum capture_step step;
	uint32_t type, len, size;

	if (left < BLOCK_MIN)
		return capture_need(c, BLOCK_MIN);
	type = capture_u32(c, block);
	if (type == SECTION_HEADER && !set_byte_order(c, block + BLOCK_HEAD))
		return capture_damaged(c, "a section header without byte-order magic");
	len = capture_u32(c, block + 4);
	if (len < BLOCK_MIN || len > BLOCK_MAX)
		return capture_damaged(c, "a block of %u bytes cannot be", len);
	/* Some old writers do not count the padding. */
	size = len + (-len & 3u);
	if (left < size)
		return capture_need(c, size);
	if (capture_u32(c, block + size - BLOCK_TAIL) != len)
		return capture_damaged(c, "the two lengths of a block are %u and %u", len,
			capture_u32(c, block + size - BLOCK_TAIL));
	step = body(c, type, rd_init(block + BLOCK_HEAD, size - BLOCK_MIN), p);
	if (step != STEP_DAMAGED)
		c->in.p += size;
	return step;
}
