/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of sinks, and the words for endpoints that all of them use. */
#include "sink.h"

#include <arpa/inet.h>
#include <stdio.h>

const struct sink_ops *const sinks[] = {
	&sink_digest,
	&sink_raw,
	&sink_eve,
	&sink_unix,
	&sink_pcap,
	&sink_table,
	NULL,
};

void sink_endpoint(char out[ENDPOINT_MAX], const struct flow_key *key, int end)
{
	bool v4 = key->addr_len == 4;
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(v4 ? AF_INET : AF_INET6, key->addr[end], addr, sizeof(addr));
	snprintf(out, ENDPOINT_MAX, v4 ? "%s:%u" : "[%s]:%u", addr, key->port[end]);
}

int sink_client(const struct conn *c)
{
	if (c->client != END_UNKNOWN)
		return c->client;
	return c->initiator != END_UNKNOWN ? c->initiator : 0;
}
