/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plaintext has no packets: they went with the TLS records. Tools that expect a TCP connection get
 * one that never was, but that a strict stack would accept from the first SYN to the last ACK.
 */
#include "write/frames.h"

#include "base/bytes.h"
#include "decode/pkt.h"

enum step { NOT_BEGUN, SYN, SYN_ACK, ACK, OPEN, FIN, FIN_BACK, LAST_ACK, RST, DONE };

#define ETH_LEN 14
#define TCP_LEN 20
#define WINDOW 65535
#define WINDOW_SHIFT 10        /* 64 MiB: a hole of FRAMES_GAP_MAX is within the window */
#define UNACKED_MAX (1u << 15) /* a receiver speaks up at least this often */

void frames_init(
	struct frames *f, const struct flow_key *key, int client, uint64_t id, uint16_t mtu)
{
	uint32_t isn = (uint32_t)((id + 1) * 0x9e3779b97f4a7c15u >> 32);

	*f = (struct frames){ .addr_len = key->addr_len, .step = SYN };
	memcpy(f->addr[C2S], key->addr[client], key->addr_len);
	memcpy(f->addr[S2C], key->addr[!client], key->addr_len);
	f->port[C2S] = key->port[client];
	f->port[S2C] = key->port[!client];
	f->mss = (uint16_t)(mtu - (key->addr_len == 4 ? 20 : 40) - TCP_LEN);
	f->seq[C2S] = isn;
	f->seq[S2C] = ~isn;
}

void frames_text(struct frames *f, enum tls_dir dir, const uint8_t *data, uint32_t len)
{
	f->data = data;
	f->left = len;
	f->dir = (uint8_t)dir;
}

void frames_gap(struct frames *f, enum tls_dir dir, uint64_t missing)
{
	if (f->step == OPEN)
		f->seq[dir] += missing < FRAMES_GAP_MAX ? (uint32_t)missing : FRAMES_GAP_MAX;
}

void frames_end(struct frames *f, enum tls_dir dir, bool rst)
{
	f->dir = (uint8_t)dir;
	f->step = rst ? RST : FIN;
}

/* Sum of 16-bit words for the Internet checksum (RFC 1071), in the host's byte order. */
static uint64_t sum(uint64_t acc, const uint8_t *p, size_t n)
{
	uint32_t v;

	for (; n >= 4; p += 4, n -= 4) {
		memcpy(&v, p, 4);
		acc += v;
	}
	if (n) {
		v = 0;
		memcpy(&v, p, n);
		acc += v;
	}
	return acc;
}

static void put_sum(uint8_t *p, uint64_t acc)
{
	uint16_t v;

	while (acc >> 16)
		acc = (acc & 0xffff) + (acc >> 16);
	v = (uint16_t)~acc;
	memcpy(p, &v, 2);
}

static void ethernet(const struct frames *f, uint8_t *p, int dir)
{
	static const uint8_t mac[5] = { 0x02, 0x63, 0x74, 0x00, 0x00 };

	memcpy(p, mac, 5);
	p[5] = dir == C2S ? 2 : 1;
	memcpy(p + 6, mac, 5);
	p[11] = dir == C2S ? 1 : 2;
	put_be16(p + 12, f->addr_len == 4 ? 0x0800 : 0x86dd);
}

/* @return the sum over the addresses, which is part of the TCP checksum. */
static uint64_t ipv4(const struct frames *f, uint8_t *p, int dir, uint32_t len)
{
	p[0] = 0x45;
	p[1] = 0;
	put_be16(p + 2, (uint16_t)(20 + len));
	put_be32(p + 4, 0x00004000); /* DF, so the identification may be 0 (RFC 6864) */
	put_be32(p + 8, 64 << 24 | 6 << 16);
	memcpy(p + 12, f->addr[dir], 4);
	memcpy(p + 16, f->addr[!dir], 4);
	put_sum(p + 10, sum(0, p, 20));
	return sum(0, p + 12, 8);
}

static uint64_t ipv6(const struct frames *f, uint8_t *p, int dir, uint32_t len)
{
	put_be32(p, 6u << 28);
	put_be16(p + 4, (uint16_t)len);
	p[6] = 6;
	p[7] = 64;
	memcpy(p + 8, f->addr[dir], 16);
	memcpy(p + 24, f->addr[!dir], 16);
	return sum(0, p + 8, 32);
}

/* @return bytes of the header. */
static uint32_t tcp(const struct frames *f, uint8_t *p, int dir, uint8_t flags)
{
	uint32_t len = flags & TCP_SYN ? TCP_LEN + 8 : TCP_LEN;

	put_be16(p, f->port[dir]);
	put_be16(p + 2, f->port[!dir]);
	put_be32(p + 4, f->seq[dir]);
	put_be32(p + 8, flags & TCP_ACK ? f->seq[!dir] : 0);
	p[12] = (uint8_t)(len / 4 << 4);
	p[13] = flags;
	put_be16(p + 14, flags & TCP_RST ? 0 : WINDOW);
	put_be32(p + 16, 0); /* checksum, to come; urgent pointer */
	if (flags & TCP_SYN) {
		put_be32(p + 20, 2 << 24 | 4 << 16 | f->mss);
		put_be32(p + 24, 1 << 24 | 3 << 16 | 3 << 8 | WINDOW_SHIFT);
	}
	return len;
}

static size_t frame(struct frames *f, uint8_t *buf, int dir, uint8_t flags, uint32_t n)
{
	uint32_t ip_len = f->addr_len == 4 ? 20 : 40;
	uint8_t *ip = buf + ETH_LEN, *seg = ip + ip_len;
	uint32_t len = tcp(f, seg, dir, flags) + n;
	uint8_t pseudo[4];
	uint64_t acc;

	if (n)
		memcpy(seg + TCP_LEN, f->data, n);
	ethernet(f, buf, dir);
	acc = f->addr_len == 4 ? ipv4(f, ip, dir, len) : ipv6(f, ip, dir, len);
	put_be16(pseudo, 6);
	put_be16(pseudo + 2, (uint16_t)len);
	put_sum(seg + 16, sum(sum(acc, pseudo, 4), seg, len));
	f->seq[dir] += n + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
	return ETH_LEN + ip_len + len;
}

static size_t burst(struct frames *f, uint8_t *buf)
{
	uint32_t n = f->left < f->mss ? f->left : f->mss;
	size_t len;

	if (f->unacked && (!n || f->unacked >= UNACKED_MAX)) {
		f->unacked = 0;
		return frame(f, buf, !f->dir, TCP_ACK, 0);
	}
	if (!n)
		return 0;
	len = frame(f, buf, f->dir, n == f->left ? TCP_ACK | TCP_PSH : TCP_ACK, n);
	f->data += n;
	f->left -= n;
	f->unacked += n;
	return len;
}

size_t frames_next(struct frames *f, uint8_t *buf)
{
	switch ((enum step)f->step) {
	case SYN:
		f->step = SYN_ACK;
		return frame(f, buf, C2S, TCP_SYN, 0);
	case SYN_ACK:
		f->step = ACK;
		return frame(f, buf, S2C, TCP_SYN | TCP_ACK, 0);
	case ACK:
		f->step = OPEN;
		return frame(f, buf, C2S, TCP_ACK, 0);
	case OPEN:
		return burst(f, buf);
	case FIN:
		f->step = FIN_BACK;
		return frame(f, buf, f->dir, TCP_FIN | TCP_ACK, 0);
	case FIN_BACK:
		f->step = LAST_ACK;
		return frame(f, buf, !f->dir, TCP_FIN | TCP_ACK, 0);
	case LAST_ACK:
		f->step = DONE;
		return frame(f, buf, f->dir, TCP_ACK, 0);
	case RST:
		f->step = DONE;
		return frame(f, buf, f->dir, TCP_RST | TCP_ACK, 0);
	case NOT_BEGUN:
	case DONE:
		break;
	}
	return 0;
}
