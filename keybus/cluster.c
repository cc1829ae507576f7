/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The map of a cluster is hearsay: every node tells its own, and corrects us when we ask the wrong one.
 * Hosts, ports and slots in answers are checked like any input.
 */
#include "keybus/cluster.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"

#define ASK_NS 1000000000ull
#define NOBODY 0xff

void cluster_init(struct cluster *c, const struct uri *seeds, int n)
{
	memset(c->owner, NOBODY, sizeof(c->owner));
	memcpy(c->node, seeds, (size_t)n * sizeof(*seeds));
	c->n = n;
	c->loaded = false;
	c->asked_ns = 0;
}

/* CRC-16/XMODEM: polynomial 0x1021, not reflected, starting from 0. */
static uint16_t crc16(const char *s, size_t n)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc ^= (uint16_t)((uint8_t)s[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return crc;
}

uint16_t cluster_slot(const uint8_t client_random[32])
{
	char hex[65];

	hex_encode(hex, client_random, 32);
	return crc16(hex, 64) % CLUSTER_SLOTS;
}

int cluster_owner(const struct cluster *c, uint16_t slot)
{
	int node = c->owner[slot % CLUSTER_SLOTS];

	return node < c->n ? node : slot % c->n;
}

/* Its number, perhaps a new one. @return -1: no room, or it is no address. */
static int find_node(struct cluster *c, const char *host, size_t host_len, long long port, int from)
{
	struct uri u = c->node[from];

	if (host_len >= sizeof(u.host) || memchr(host, '\0', host_len) || port < 1 || port > 65535)
		return -1;
	if (host_len) { /* else the one that we asked */
		memcpy(u.host, host, host_len);
		u.host[host_len] = '\0';
	}
	snprintf(u.port, sizeof(u.port), "%d", (int)port);
	for (int i = 0; i < c->n; i++)
		if (!strcmp(c->node[i].host, u.host) && !strcmp(c->node[i].port, u.port))
			return i;
	if (c->n == CLUSTER_NODES)
		return -1;
	c->node[c->n] = u;
	return c->n++;
}

static bool is_slot(const redisReply *r)
{
	return r->type == REDIS_REPLY_INTEGER && r->integer >= 0 && r->integer < CLUSTER_SLOTS;
}

/* [first slot, last slot, [host, port, ...] of the master, replicas...] */
static void load_range(struct cluster *c, const redisReply *r, int from)
{
	const redisReply *master;
	int node;

	if (r->type != REDIS_REPLY_ARRAY || r->elements < 3 || !is_slot(r->element[0]) ||
		!is_slot(r->element[1]) || r->element[2]->type != REDIS_REPLY_ARRAY ||
		r->element[2]->elements < 2)
		return;
	master = r->element[2];
	if (master->element[1]->type != REDIS_REPLY_INTEGER)
		return;
	if (master->element[0]->type == REDIS_REPLY_STRING)
		node = find_node(c, master->element[0]->str, master->element[0]->len,
			master->element[1]->integer, from);
	else
		node = find_node(c, "", 0, master->element[1]->integer, from);
	for (long long s = r->element[0]->integer; node >= 0 && s <= r->element[1]->integer; s++)
		c->owner[s] = (uint8_t)node;
}

bool cluster_load(struct cluster *c, const redisReply *r, int from)
{
	if (r->type != REDIS_REPLY_ARRAY || !r->elements)
		return false;
	memset(c->owner, NOBODY, sizeof(c->owner));
	for (size_t i = 0; i < r->elements; i++)
		load_range(c, r->element[i], from);
	c->loaded = true;
	return true;
}

/* Decimal digits up to `end`. */
static bool number(struct rd *r, char end, long long *out)
{
	uint8_t c;

	for (*out = 0; rd_u8(r, &c) == V_OK && c != (uint8_t)end;) {
		if (c < '0' || c > '9' || *out > 99999)
			return false;
		*out = *out * 10 + c - '0';
	}
	return true;
}

bool cluster_follow(struct cluster *c, const redisReply *r, int from, struct cluster_redirect *out)
{
	struct rd rd = rd_init(r->str, r->len), tail;
	const uint8_t *colon;
	long long slot, port;
	bool moved = r->len > 6 && !memcmp(r->str, "MOVED ", 6);

	if (r->type != REDIS_REPLY_ERROR ||
		(!moved && (r->len <= 4 || memcmp(r->str, "ASK ", 4) != 0)))
		return false;
	rd.p += moved ? 6 : 4;
	if (!number(&rd, ' ', &slot) || slot >= CLUSTER_SLOTS || !rd_left(&rd))
		return false;
	colon = memrchr(rd.p, ':', rd_left(&rd));
	if (!colon)
		return false;
	tail = rd_init(colon + 1, (size_t)(rd.end - colon - 1));
	if (!number(&tail, '\0', &port))
		return false;
	out->node = find_node(c, (const char *)rd.p, (size_t)(colon - rd.p), port, from);
	out->slot = (uint16_t)slot;
	out->ask = !moved;
	if (out->node >= 0 && moved)
		c->owner[slot] = (uint8_t)out->node;
	return out->node >= 0;
}

bool cluster_wants_map(struct cluster *c, uint64_t now_ns, bool doubtful)
{
	if ((c->loaded && !doubtful) || (c->asked_ns && now_ns - c->asked_ns < ASK_NS))
		return false;
	c->asked_ns = now_ns;
	return true;
}
