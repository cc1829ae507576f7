/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plaintext out of a port, for an IDS that listens there: the frames of the pcap sink, as they
 * happen. A port that does not take them costs frames, counted and said at the end.
 */
#include "sink_mirror.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "grace.h"
#include "retell.h"

#define TX_DESC 1024
#define TX_BURST 32
#define POOL_SIZE 8191
#define TRIES 1000         /* of a full queue, before frames are dropped */
#define LINGER_US 1000000u /* at the end: rings in shared memory go with us, read or not */

struct mirror {
	struct retell retell;
	uint16_t port;
	bool started;
	uint16_t n; /* frames that wait for a burst */
	struct rte_mbuf *burst[TX_BURST];
	struct rte_mempool *pool;
	uint64_t dropped;
	uint64_t *lost; /* bytes of them */
	const char *name;
};

static void lose(struct mirror *m, uint64_t bytes)
{
	m->dropped++;
	__atomic_store_n(m->lost, *m->lost + bytes, __ATOMIC_RELAXED);
}

static void flush(struct mirror *m)
{
	uint16_t sent = 0;

	grace_enter(GRACE_WRITER);
	for (int i = 0; i < TRIES && sent < m->n; i++)
		sent += rte_eth_tx_burst(m->port, 0, m->burst + sent, m->n - sent);
	grace_leave(GRACE_WRITER);
	for (; sent < m->n; sent++) {
		lose(m, rte_pktmbuf_pkt_len(m->burst[sent]));
		rte_pktmbuf_free(m->burst[sent]);
	}
	m->n = 0;
}

static void emit(void *arg, uint64_t ts_ns, const uint8_t *frame, uint32_t len)
{
	struct mirror *m = arg;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(m->pool);
	char *room = mbuf ? rte_pktmbuf_append(mbuf, (uint16_t)len) : NULL;

	if (!room) {
		rte_pktmbuf_free(mbuf);
		lose(m, len);
		return;
	}
	memcpy(room, frame, len);
	m->burst[m->n++] = mbuf;
	if (m->n == TX_BURST)
		flush(m);
}

/* Some ports do not start without a receive queue; nothing is ever read from it. */
static int start(struct mirror *m)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	uint16_t rx = 64, tx = TX_DESC;
	int socket = rte_eth_dev_socket_id(m->port);
	int rc = rte_eth_dev_info_get(m->port, &info);

	m->pool = rte_pktmbuf_pool_create(
		"mirror", POOL_SIZE, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, socket);
	if (!m->pool)
		return -ENOMEM;
	if (!rc)
		rc = rte_eth_dev_configure(m->port, info.max_rx_queues ? 1 : 0, 1, &conf);
	if (!rc)
		rc = rte_eth_dev_adjust_nb_rx_tx_desc(m->port, &rx, &tx);
	if (!rc && info.max_rx_queues)
		rc = rte_eth_rx_queue_setup(m->port, 0, rx, (unsigned)socket, NULL, m->pool);
	if (!rc)
		rc = rte_eth_tx_queue_setup(m->port, 0, tx, (unsigned)socket, NULL);
	if (!rc)
		rc = rte_eth_dev_start(m->port);
	m->started = !rc;
	return rc;
}

static int find(const char *name, uint16_t *port)
{
	char *end;
	unsigned long id = strtoul(name, &end, 10);

	if (*name && !*end && id < RTE_MAX_ETHPORTS) {
		*port = (uint16_t)id;
		return rte_eth_dev_is_valid_port(*port) ? 0 : -ENODEV;
	}
	return rte_eth_dev_get_port_by_name(name, port);
}

static void mirror_meter(void *sink, uint64_t *lost)
{
	struct mirror *m = sink;

	m->lost = lost;
}

static int mirror_close(void *sink)
{
	struct mirror *m = sink;

	if (m->started) {
		flush(m);
		rte_delay_us_sleep(LINGER_US);
		rte_eth_dev_stop(m->port);
		rte_eth_dev_close(m->port);
	}
	if (m->dropped)
		fprintf(stderr, "cleartap: mirror:%s: %" PRIu64 " frames could not be sent\n",
			m->name, m->dropped);
	rte_mempool_free(m->pool);
	retell_fini(&m->retell);
	free(m);
	return 0;
}

static int mirror_open(const char *arg, uint32_t max_conns, void **out)
{
	struct mirror *m = calloc(1, sizeof(*m));
	int rc = m ? retell_init(&m->retell, max_conns) : -ENOMEM;

	if (rc) {
		free(m);
		return rc;
	}
	m->name = arg ? arg : "";
	m->retell.emit = emit;
	m->retell.arg = m;
	rc = find(m->name, &m->port);
	if (!rc)
		rc = start(m);
	if (rc) {
		fprintf(stderr,
			"cleartap: --out mirror:%s: %s; give a port of the EAL that can send\n",
			m->name, strerror(-rc));
		mirror_close(m);
		return rc;
	}
	*out = m;
	return 0;
}

static void mirror_text(void *sink, const struct conn_view *v, const struct text *t)
{
	struct mirror *m = sink;

	retell_text(&m->retell, v, t);
	flush(m);
}

static void mirror_anomaly(
	void *sink, const struct conn_view *v, int dir, enum verdict why, uint64_t missing)
{
	struct mirror *m = sink;

	retell_anomaly(&m->retell, v, dir, missing);
}

static void mirror_missed(void *sink, const struct conn_view *v, int dir, uint64_t bytes)
{
	struct mirror *m = sink;

	retell_anomaly(&m->retell, v, dir, bytes);
}

static void mirror_end(void *sink, const struct conn_view *v, enum conn_end why)
{
	struct mirror *m = sink;

	retell_end(&m->retell, v, why);
	flush(m);
}

const struct sink_ops sink_mirror = {
	.scheme = "mirror",
	.arg = "PORT",
	.help = "plaintext as clear TCP connections out of a DPDK port (number or name)",
	.open = mirror_open,
	.text = mirror_text,
	.anomaly = mirror_anomaly,
	.missed = mirror_missed,
	.end = mirror_end,
	.meter = mirror_meter,
	.close = mirror_close,
};
