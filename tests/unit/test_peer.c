/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim/peer.h"

static char text[PEER_TEXT_MAX];

START_TEST(longest_text_is_read_back)
{
	struct peer p = { .known = true, .client = { .addr_len = 16, .port = 65535 } };
	struct tuple_scope scope = { 0 };
	struct key_name name;
	size_t n;

	memset(p.client.addr, 0xfe, 16);
	p.server = p.client;
	p.server.addr[15] = 1;
	n = peer_text(&p, text);
	ck_assert_uint_eq(n, strlen(text));
	ck_assert_uint_lt(n, PEER_TEXT_MAX);
	ck_assert_int_eq(text[n - 1], '\n');
	tuple_comment(&scope, text, n - 1);
	ck_assert(scope.bound);
	name = tuple_name(&p.client, &p.server);
	ck_assert_mem_eq(&scope.name, &name, sizeof(name));
}
END_TEST

START_TEST(nothing_to_know)
{
	int pair[2], file = open("/dev/null", O_RDONLY), fresh = socket(AF_INET, SOCK_STREAM, 0);
	struct peer p;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (int i = 0; i < 5; i++) {
		memset(&p, 0xff, sizeof(p));
		peer_of(&p, (const int[]){ -1, 10000, file, fresh, pair[0] }[i], true);
		ck_assert(!p.known);
		ck_assert_uint_eq(peer_text(&p, text), 0);
		ck_assert_str_eq(text, "");
	}
	close(pair[0]);
	close(pair[1]);
	close(file);
	close(fresh);
}
END_TEST

UNIT_MAIN("peer", longest_text_is_read_back, nothing_to_know)
