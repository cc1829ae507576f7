/* SPDX-License-Identifier: BSD-3-Clause */
#include "keybus/cli/group.h"

#include <stdio.h>

#include "unit.h"

static struct sent {
	int n;
	uint8_t id;
	char text[20000];
} sent;

static void on_send(void *arg, const uint8_t client_random[32], const char *text, size_t len)
{
	sent.n++;
	sent.id = client_random[31];
	memcpy(sent.text, text, len);
	sent.text[len] = '\0';
}

static const char *line(const char *label, unsigned id, int secret)
{
	static char text[4][256];
	static int i;
	int n;

	i = (i + 1) % 4;
	n = sprintf(text[i], "%s ", label);
	for (int b = 0; b < 32; b++)
		n += sprintf(text[i] + n, "%02x", b < 30 ? 0 : b == 30 ? id >> 8 & 255 : id & 255);
	sprintf(text[i] + n, " %064d\n", secret);
	return text[i];
}

static void add(struct group *g, const char *text)
{
	ck_assert_uint_eq(group_add(g, text, strlen(text)), strlen(text));
}

/* What comes later is sent together with what was there before; what is the same is not sent again. */
START_TEST(accumulates)
{
	struct group *g;
	char want[1024];

	ck_assert_int_eq(group_new(&g, on_send, NULL), 0);
	add(g, line("CLIENT_HANDSHAKE_TRAFFIC_SECRET", 1, 1));
	add(g, line("CLIENT_TRAFFIC_SECRET_0", 2, 2));
	ck_assert_int_eq(sent.n, 0);
	group_flush(g);
	ck_assert_int_eq(sent.n, 2);
	add(g, "# sni=a\n");
	group_flush(g);
	ck_assert_int_eq(sent.n, 2); /* a comment belongs to the next line */
	add(g, line("CLIENT_TRAFFIC_SECRET_0", 1, 3));
	group_flush(g);
	ck_assert_int_eq(sent.n, 3);
	snprintf(want, sizeof(want), "%s# sni=a\n%s", line("CLIENT_HANDSHAKE_TRAFFIC_SECRET", 1, 1),
		line("CLIENT_TRAFFIC_SECRET_0", 1, 3));
	ck_assert_str_eq(sent.text, want);
	add(g, line("CLIENT_TRAFFIC_SECRET_0", 1, 3));
	group_flush(g);
	ck_assert_int_eq(sent.n, 3);
	group_free(g);
}
END_TEST

START_TEST(whole_lines_only)
{
	struct group *g;
	char text[300];

	ck_assert_int_eq(group_new(&g, on_send, NULL), 0);
	strcpy(text, line("CLIENT_TRAFFIC_SECRET_0", 1, 1));
	for (size_t n = 0; n < strlen(text); n++)
		ck_assert_uint_eq(group_add(g, text, n), 0);
	ck_assert_uint_eq(group_add(g, text, strlen(text)), strlen(text));
	group_flush(g);
	ck_assert_int_eq(sent.n, 1);
	group_free(g);
}
END_TEST

/* Who is pushed out is sent first. */
START_TEST(many_connections)
{
	struct group *g;

	ck_assert_int_eq(group_new(&g, on_send, NULL), 0);
	for (unsigned i = 0; i < GROUP_MAX + 100; i++)
		add(g, line("CLIENT_TRAFFIC_SECRET_0", i, (int)i));
	ck_assert_int_eq(sent.n, 100);
	ck_assert_uint_eq(sent.id, 99);
	group_flush(g);
	ck_assert_int_eq(sent.n, GROUP_MAX + 100);
	group_free(g);
}
END_TEST

START_TEST(of_no_use)
{
	struct group *g;
	char text[600];

	ck_assert_int_eq(group_new(&g, on_send, NULL), 0);
	add(g, "\n#\nnonsense\nCLIENT_RANDOM 00 11\n");
	memset(text, 'a', sizeof(text));
	strcpy(text, "RSA Session-ID:0011 Master-Key:");
	memset(text + strlen(text), '0', 96);
	strcpy(text + 31 + 96, "\n");
	add(g, text);
	group_flush(g);
	ck_assert_int_eq(sent.n, 0);
	ck_assert_uint_eq(group_skipped(g), 3);
	group_free(g);
}
END_TEST

UNIT_MAIN("group", accumulates, whole_lines_only, many_connections, of_no_use)
