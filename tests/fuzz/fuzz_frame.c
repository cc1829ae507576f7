/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in sequence through one small reassembler: a byte for the link type, then for every frame
 * 2 bytes of length and the bytes. The top bit of a length says that 100 bytes more were on the
 * wire. Each frame takes 8 seconds.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "decode/frag.h"
#include "decode/frame.h"

static const uint16_t links[] = { LINK_ETHERNET, LINK_NULL, LINK_PPP, LINK_PPP_HDLC, LINK_RAW,
	LINK_LOOP, LINK_SLL, LINK_IPV4, LINK_IPV6, LINK_SLL2, LINK_RAW_OLD, 147 };

/* Read all that a segment refers to, so that a sanitizer sees a pointer gone astray. */
static void touch(const struct pkt *p)
{
	volatile uint8_t sum = 0;

	if (p->payload_len > p->payload_wire || (p->addr_len != 4 && p->addr_len != 16))
		abort();
	for (uint32_t i = 0; i < p->addr_len; i++)
		sum ^= p->src[i] ^ p->dst[i];
	for (uint32_t i = 0; i < p->payload_len; i++)
		sum ^= p->payload[i];
}

static void one(struct frag *frags, uint16_t link, struct rd data, bool cut, uint64_t ts_ns)
{
	uint32_t len = (uint32_t)rd_left(&data);
	uint8_t *copy = malloc(len ? len : 1);
	struct pkt p = { .data = copy,
		.len = len,
		.wire_len = len + (cut ? 100 : 0),
		.link = link,
		.ts_ns = ts_ns };
	enum verdict v;

	if (!copy)
		abort();
	if (len)
		memcpy(copy, data.p, len);
	v = frame_decode(&p, frags);
	if (v == V_OK)
		touch(&p);
	else if (verdict_stage(v) != STAGE_PKT)
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct frag_cfg cfg = { .max_datagrams = 3, .timeout_ms = 30000, .seed = 1 };
	_Alignas(64) static uint8_t mem[4 << 16];
	struct frag *frags = frag_init(mem, &cfg);
	struct rd r = rd_init(data, size), frame;
	uint64_t ts_ns = 0;
	uint16_t len;
	uint8_t link;

	if (frag_bytes(&cfg) > sizeof(mem))
		abort();
	if (rd_u8(&r, &link) == V_OK)
		while (rd_u16(&r, &len) == V_OK && rd_sub(&r, len & 0x7fff, &frame) == V_OK)
			one(frags, links[link % (sizeof(links) / sizeof(*links))], frame,
				len & 0x8000, ts_ns += 8000000000);
	if (frag_held(frags) > cfg.max_datagrams)
		abort();
	return 0;
}
