/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap: a header of 24 bytes, then packets, each with a header of 16 (or, in the "modified" format
 * of old Linux tools, 24) bytes, all in the byte order of whoever wrote it.
 */
#include "capture_format.h"

#include <errno.h>

#define FILE_HEADER 24

static const struct {
	uint32_t magic;
	uint32_t header_len;
	uint32_t frac_ns;
} variants[] = {
	{ 0xa1b2c3d4, 16, 1000 },
	{ 0xa1b23c4d, 16, 1 },
	{ 0xa1b2cd34, 24, 1000 },
};

static bool is_magic(struct capture *c, uint32_t magic)
{
	for (size_t i = 0; i < sizeof(variants) / sizeof(*variants); i++) {
		c->swap = magic == __builtin_bswap32(variants[i].magic);
		if (!c->swap && magic != variants[i].magic)
			continue;
		c->header_len = variants[i].header_len;
		c->frac_ns = variants[i].frac_ns;
		return true;
	}
	return false;
}

int capture_pcap_start(struct capture *c)
{
	uint32_t magic;

	memcpy(&magic, c->in.p, sizeof(magic));
	if (!is_magic(c, magic)) {
		capture_damaged(c, "neither pcap nor pcapng (plain or gzip)");
		return -EBADMSG;
	}
	if (!input_fill(&c->in, FILE_HEADER)) {
		c->truncated = true;
		capture_damaged(c, "cut off inside the pcap file header");
		return -EBADMSG;
	}
	/* The upper half holds the FCS length and flags. The version never told anything. */
	c->link = (uint16_t)capture_u32(c, c->in.p + 20);
	c->in.p += FILE_HEADER;
	return 0;
}

enum capture_step capture_pcap_step(struct capture *c, struct pkt *p)
{
	struct rd r = rd_init(c->in.p, input_left(&c->in));
	const uint8_t *h, *data;
	uint32_t len, wire_len;

	if (rd_bytes(&r, c->header_len, &h) != V_OK)
		return capture_need(c, c->header_len);
	len = capture_u32(c, h + 8);
	wire_len = capture_u32(c, h + 12);
	if (len > CAPTURE_PACKET_MAX)
		return capture_damaged(c, "a packet of %u bytes cannot be", len);
	if (rd_bytes(&r, len, &data) != V_OK)
		return capture_need(c, c->header_len + len);
	*p = (struct pkt){
		.data = data,
		.len = len,
		.wire_len = wire_len > len ? wire_len : len,
		.ts_ns = capture_u32(c, h) * 1000000000ull +
			(uint64_t)capture_u32(c, h + 4) * c->frac_ns,
		.link = c->link,
	};
	c->in.p += c->header_len + len;
	return STEP_PACKET;
}
