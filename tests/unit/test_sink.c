/* SPDX-License-Identifier: BSD-3-Clause */
#include "sinks.h"

START_TEST(every_sink_is_complete)
{
	int n = 0;

	for (; sinks[n]; n++) {
		ck_assert(*sinks[n]->scheme && *sinks[n]->arg && *sinks[n]->help);
		ck_assert(sinks[n]->open && sinks[n]->close && sinks[n]->end);
		for (int i = 0; i < n; i++)
			ck_assert_str_ne(sinks[i]->scheme, sinks[n]->scheme);
	}
	ck_assert_int_eq(n, 6);
}
END_TEST

START_TEST(endpoints)
{
	struct conn conn = closed_conn(), other = closed_conn();
	struct conn_view v4 = view_of(&conn, 1), v6 = view_v6(&other, 2);
	char out[ENDPOINT_MAX];

	sink_endpoint(out, &v4.key, 0);
	ck_assert_str_eq(out, "192.0.2.1:443");
	sink_endpoint(out, &v6.key, 1);
	ck_assert_str_eq(out, "[2001:db8::2]:50002");
	memset(v6.key.addr, 0xab, sizeof(v6.key.addr));
	v6.key.port[0] = 65535;
	sink_endpoint(out, &v6.key, 0);
	ck_assert_str_eq(out, "[abab:abab:abab:abab:abab:abab:abab:abab]:65535");
}
END_TEST

START_TEST(client_is_the_hello_then_the_syn)
{
	struct conn c = closed_conn();

	c.client = 0;
	ck_assert_int_eq(sink_client(&c), 0);
	c.client = END_UNKNOWN;
	ck_assert_int_eq(sink_client(&c), 1);
	c.initiator = END_UNKNOWN;
	ck_assert_int_eq(sink_client(&c), 0);
}
END_TEST

UNIT_MAIN("sink", every_sink_is_complete, endpoints, client_is_the_hello_then_the_syn)
