/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A traffic source for tests where there is no testpmd: every packet of port 0, once, out of port 1,
 * waiting for the peer and for room rather than losing any. Then it stays until it is killed, for the
 * peer reads from its memory.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define BURST 32
#define DESC 512

static void check(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "source: %s\n", what);
		exit(EXIT_FAILURE);
	}
}

static void start(uint16_t port, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(port, &info);

	check(!rc, "no such port");
	rc = rte_eth_dev_configure(port, !!info.max_rx_queues, !!info.max_tx_queues, &conf);
	if (!rc && info.max_rx_queues)
		rc = rte_eth_rx_queue_setup(port, 0, DESC, SOCKET_ID_ANY, NULL, pool);
	if (!rc && info.max_tx_queues)
		rc = rte_eth_tx_queue_setup(port, 0, DESC, SOCKET_ID_ANY, NULL);
	check(!rc, "a port cannot be set up");
	rc = rte_eth_dev_start(port);
	check(!rc || port, "the capture cannot be read");
}

/* A memif client that comes before its server, or while it starts, has to try again. */
static void await_peer(uint16_t port)
{
	struct rte_eth_link link = { 0 };

	for (int i = 1; rte_eth_link_get_nowait(port, &link) || !link.link_status; i++) {
		usleep(10000);
		if (i % 100)
			continue;
		rte_eth_dev_stop(port);
		rte_eth_dev_start(port);
	}
}

static unsigned forward(void)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t n = rte_eth_rx_burst(0, 0, mbufs, BURST), sent = 0;

	while (sent < n) {
		sent += rte_eth_tx_burst(1, 0, mbufs + sent, n - sent);
		if (sent < n)
			usleep(100);
	}
	return n;
}

int main(int argc, char **argv)
{
	struct rte_mempool *pool;
	unsigned n, sum = 0;

	check(rte_eal_init(argc, argv) >= 0, "the EAL does not start");
	pool = rte_pktmbuf_pool_create(
		"source", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	check(pool, "no memory");
	start(0, pool);
	start(1, pool);
	await_peer(1);
	while ((n = forward()))
		sum += n;
	printf("source: %u packets\n", sum);
	fflush(stdout);
	pause();
	return 0;
}
