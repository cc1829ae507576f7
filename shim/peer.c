/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which connection a secret belongs to, in the words of the wire: a server that listens on IPv6 sees
 * IPv4 clients under mapped addresses, a tap sees IPv4.
 */
#include "shim/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};

static bool end_of(struct tuple_end *out, const union address *a)
{
	const uint8_t *v6 = a->v6.sin6_addr.s6_addr;

	*out = (struct tuple_end){ 0 };
	if (a->any.sa_family == AF_INET) {
		out->addr_len = 4;
		memcpy(out->addr, &a->v4.sin_addr, 4);
		out->port = ntohs(a->v4.sin_port);
	} else if (a->any.sa_family == AF_INET6) {
		bool mapped = IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr);

		out->addr_len = mapped ? 4 : 16;
		memcpy(out->addr, mapped ? v6 + 12 : v6, out->addr_len);
		out->port = ntohs(a->v6.sin6_port);
	}
	return out->addr_len != 0;
}

void peer_of(struct peer *out, int fd, bool server)
{
	union address local, remote;
	socklen_t local_len = sizeof(local), remote_len = sizeof(remote);

	memset(out, 0, sizeof(*out));
	memset(&local, 0, sizeof(local));
	memset(&remote, 0, sizeof(remote));
	if (fd < 0 || getsockname(fd, &local.any, &local_len) < 0 ||
		getpeername(fd, &remote.any, &remote_len) < 0)
		return;
	out->known = end_of(&out->client, server ? &remote : &local) &&
		end_of(&out->server, server ? &local : &remote);
	if (!out->known)
		memset(out, 0, sizeof(*out));
}

size_t peer_text(const struct peer *p, char out[PEER_TEXT_MAX])
{
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN];
	int n;

	*out = '\0';
	if (!p->known)
		return 0;
	inet_ntop(p->client.addr_len == 4 ? AF_INET : AF_INET6, p->client.addr, client,
		sizeof(client));
	inet_ntop(p->server.addr_len == 4 ? AF_INET : AF_INET6, p->server.addr, server,
		sizeof(server));
	n = snprintf(out, PEER_TEXT_MAX, "# tuple=%s,%u,%s,%u\n", client, p->client.port, server,
		p->server.port);
	return (size_t)n;
}
