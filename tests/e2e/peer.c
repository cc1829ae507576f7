/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is at the other end of a port. As a primary process it sets the port up; as a secondary one it
 * uses a port of another process, whose packet pool is POOL.
 *
 * catch: what comes goes into a pcap file, at once, until SIGTERM or until the link is down. It looks every
 * millisecond only: drivers of shared memory take that away, when the peer goes, from under who is
 * just reading. throw: a capture goes out, as fast as it is taken. flap: a capture goes out, and the
 * port goes down while the other end reads, TIMES times.
 *
 * usage: peer EAL-ARGUMENTS -- catch PORT FILE
 *        peer EAL-ARGUMENTS -- throw PORT FILE POOL
 *        peer EAL-ARGUMENTS -- flap PORT FILE TIMES
 */
#include <signal.h>
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
#define DESC 1024
#define BUFFERS 4095

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

static void check(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "peer: %s\n", what);
		exit(EXIT_FAILURE);
	}
}

static void start(uint16_t port)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"peer", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);

	check(pool && !rte_eth_dev_configure(port, 1, 1, &conf) &&
			!rte_eth_rx_queue_setup(port, 0, DESC, SOCKET_ID_ANY, NULL, pool) &&
			!rte_eth_tx_queue_setup(port, 0, DESC, SOCKET_ID_ANY, NULL) &&
			!rte_eth_dev_start(port),
		"the port cannot be set up");
}

static void put(FILE *f, const struct rte_mbuf *m)
{
	static uint32_t number; /* takes the place of the time */
	uint32_t len = rte_pktmbuf_pkt_len(m), head[4] = { 0, number++, len, len };

	fwrite(head, sizeof(head), 1, f);
	for (; m; m = m->next)
		fwrite(rte_pktmbuf_mtod(m, void *), rte_pktmbuf_data_len(m), 1, f);
	fflush(f);
}

/* @return whether anything came. */
static bool turn(uint16_t port, FILE *f)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t n = rte_eth_rx_burst(port, 0, mbufs, BURST);

	for (uint16_t i = 0; i < n; i++)
		put(f, mbufs[i]);
	rte_pktmbuf_free_bulk(mbufs, n);
	return n;
}

/* Was there a peer, and is there none any more? What it had said went with it. */
static bool gone(uint16_t port)
{
	static bool was_up;
	struct rte_eth_link link = { 0 };
	bool up = !rte_eth_link_get_nowait(port, &link) && link.link_status;

	if (was_up && !up)
		return true;
	was_up = up;
	return false;
}

static void catch (uint16_t port, FILE *f)
{
	static const uint32_t header[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65536, 1 };

	fwrite(header, sizeof(header), 1, f);
	fflush(f);
	while (!stop && !gone(port))
		if (!turn(port, f))
			usleep(1000);
}

static void throw(uint16_t port, FILE *f, struct rte_mempool *pool)
{
	uint32_t head[6];

	rewind(f);
	check(pool && fread(head, 24, 1, f) == 1, "no such pool, or no capture");
	while (fread(head, 16, 1, f) == 1) {
		struct rte_mbuf *m;
		char *room;

		while (!(m = rte_pktmbuf_alloc(pool)))
			usleep(1000);
		room = rte_pktmbuf_append(m, (uint16_t)head[2]);
		check(room && fread(room, head[2], 1, f) == 1, "a frame that is cut or too long");
		while (!rte_eth_tx_burst(port, 0, &m, 1))
			usleep(1000);
	}
}

static void flap(uint16_t port, FILE *f, int times)
{
	struct rte_mempool *pool = rte_mempool_lookup("peer");
	struct rte_eth_link link = { 0 };

	for (int i = 0; i < times; i++) {
		check(!i || !rte_eth_dev_start(port), "the port does not start again");
		for (int ms = 0; !link.link_status && ms < 10000; ms++) {
			usleep(1000);
			rte_eth_link_get_nowait(port, &link);
		}
		check(link.link_status, "nobody is at the other end");
		throw(port, f, pool);
		check(!rte_eth_dev_stop(port), "the port does not stop");
		rte_eth_link_get_nowait(port, &link);
	}
}

int main(int argc, char **argv)
{
	int n = rte_eal_init(argc, argv);
	const char *what;
	bool primary;
	uint16_t port;
	FILE *f;

	check(n >= 0 && argc - n >= 4, "EAL-ARGUMENTS -- catch|throw|flap PORT FILE [POOL|TIMES]");
	what = argv[n + 1];
	check(!rte_eth_dev_get_port_by_name(argv[n + 2], &port), "no such port");
	f = fopen(argv[n + 3], !strcmp(what, "catch") ? "wb" : "rb");
	check(f, "the file cannot be opened");
	signal(SIGTERM, on_signal);
	primary = rte_eal_process_type() == RTE_PROC_PRIMARY;
	if (primary)
		start(port);
	if (!strcmp(what, "catch"))
		catch (port, f);
	else if (!strcmp(what, "flap"))
		flap(port, f, atoi(argv[n + 4]));
	else
		throw(port, f, rte_mempool_lookup(argv[n + 4]));
	fclose(f);
	if (primary)
		rte_eal_cleanup();
	return EXIT_SUCCESS;
}
