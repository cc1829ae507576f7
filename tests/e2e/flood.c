/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hostile source for live-flood: packets without end that no connection is made of, and among them,
 * evenly, those of a capture (port 0), out of port 1. Nothing is lost: it waits for room. The packets
 * are the same in every run. When all are sent it stays until it is killed, for the peer reads from its
 * memory.
 *
 * usage: flood EAL-ARGUMENTS -- garbage|syn COUNT
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define BURST 32
#define DESC 512
#define GOOD_MAX 4096
#define FIRST 12 /* packets of the capture before all others: a handshake */
#define FRAME_MAX 1514

static struct {
	struct rte_mempool *pool;
	struct rte_mbuf *good[GOOD_MAX];
	unsigned n_good;
	uint64_t random;
	struct rte_mbuf *burst[BURST];
	uint16_t n;
} f = { .random = 0x9e3779b97f4a7c15u };

static void check(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "flood: %s\n", what);
		exit(EXIT_FAILURE);
	}
}

static void start(uint16_t port)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(port, &info);

	check(!rc, "no such port");
	rc = rte_eth_dev_configure(port, !!info.max_rx_queues, !!info.max_tx_queues, &conf);
	if (!rc && info.max_rx_queues)
		rc = rte_eth_rx_queue_setup(port, 0, DESC, SOCKET_ID_ANY, NULL, f.pool);
	if (!rc && info.max_tx_queues)
		rc = rte_eth_tx_queue_setup(port, 0, DESC, SOCKET_ID_ANY, NULL);
	check(!rc && !rte_eth_dev_start(port), "a port cannot be set up");
}

static void await_peer(void)
{
	struct rte_eth_link link = { 0 };

	while (rte_eth_link_get_nowait(1, &link) || !link.link_status)
		usleep(10000);
}

static void preload(void)
{
	uint16_t n;

	while ((n = rte_eth_rx_burst(0, 0, f.good + f.n_good, BURST))) {
		f.n_good += n;
		check(f.n_good <= GOOD_MAX - BURST, "the capture is too long");
	}
	check(f.n_good > FIRST, "the capture is too short");
}

/* xorshift64* */
static uint64_t draw(void)
{
	f.random ^= f.random >> 12;
	f.random ^= f.random << 25;
	f.random ^= f.random >> 27;
	return f.random * 0x2545f4914f6cdd1du;
}

static void flush(void)
{
	uint16_t sent = 0;

	while (sent < f.n) {
		sent += rte_eth_tx_burst(1, 0, f.burst + sent, f.n - sent);
		if (sent < f.n)
			usleep(50);
	}
	f.n = 0;
}

static void put(struct rte_mbuf *m)
{
	f.burst[f.n++] = m;
	if (f.n == BURST)
		flush();
}

static uint8_t *room(struct rte_mbuf **m, uint16_t len)
{
	*m = rte_pktmbuf_alloc(f.pool);
	check(*m != NULL, "no buffer");
	return (uint8_t *)rte_pktmbuf_append(*m, len);
}

static void noise(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t v = draw();

		memcpy(p + i, &v, len - i < 8 ? len - i : 8);
	}
}

/* Of the capture, from another address, with up to eight bytes changed, maybe cut, maybe all new TLS. */
static void mutate(uint8_t *p, uint16_t len, uint64_t r)
{
	uint32_t who = (uint32_t)draw() | 0x80u; /* first octet: nobody of 10.0.0.0/8 */

	memcpy(p + (r & 1 ? 26 : 30), &who, 4);
	if (r & 2 && len > 66 + 8) {
		noise(p + 66 + 3, len - 66 - 3u);
		memcpy(p + 66, "\x16\x03\x03", 3);
	}
	for (unsigned n = r >> 2 & 7; n; n--)
		p[14 + draw() % (len - 14u)] ^= (uint8_t)(1 << (draw() & 7));
}

static struct rte_mbuf *garbage(uint64_t number)
{
	/* what a decoder begins with; 0: left as it is drawn */
	static const uint16_t types[8] = { 0x0008, 0xdd86, 0x0081, 0xa888, 0x4788, 0x6488, 0x0608 };
	const struct rte_mbuf *like = f.good[draw() % f.n_good];
	uint64_t r = draw();
	struct rte_mbuf *m;
	uint16_t len;
	uint8_t *p;

	if (r >> 63) {
		len = (uint16_t)(1 + (r >> 8) % FRAME_MAX);
		p = room(&m, len);
		noise(p, len);
		if (len >= 14 && types[r & 7])
			memcpy(p + 12, &types[r & 7], 2);
		return m;
	}
	len = rte_pktmbuf_data_len(like);
	p = room(&m, len);
	memcpy(p, rte_pktmbuf_mtod(like, void *), len);
	mutate(p, len, r);
	if (!(r >> 8 & 15))
		rte_pktmbuf_trim(m, (uint16_t)(draw() % len));
	return m;
}

/* Every number is another address. */
static struct rte_mbuf *syn(uint64_t number)
{
	static const uint8_t head[54] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,   /* Ethernet */
		0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 0, 0, 0, 0, 10, 77, 0, 1, /* IPv4 */
		0, 0, 1, 187, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff }; /* TCP to port 443 */
	uint32_t who = (uint32_t)(number * 0x9e3779b1u << 8) | 0x80u | (number >> 24 & 0x7f);
	uint64_t r = draw();
	struct rte_mbuf *m;
	uint8_t *p = room(&m, 60);

	memset(p, 0, 60);
	memcpy(p, head, sizeof(head));
	memcpy(p + 26, &who, 4);
	memcpy(p + 34, &r, 2);
	memcpy(p + 38, (uint8_t *)&r + 2, 4);
	return m;
}

int main(int argc, char **argv)
{
	struct rte_mbuf *(*make)(uint64_t number);
	int n = rte_eal_init(argc, argv);
	uint64_t count, every;
	unsigned sent = 0;

	check(n >= 0 && argc - n == 3, "flood EAL-ARGUMENTS -- garbage|syn COUNT");
	make = strcmp(argv[n + 1], "syn") ? garbage : syn;
	count = strtoull(argv[n + 2], NULL, 10);
	f.pool = rte_pktmbuf_pool_create(
		"flood", 16383, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	check(f.pool, "no memory");
	start(0);
	start(1);
	preload();
	await_peer();
	for (unsigned i = 0; i < f.n_good; i++) /* they are sent, and they are templates */
		rte_mbuf_refcnt_update(f.good[i], 1);
	while (sent < FIRST)
		put(f.good[sent++]);
	every = count / (f.n_good - FIRST) + 1;
	for (uint64_t i = 0; i < count; i++) {
		put(make(i));
		if (i % every == every - 1 && sent < f.n_good)
			put(f.good[sent++]);
	}
	while (sent < f.n_good)
		put(f.good[sent++]);
	flush();
	printf("flood: %lu packets and %u of the capture\n", count, f.n_good);
	fflush(stdout);
	pause();
	return 0;
}
