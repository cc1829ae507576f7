/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <stdio.h>

#include "keys/keylog.h"

#define B8 "0123456789abcdef"
#define B16 B8 B8
#define B32 B16 B16
#define B48 B32 B16

static struct keylog_line l;

/* Exactly the bytes, so that a sanitizer sees a read beyond the end. */
static enum verdict parse_n(const char *s, size_t n)
{
	char *exact = malloc(n ? n : 1);
	enum verdict v;

	memcpy(exact, s, n);
	v = keylog_parse(exact, n, &l);
	free(exact);
	return v;
}

static enum verdict parse(const char *s)
{
	return parse_n(s, strlen(s));
}

static void expect(
	const char *s, enum key_label label, enum key_id kind, size_t id_len, size_t secret_len)
{
	ck_assert_msg(parse(s) == V_OK, "%s", s);
	ck_assert_int_eq(l.label, label);
	ck_assert_int_eq(l.id_kind, kind);
	ck_assert_uint_eq(l.id_len, id_len);
	ck_assert_uint_eq(l.secret_len, secret_len);
	for (size_t i = 0; i < sizeof(l.id); i++)
		ck_assert_uint_eq(l.id[i], i < id_len ? 0x01 + 0x22 * (i % 8) : 0);
	for (size_t i = 0; i < secret_len; i++)
		ck_assert_uint_eq(l.secret[i], 0x01 + 0x22 * (i % 8));
}

START_TEST(every_label)
{
	expect("CLIENT_RANDOM " B32 " " B48, KEY_MASTER, KEY_BY_RANDOM, 32, 48);
	expect("CLIENT_EARLY_TRAFFIC_SECRET " B32 " " B32, KEY_CLIENT_EARLY, KEY_BY_RANDOM, 32, 32);
	expect("CLIENT_HANDSHAKE_TRAFFIC_SECRET " B32 " " B48, KEY_CLIENT_HANDSHAKE, KEY_BY_RANDOM,
		32, 48);
	expect("SERVER_HANDSHAKE_TRAFFIC_SECRET " B32 " " B32, KEY_SERVER_HANDSHAKE, KEY_BY_RANDOM,
		32, 32);
	expect("CLIENT_TRAFFIC_SECRET_0 " B32 " " B32, KEY_CLIENT_TRAFFIC, KEY_BY_RANDOM, 32, 32);
	ck_assert_uint_eq(l.generation, 0);
	expect("SERVER_TRAFFIC_SECRET_17 " B32 " " B48, KEY_SERVER_TRAFFIC, KEY_BY_RANDOM, 32, 48);
	ck_assert_uint_eq(l.generation, 17);
	expect("PMS_CLIENT_RANDOM " B32 " " B48, KEY_PREMASTER, KEY_BY_RANDOM, 32, 48);
	expect("PMS_CLIENT_RANDOM " B32 " 01", KEY_PREMASTER, KEY_BY_RANDOM, 32, 1);
	expect("RSA " B8 " " B48, KEY_PREMASTER, KEY_BY_EPMS, 8, 48);
	expect("RSA Session-ID:" B32 " Master-Key:" B48, KEY_MASTER, KEY_BY_SESSION_ID, 32, 48);
	expect("RSA Session-ID:01 Master-Key:" B48, KEY_MASTER, KEY_BY_SESSION_ID, 1, 48);
}
END_TEST

START_TEST(layout_and_case)
{
	expect("\t CLIENT_RANDOM  \t" B32 "   " B48 " \t\r", KEY_MASTER, KEY_BY_RANDOM, 32, 48);
	expect("RSA 0123456789ABCDEF " B48, KEY_PREMASTER, KEY_BY_EPMS, 8, 48);
	ck_assert_int_eq(parse("client_random " B32 " " B48), V_KEY_LABEL);
}
END_TEST

START_TEST(nothing_to_use)
{
	const char *lines[] = { "", " ", "\r", "# CLIENT_RANDOM " B32 " " B48, "  # x", "#",
		"EXPORTER_SECRET " B32 " " B32, "ECH_SECRET 00 11", "ECH_CONFIG 00 11",
		"EARLY_EXPORTER_SECRET " B32 " " B32, "QUIC_SERVER_TRAFFIC_SECRET_0 " B32 " " B32 };

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		ck_assert_msg(parse(lines[i]) == V_MORE, "%s", lines[i]);
	ck_assert_int_eq(keylog_parse(NULL, 0, &l), V_MORE);
}
END_TEST

START_TEST(refuses)
{
	static const struct {
		const char *line;
		enum verdict why;
	} bad[] = {
		{ "CLIENT_RANDOM2 " B32 " " B48, V_KEY_LABEL },
		{ "CLIENT_TRAFFIC_SECRET_ " B32 " " B32, V_KEY_LABEL },
		{ "CLIENT_TRAFFIC_SECRET_x " B32 " " B32, V_KEY_LABEL },
		{ "CLIENT_TRAFFIC_SECRET_65536 " B32 " " B32, V_KEY_LABEL },
		{ "CLIENT_TRAFFIC_SECRET_99999999999999999999 " B32 " " B32, V_KEY_LABEL },
		{ "\x7f"
		  "ELF",
			V_KEY_LABEL },
		{ "CLIENT_RANDOM", V_KEY_LEN },
		{ "CLIENT_RANDOM " B32, V_KEY_LEN },
		{ "CLIENT_RANDOM " B32 " " B48 " x", V_KEY_LEN },
		{ "CLIENT_RANDOM " B32 " " B48 "0", V_KEY_LEN },
		{ "CLIENT_RANDOM " B32 " " B48 "00", V_KEY_LEN },
		{ "CLIENT_RANDOM " B32 "00 " B48, V_KEY_LEN },
		{ "CLIENT_RANDOM " B16 " " B48, V_KEY_LEN },
		{ "CLIENT_RANDOM " B32 " " B32, V_KEY_LEN },
		{ "CLIENT_TRAFFIC_SECRET_0 " B32 " " B32 B8, V_KEY_LEN },
		{ "CLIENT_TRAFFIC_SECRET_0 " B32 " " B16, V_KEY_LEN },
		{ "CLIENT_TRAFFIC_SECRET_0 " B32 " " B48 B16, V_KEY_LEN },
		{ "RSA " B16 " " B48, V_KEY_LEN },
		{ "RSA Session-ID: Master-Key:" B48, V_KEY_LEN },
		{ "RSA Session-ID:" B32 "00 Master-Key:" B48, V_KEY_LEN },
		{ "RSA Session-ID:" B32 " Master-Key:" B32, V_KEY_LEN },
		{ "RSA Session-ID:" B32 " " B48, V_KEY_LEN },
		{ "PMS_CLIENT_RANDOM " B32 " ", V_KEY_LEN },
		{ "CLIENT_RANDOM " B16 B8 "0123456789abcdeg " B48, V_KEY_HEX },
		{ "CLIENT_RANDOM " B32 " " B32 B8 "g123456789abcdef", V_KEY_HEX },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(parse(bad[i].line) == bad[i].why, "%s", bad[i].line);
	/* What was decoded before the bad digit does not stay behind. */
	for (size_t i = 0; i < sizeof(l.secret); i++)
		ck_assert_uint_eq(l.secret[i], 0);
}
END_TEST

START_TEST(longest_premaster)
{
	char line[4000];
	int head = sprintf(line, "PMS_CLIENT_RANDOM " B32 " ");

	memset(line + head, 'a', 2 * KEYLOG_SECRET_MAX + 2);
	ck_assert_int_eq(parse_n(line, (size_t)head + 2 * KEYLOG_SECRET_MAX), V_OK);
	ck_assert_uint_eq(l.secret_len, KEYLOG_SECRET_MAX);
	ck_assert_int_eq(parse_n(line, (size_t)head + 2 * KEYLOG_SECRET_MAX + 2), V_KEY_LEN);
}
END_TEST

START_TEST(cut_and_flipped)
{
	char line[] = "SERVER_TRAFFIC_SECRET_0 " B32 " " B48;
	size_t n = sizeof(line) - 1;

	/* Cut after 32 bytes of the secret it is a well-formed, shorter one: no one can tell. */
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(parse_n(line, i) == V_OK, i == n - 32);
	for (size_t i = 0; i < n; i++) {
		line[i] ^= 0x80;
		ck_assert_int_ne(parse_n(line, n), V_OK);
		line[i] ^= 0x80;
	}
}
END_TEST

UNIT_MAIN("keylog", every_label, layout_and_case, nothing_to_use, refuses, longest_premaster,
	cut_and_flipped)
