/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Link-layer types, by their numbers in capture files (LINKTYPE_*). */
enum link_type {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_PPP_HDLC = 50,
	LINK_RAW_OLD = 12, /* some BSDs' DLT_RAW */
	LINK_RAW_OPENBSD = 14,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

/**
 * One packet: what the source says of it and, after frame_decode(), its innermost TCP segment.
 * All pointers are into the source's bytes, or a reassembled datagram.
 */
struct pkt {
	/* the source */
	const uint8_t *data;
	uint32_t len;      /* bytes captured */
	uint32_t wire_len; /* bytes on the wire, >= len */
	uint64_t ts_ns;    /* nanoseconds since 1970 */
	uint16_t link;     /* enum link_type */
	uint16_t port;     /* interface the packet came from */
	void *owner;       /* the source's handle; opaque here */

	/* frame_decode(): valid if it returned V_OK */
	const uint8_t *src; /* addr_len bytes, network order */
	const uint8_t *dst;
	uint8_t addr_len; /* 4 or 16 */
	uint8_t tcp_flags;
	bool reassembled; /* of fragments: the segment is lost when the next packet is decoded */
	uint16_t sport;   /* host order, as all numbers here */
	uint16_t dport;
	uint16_t window;
	uint32_t seq;
	uint32_t ack;
	const uint8_t *tcp; /* its header; options end where the payload begins */
	const uint8_t *payload;
	uint32_t payload_len;  /* bytes captured of it */
	uint32_t payload_wire; /* bytes by the IP header, >= payload_len */
};

/** Of a long payload so much is loaded ahead. */
#define PKT_AHEAD 2048

/** Start loading the payload, which a port may have left in memory: while the packet before it is read. */
static inline void pkt_prefetch(const struct pkt *p)
{
	const uint8_t *line = p->payload;
	const uint8_t *end = line + (p->payload_len < PKT_AHEAD ? p->payload_len : PKT_AHEAD);

	for (; end - line > 192; line += 256) {
		__builtin_prefetch(line);
		__builtin_prefetch(line + 64);
		__builtin_prefetch(line + 128);
		__builtin_prefetch(line + 192);
	}
	for (; line < end; line += 64)
		__builtin_prefetch(line);
}
