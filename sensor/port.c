/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports of any driver, set up so that both directions of a connection come to one worker: by RSS with
 * a key that repeats every 16 bits, which makes the hash symmetric.
 */
#include "port.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#define RSS_KEY_MAX 64
#define RSS_WANTED (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_LEVEL_INNERMOST)
#define RX_OFFLOADS (RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_CHECKSUM)
#define POOL_CACHE 256

static int fail(const char *what, const char *port, int rc)
{
	fprintf(stderr, "cleartap: port %s: %s: %s\n", port, what, strerror(-rc));
	return rc;
}

static int add(struct ports *p, uint16_t id)
{
	struct port *port = &p->at[p->n];

	for (int i = 0; i < p->n; i++)
		if (p->at[i].id == id)
			return 0;
	if (p->n == PORTS_MAX) {
		fprintf(stderr, "cleartap: more than %d ports; choose some by --port\n", PORTS_MAX);
		return -E2BIG;
	}
	port->id = id;
	if (rte_eth_dev_get_name_by_port(id, port->name))
		snprintf(port->name, sizeof(port->name), "%u", id);
	p->n++;
	return 0;
}

static int add_named(struct ports *p, const char *name)
{
	char *end;
	unsigned long id = strtoul(name, &end, 10);
	uint16_t port;

	if (*name && !*end && id < RTE_MAX_ETHPORTS && rte_eth_dev_is_valid_port((uint16_t)id))
		return add(p, (uint16_t)id);
	if (!rte_eth_dev_get_port_by_name(name, &port))
		return add(p, port);
	fprintf(stderr,
		"cleartap: --port %s: the EAL has no such port; "
		"give one by -a ADDRESS or --vdev NAME after --\n",
		name);
	return -ENODEV;
}

/* A port that a sink sends out of is not received from. */
static bool is_output(const struct options *opt, uint16_t id)
{
	char name[RTE_ETH_NAME_MAX_LEN] = "", number[8];

	rte_eth_dev_get_name_by_port(id, name);
	snprintf(number, sizeof(number), "%u", id);
	for (int i = 0; i < opt->n_outs; i++)
		if (!strncmp(opt->outs[i], "mirror:", 7) &&
			(!strcmp(opt->outs[i] + 7, name) || !strcmp(opt->outs[i] + 7, number)))
			return true;
	return false;
}

static int add_all(struct ports *p, const struct options *opt)
{
	uint16_t id;
	int rc = 0;

	RTE_ETH_FOREACH_DEV(id)
	if (!rc && !is_output(opt, id))
		rc = add(p, id);
	if (!rc && !p->n) {
		fputs("cleartap: the EAL found no port to receive from; bind one to its driver, or "
		      "give one by --vdev after --\n",
			stderr);
		rc = -ENODEV;
	}
	return rc;
}

static bool spreads(const struct port *port, int workers)
{
	struct rte_eth_dev_info info;

	/* Without a key of ours the hash is not symmetric. */
	return !rte_eth_dev_info_get(port->id, &info) && info.max_rx_queues >= workers &&
		info.hash_key_size && info.hash_key_size <= RSS_KEY_MAX &&
		info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP);
}

int ports_find(struct ports *p, const struct options *opt)
{
	int rc = 0;

	for (int i = 0; i < opt->n_ports && !rc; i++)
		rc = add_named(p, opt->ports[i]);
	if (!opt->n_ports)
		rc = add_all(p, opt);
	if (rc)
		return rc;
	for (int i = 0; i < p->n && opt->workers > 1; i++)
		p->dispatch |= !spreads(&p->at[i], opt->workers);
	p->queues = p->dispatch ? 1 : (uint16_t)opt->workers;
	return 0;
}

/* Ports that are on no node are with those of the first. */
static unsigned node_of(const struct port *port)
{
	int socket = rte_eth_dev_socket_id(port->id);

	return socket > 0 && socket < RTE_MAX_NUMA_NODES ? (unsigned)socket : 0;
}

/* Behind the driver's receive function, on ports that verify checksums. */
static uint16_t drop_bad(
	uint16_t id, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n, uint16_t max, void *arg)
{
	struct port *port = arg;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		uint64_t flags = mbufs[i]->ol_flags;

		if ((flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_BAD &&
			(flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) != RTE_MBUF_F_RX_IP_CKSUM_BAD)
			mbufs[kept++] = mbufs[i];
		else
			rte_pktmbuf_free(mbufs[i]);
	}
	if (kept < n)
		__atomic_store_n(&port->bad_checksum[queue], port->bad_checksum[queue] + n - kept,
			__ATOMIC_RELAXED);
	return kept;
}

static uint8_t *rss_key(void)
{
	static uint8_t key[RSS_KEY_MAX];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = i & 1 ? 0x5a : 0x6d;
	return key;
}

static bool has_key(const struct port *port)
{
	uint8_t key[RSS_KEY_MAX] = { 0 };
	struct rte_eth_rss_conf conf = { .rss_key = key, .rss_key_len = sizeof(key) };
	struct rte_eth_dev_info info;

	return !rte_eth_dev_info_get(port->id, &info) &&
		!rte_eth_dev_rss_hash_conf_get(port->id, &conf) &&
		!memcmp(key, rss_key(), info.hash_key_size);
}

/* Not every driver that offers RSS does it: only one that says our key back is believed. */
static bool took_key(const struct port *port)
{
	struct rte_eth_rss_conf conf = { .rss_key = rss_key() };
	struct rte_eth_dev_info info;

	if (has_key(port))
		return true;
	if (rte_eth_dev_info_get(port->id, &info))
		return false;
	conf.rss_key_len = info.hash_key_size;
	conf.rss_hf = RSS_WANTED & info.flow_type_rss_offloads;
	return !rte_eth_dev_rss_hash_update(port->id, &conf) && has_key(port);
}

/*
 * Some drivers do not start without transmit queues, some not without one for each receive queue;
 * nothing is ever sent.
 */
static uint16_t tx_queues(const struct ports *p, const struct rte_eth_dev_info *info)
{
	return info->max_tx_queues < p->queues ? info->max_tx_queues : p->queues;
}

static int configure(const struct ports *p, struct port *port, struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = { .rxmode.offloads = RX_OFFLOADS & info->rx_offload_capa };
	int rc;

	if (p->queues > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = RSS_WANTED & info->flow_type_rss_offloads;
		conf.rx_adv_conf.rss_conf.rss_key = rss_key();
		conf.rx_adv_conf.rss_conf.rss_key_len = info->hash_key_size;
	}
	rc = rte_eth_dev_configure(port->id, p->queues, tx_queues(p, info), &conf);
	return rc ? fail("cannot be configured", port->name, rc) : 0;
}

static int queues(const struct ports *p, struct port *port, const struct rte_eth_dev_info *info)
{
	uint16_t rx = PORT_RING_DESC, tx = 64;
	int socket = rte_eth_dev_socket_id(port->id);
	struct rte_mempool *pool = p->pool[node_of(port)];
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);

	for (uint16_t q = 0; q < p->queues && !rc; q++)
		rc = rte_eth_rx_queue_setup(port->id, q, rx, (unsigned)socket, NULL, pool);
	for (uint16_t q = 0; q < tx_queues(p, info) && !rc; q++)
		rc = rte_eth_tx_queue_setup(port->id, q, tx, (unsigned)socket, NULL);
	return rc ? fail("its queues cannot be set up", port->name, rc) : 0;
}

static int start(const struct ports *p, struct port *port)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(port->id, &info);

	if (rc)
		return fail("does not describe itself", port->name, rc);
	rc = configure(p, port, &info);
	if (!rc)
		rc = queues(p, port, &info);
	if (rc)
		return rc;
	for (uint16_t q = 0; q < p->queues && info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM;
		q++)
		if (!rte_eth_add_rx_callback(port->id, q, drop_bad, port))
			return fail("cannot sort out damaged packets", port->name, -rte_errno);
	/* Jumbo frames where they can be had; a port that has one size only says so. */
	if (info.max_mtu >= 9000)
		rte_eth_dev_set_mtu(port->id, 9000);
	rc = rte_eth_dev_start(port->id);
	if (rc == -1 && strcmp(info.driver_name, "net_memif") == 0)
		return fail(
			"does not start: a memif client finds its server now or never, role=server waits",
			port->name, -ENOTCONN);
	if (rc)
		return fail("does not start", port->name, rc);
	port->started = true;
	rc = rte_eth_promiscuous_enable(port->id);
	if (rc && rc != -ENOTSUP)
		fprintf(stderr, "cleartap: port %s: not promiscuous: %s\n", port->name,
			strerror(-rc));
	return 0;
}

/* Every lcore's cache of a pool may fill up to one and a half times its size. */
static int make_pool(struct ports *p, unsigned node, uint32_t held)
{
	uint32_t n = rte_lcore_count() * (POOL_CACHE * 3 / 2) + held;
	char name[RTE_MEMPOOL_NAMESIZE];
	int socket = SOCKET_ID_ANY;

	for (int i = 0; i < p->n; i++) {
		if (node_of(&p->at[i]) != node)
			continue;
		n += (uint32_t)p->queues * PORT_RING_DESC;
		socket = rte_eth_dev_socket_id(p->at[i].id);
	}
	snprintf(name, sizeof(name), "cleartap%u", node);
	p->pool[node] =
		rte_pktmbuf_pool_create(name, n, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, socket);
	if (p->pool[node])
		return 0;
	fprintf(stderr,
		"cleartap: no memory for %u packets (%u MB) on NUMA node %u: reserve hugepages, or "
		"give the EAL more by -m MB\n",
		n, n / 1024 * (RTE_MBUF_DEFAULT_BUF_SIZE + 192) / 1024, node);
	return -ENOMEM;
}

static int start_all(struct ports *p)
{
	int rc = 0;

	p->kernel.n = 0;
	for (int i = 0; i < p->n && !rc; i++) {
		rc = start(p, &p->at[i]);
		kdrop_find(&p->kernel, p->at[i].id);
	}
	return rc;
}

/* By software, then. */
static int start_again(struct ports *p)
{
	p->dispatch = true;
	p->queues = 1;
	for (int i = 0; i < p->n; i++)
		rte_eth_dev_stop(p->at[i].id);
	return start_all(p);
}

int ports_start(struct ports *p, uint32_t held)
{
	uint32_t packets = 0;
	bool spread = true;
	int rc = 0;

	for (int i = 0; i < p->n && !rc; i++)
		if (!p->pool[node_of(&p->at[i])])
			rc = make_pool(p, node_of(&p->at[i]), held);
	if (!rc)
		rc = start_all(p);
	for (int i = 0; i < p->n && !rc && p->queues > 1; i++)
		spread &= took_key(&p->at[i]);
	if (!spread)
		rc = start_again(p);
	for (int i = 0; i < RTE_MAX_NUMA_NODES; i++)
		packets += p->pool[i] ? p->pool[i]->size : 0;
	if (!rc)
		fprintf(stderr, "cleartap: %d port%s, %u queue%s each, %u packets of %u bytes%s\n",
			p->n, p->n == 1 ? "" : "s", p->queues, p->queues == 1 ? "" : "s", packets,
			RTE_MBUF_DEFAULT_DATAROOM, p->dispatch ? ", dispatched by software" : "");
	return rc;
}

void ports_watch(struct ports *p)
{
	for (int i = 0; i < p->n; i++) {
		struct rte_eth_link link;
		struct port *port = &p->at[i];

		if (rte_eth_link_get_nowait(port->id, &link) || link.link_status == port->up)
			continue;
		port->up = link.link_status;
		fprintf(stderr, "cleartap: port %s: its link is %s\n", port->name,
			port->up ? "up" : "down");
	}
}

static uint64_t bad_checksums(const struct port *port)
{
	uint64_t sum = 0;

	for (int q = 0; q < OPTIONS_WORKERS_MAX; q++)
		sum += __atomic_load_n(&port->bad_checksum[q], __ATOMIC_RELAXED);
	return sum;
}

int ports_drops(struct ports *p, struct drop *out)
{
	struct rte_eth_stats s;
	int n = 0;

	for (int i = 0; i < p->n; i++) {
		if (!p->at[i].started || rte_eth_stats_get(p->at[i].id, &s))
			continue;
		out[n++] = drop_init(DROP_PORT_IMISSED, p->at[i].id, s.imissed);
		out[n++] = drop_init(DROP_PORT_NOMBUF, p->at[i].id, s.rx_nombuf);
		out[n++] = drop_init(DROP_PORT_IERRORS, p->at[i].id, s.ierrors);
		out[n++] = drop_init(DROP_PORT_CHECKSUM, p->at[i].id, bad_checksums(&p->at[i]));
		out[n++] =
			drop_init(DROP_PORT_KERNEL, p->at[i].id, kdrop_of(&p->kernel, p->at[i].id));
	}
	return n;
}

size_t ports_bytes(const struct ports *p)
{
	size_t sum = 0;

	for (int i = 0; i < RTE_MAX_NUMA_NODES; i++) {
		const struct rte_mempool *m = p->pool[i];

		if (m)
			sum += (size_t)m->size * (m->header_size + m->elt_size + m->trailer_size);
	}
	return sum;
}

void ports_stop(struct ports *p)
{
	for (int i = 0; i < p->n; i++) {
		if (p->at[i].started)
			rte_eth_dev_stop(p->at[i].id);
		rte_eth_dev_close(p->at[i].id);
	}
}
