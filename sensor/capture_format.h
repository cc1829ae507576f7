/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What capture.c and the readers of the two formats share; for nobody else.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "capture.h"
#include "input.h"

/** Longest packet believed: what tcpdump and Wireshark write at most. */
#define CAPTURE_PACKET_MAX (256u << 10)

/** What one look at the bytes at hand came to. */
enum capture_step {
	STEP_PACKET,  /* a packet was taken */
	STEP_OTHER,   /* something else was taken */
	STEP_MORE,    /* nothing was taken: `need` bytes must be at hand */
	STEP_DAMAGED, /* nothing was taken: `why` */
};

struct iface {
	uint64_t mul; /* ns = ts * mul / div >> shift, plus offset_s seconds */
	uint64_t div;
	int64_t offset_s;
	uint32_t snaplen;
	uint16_t link;
	uint8_t shift;
};

struct capture {
	struct input in;
	const char *name;
	enum capture_step (*step)(struct capture *c, struct pkt *p);
	capture_secrets_fn *secrets; /* NULL: not wanted, or all delivered */
	void *secrets_arg;
	size_t need;
	char why[128];
	int error; /* said; returned from now on */
	bool truncated;
	bool swap; /* numbers are in the other byte order than ours */

	/* pcap */
	uint32_t header_len; /* of a packet */
	uint32_t frac_ns;    /* nanoseconds a unit of the fraction */
	uint16_t link;

	/* pcapng: of this section */
	struct iface *ifaces;
	uint32_t iface_count;
	uint32_t iface_cap;
};

/** Formats by their first bytes. @return 0; -EBADMSG with `why` set. */
int capture_pcap_start(struct capture *c);
int capture_pcapng_start(struct capture *c);

/** One record or block. */
enum capture_step capture_pcap_step(struct capture *c, struct pkt *p);
enum capture_step capture_pcapng_step(struct capture *c, struct pkt *p);

/** @return STEP_MORE, with `need` set. */
static inline enum capture_step capture_need(struct capture *c, size_t n)
{
	c->need = n;
	return STEP_MORE;
}

/** @return STEP_DAMAGED, with `why` set. */
enum capture_step capture_damaged(struct capture *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static inline uint16_t capture_u16(const struct capture *c, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return c->swap ? __builtin_bswap16(v) : v;
}

static inline uint32_t capture_u32(const struct capture *c, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return c->swap ? __builtin_bswap32(v) : v;
}

static inline uint64_t capture_u64(const struct capture *c, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return c->swap ? __builtin_bswap64(v) : v;
}
