/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A source for scripts/bench: packets of one connection as those of many, out of a DPDK port as fast as
 * the peer takes them. Nothing is lost: what a full ring did not take is sent again. When the time is
 * up it says what it sent, and stays until it is killed, for the peer reads from its memory.
 *
 * usage: bench_source EAL-ARGUMENTS -- CAPTURE CONNECTIONS SECONDS
 */
#include <inttypes.h>
#include <stdbool.h>
#include <unistd.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "template.h"

#define DESC 1024
#define GROUP 12
#define HANDSHAKE 12

static struct rte_mempool *pool;
static struct rte_mbuf *burst[BURST];
static uint16_t waiting;
static uint64_t packets, bytes;

/* The fastest interval; others are what else runs on this machine. */
static struct {
	uint64_t tsc, bytes; /* where it began */
	double gbps;
} best;

static void check(bool good, const char *what)
{
	if (!good)
		die(what);
}

static void start(void)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	struct rte_eth_link link = { 0 };

	pool = rte_pktmbuf_pool_create(
		"source", 8191, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	check(pool && !rte_eth_dev_info_get(0, &info), "no memory, or no port");
	check(!rte_eth_dev_configure(0, !!info.max_rx_queues, 1, &conf) &&
			(!info.max_rx_queues ||
				!rte_eth_rx_queue_setup(0, 0, DESC, SOCKET_ID_ANY, NULL, pool)) &&
			!rte_eth_tx_queue_setup(0, 0, DESC, SOCKET_ID_ANY, NULL) &&
			!rte_eth_dev_start(0),
		"the port cannot be set up");
	while (rte_eth_link_get_nowait(0, &link) || !link.link_status)
		usleep(10000);
}

static void flush(void)
{
	uint16_t sent = 0;

	while (sent < waiting)
		sent += rte_eth_tx_burst(0, 0, burst + sent, waiting - sent);
	waiting = 0;
}

static void emit(uint32_t at, uint32_t upto, uint32_t addr)
{
	for (uint32_t i = at; i < upto; i++) {
		const struct frame *f = &template.frame[i];
		struct rte_mbuf *m;

		while (!(m = rte_pktmbuf_alloc(pool)))
			rte_eth_tx_burst(0, 0, NULL, 0); /* takes sent ones back */
		template_copy((uint8_t *)rte_pktmbuf_append(m, f->len), f, addr);
		burst[waiting++] = m;
		bytes += f->len;
		if (waiting == BURST)
			flush();
	}
	packets += upto - at;
}

static void look(uint64_t hz)
{
	uint64_t now = rte_rdtsc();
	double s = (double)(now - best.tsc) / (double)hz;

	if (s < 0.25)
		return;
	if (best.tsc && (double)(bytes - best.bytes) * 8 / s / 1e9 > best.gbps)
		best.gbps = (double)(bytes - best.bytes) * 8 / s / 1e9;
	best.tsc = now;
	best.bytes = bytes;
}

int main(int argc, char **argv)
{
	int n = rte_eal_init(argc, argv);
	uint32_t conns, addr = 0x0b000000, at = 0;
	uint64_t begin, end;

	check(n >= 0 && argc - n == 4, "EAL-ARGUMENTS -- CAPTURE CONNECTIONS SECONDS");
	template_load(argv[n + 1]);
	conns = (uint32_t)strtoul(argv[n + 2], NULL, 10);
	start();
	begin = rte_rdtsc();
	end = begin + strtoull(argv[n + 3], NULL, 10) * rte_get_tsc_hz();
	/* All packets of all connections: a source that stops in the middle leaves nothing to compare. */
	while (at || rte_rdtsc() < end) {
		uint32_t upto = template_group(at, at ? GROUP : HANDSHAKE);

		for (uint32_t c = 0; c < conns; c++)
			emit(at, upto, htonl(addr + c));
		look(rte_get_tsc_hz());
		at = upto < template.n ? upto : 0;
		addr += at ? 0 : conns;
	}
	flush();
	end = rte_rdtsc();
	printf("%" PRIu64 " packets %" PRIu64
	       " bytes %.3f seconds %u connections %.1f Gbps at best\n",
		packets, bytes, (double)(end - begin) / (double)rte_get_tsc_hz(), addr - 0x0b000000,
		best.gbps);
	fflush(stdout);
	pause();
	return 0;
}
