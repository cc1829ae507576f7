/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver over the kernel loses packets where DPDK does not look: in a socket's ring, in the queue of a
 * tap interface. The kernel counts them, and these sockets are this process's: they are looked up among
 * its descriptors.
 */
#include "kdrop.h"

#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <rte_ethdev.h>

#define FDS_MAX 1024

enum kind { PACKET, XDP, TAP };

static void add(struct kdrop *k, const struct kdrop_source *source)
{
	if (k->n < KDROP_MAX)
		k->at[k->n++] = *source;
}

static bool is_known(const struct kdrop *k, int fd)
{
	for (int i = 0; i < k->n; i++)
		if (k->at[i].fd == fd)
			return true;
	return false;
}

static int domain_of(int fd)
{
	int domain;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) ? -1 : domain;
}

static unsigned index_of(int fd)
{
	struct sockaddr_ll ll = { 0 };
	socklen_t len = sizeof(ll);

	return getsockname(fd, (struct sockaddr *)&ll, &len) ? 0 : (unsigned)ll.sll_ifindex;
}

static void find_sockets(struct kdrop *k, uint16_t port, unsigned index, enum kind kind)
{
	for (int fd = 0; fd < FDS_MAX; fd++) {
		int domain = domain_of(fd);
		bool ours = kind == PACKET ? domain == AF_PACKET && index_of(fd) == index :
					     domain == AF_XDP;

		if (ours && !is_known(k, fd))
			add(k, &(struct kdrop_source){ .port = port, .kind = kind, .fd = fd });
	}
}

void kdrop_find(struct kdrop *k, uint16_t port)
{
	struct kdrop_source tap = { .port = port, .kind = TAP, .fd = -1 };
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(port, &info) || !info.driver_name)
		return;
	if (!strcmp(info.driver_name, "net_af_packet")) {
		find_sockets(k, port, info.if_index, PACKET);
	} else if (!strcmp(info.driver_name, "net_af_xdp")) {
		find_sockets(k, port, info.if_index, XDP);
	} else if (!strcmp(info.driver_name, "net_tap") &&
		if_indextoname(info.if_index, tap.name)) {
		add(k, &tap);
	}
}

/* Since the last time. */
static uint64_t packet_drops(int fd)
{
	struct tpacket_stats s = { 0 };
	socklen_t len = sizeof(s);

	return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) ? 0 : s.tp_drops;
}

/* Since ever, but for what the driver reports as imissed. */
static uint64_t xdp_drops(int fd)
{
	struct xdp_statistics s = { 0 };
	socklen_t len = sizeof(s);

	return getsockopt(fd, SOL_XDP, XDP_STATISTICS, &s, &len) ? 0 : s.rx_ring_full;
}

/* A tap interface transmits to us. Of this network namespace, which /sys need not show. */
static uint64_t interface_drops(const char *name)
{
	struct ifaddrs *all, *a;
	uint64_t n = 0;

	if (getifaddrs(&all))
		return 0;
	for (a = all; a; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_PACKET && a->ifa_data &&
			!strcmp(a->ifa_name, name))
			n = ((const struct rtnl_link_stats *)a->ifa_data)->tx_dropped;
	freeifaddrs(all);
	return n;
}

uint64_t kdrop_of(struct kdrop *k, uint16_t port)
{
	uint64_t sum = 0;

	for (int i = 0; i < k->n; i++) {
		if (k->at[i].port != port)
			continue;
		if (k->at[i].kind == PACKET)
			sum += __atomic_add_fetch(
				&k->at[i].dropped, packet_drops(k->at[i].fd), __ATOMIC_RELAXED);
		else
			sum += k->at[i].kind == XDP ? xdp_drops(k->at[i].fd) :
						      interface_drops(k->at[i].name);
	}
	return sum;
}
