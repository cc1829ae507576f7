/* SPDX-License-Identifier: BSD-3-Clause */
#include "rfc8448.h"

#include <stdio.h>

#include "base/hex.h"
#include "shim/shake.h"

static struct shake s;
static uint8_t bytes[4096], secret[32], other[32];
static const struct peer nobody;
static const char *const names[] = { "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
	"SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0" };

static struct keylog_line line_of(const char *label, const char *value)
{
	struct keylog_line line;
	char text[400], hex[65];

	hex_encode(hex, s.random, 32);
	snprintf(text, sizeof(text), "%s %s %s", label, hex, value);
	ck_assert_int_eq(keylog_parse(text, strlen(text), &line), V_OK);
	return line;
}

static unsigned say(const char *label, const char *value, const uint8_t *extract)
{
	struct keylog_line line = line_of(label, value);

	return shake_line(&s, &line, extract, 32);
}

static bool told(const char *label, const char *value)
{
	char text[SHAKE_TEXT_MAX + 1], want[400], hex[65];

	text[shake_text(&s, &nobody, "host/1", text)] = '\0';
	hex_encode(hex, s.random, 32);
	snprintf(want, sizeof(want), "%s %s %s\n", label, hex, value);
	return strstr(text, want) != NULL;
}

/* A trace until the server's Finished; the key log speaks after ServerHello. @return what came. */
static unsigned run(const struct rfc8448 *t, bool server, const uint8_t *extract)
{
	struct rd r = rd_init(bytes, unhex(bytes, t->messages)), message;
	unsigned news = 0;

	unhex(secret, t->handshake_secret);
	shake_init(&s, server);
	while (rfc8448_next(&r, &message)) {
		bool client = message.p[0] == 1;

		ck_assert_uint_eq(news, 0);
		ck_assert_int_eq(shake_begins(&s, message), client && !s.retried);
		news = shake_message(&s, client ? !server : server, message);
		if (message.p[0] == 2 && !s.retried)
			ck_assert_uint_eq(say(names[1], t->handshake[1], extract), 0);
	}
	return news;
}

START_TEST(both_sides_of_both_traces)
{
	for (int i = 0; i < 4; i++) {
		const struct rfc8448 *t = &rfc8448[i / 2];

		ck_assert_uint_eq(run(t, i & 1, secret), SHAKE_READY);
		ck_assert_str_eq(s.sni, "server");
		for (int k = 0; k < 2; k++) {
			ck_assert(told(names[k], t->handshake[k]));
			ck_assert(told(names[2 + k], t->application[k]));
		}
		ck_assert_uint_eq(say(names[0], t->handshake[0], other), 0);
		ck_assert_uint_eq(say(names[3], t->application[1], other), 0);
		ck_assert_uint_eq(say(names[2], t->application[0], other), SHAKE_DONE);
		shake_fini(&s);
	}
}
END_TEST

/* The extract was another connection's, or none was seen: what OpenSSL says is handed on. */
START_TEST(late)
{
	const struct rfc8448 *t = &rfc8448[0];

	ck_assert_uint_eq(run(t, true, other), 0);
	ck_assert_uint_eq(say(names[3], t->application[1], other), SHAKE_READY | SHAKE_LATE);
	ck_assert(told(names[1], t->handshake[1]));
	ck_assert(told(names[3], t->application[1]));
	ck_assert(!told(names[2], t->application[0]));
	ck_assert_uint_eq(
		say(names[2], t->application[0], other), SHAKE_READY | SHAKE_LATE | SHAKE_DONE);
	ck_assert(told(names[2], t->application[0]));
}
END_TEST

START_TEST(disagreement)
{
	const struct rfc8448 *t = &rfc8448[0];

	run(t, true, secret);
	ck_assert_uint_eq(say(names[3], t->application[0], other),
		SHAKE_READY | SHAKE_LATE | SHAKE_DISAGREES);
	ck_assert(told(names[3], t->application[0]));
	ck_assert(!told(names[3], t->application[1]));
}
END_TEST

START_TEST(master_and_early)
{
	char master[97];

	memset(master, 'a', 96);
	master[96] = '\0';
	shake_init(&s, true); /* a ClientHello of SSL 2 is not shown */
	memset(s.random, 7, 32);
	ck_assert_uint_eq(say("CLIENT_RANDOM", master, other), SHAKE_READY | SHAKE_DONE);
	ck_assert(told("CLIENT_RANDOM", master));
	for (int server = 0; server < 2; server++) {
		shake_init(&s, server);
		ck_assert_uint_eq(
			say("CLIENT_EARLY_TRAFFIC_SECRET", rfc8448[0].handshake[0], other),
			server ? 0 : SHAKE_READY);
		ck_assert(told("CLIENT_EARLY_TRAFFIC_SECRET", rfc8448[0].handshake[0]));
	}
}
END_TEST

START_TEST(of_no_use)
{
	static const struct keylog_line exporter = { .label = KEY_UNUSED };
	struct keylog_line premaster = { .label = KEY_PREMASTER, .secret_len = 48 };
	struct keylog_line next;
	char text[SHAKE_TEXT_MAX];

	shake_init(&s, true);
	next = line_of("CLIENT_TRAFFIC_SECRET_1", rfc8448[0].handshake[0]);
	ck_assert_uint_eq(shake_line(&s, &exporter, other, 32), 0);
	ck_assert_uint_eq(shake_line(&s, &premaster, other, 32), 0);
	ck_assert_uint_eq(shake_line(&s, &next, other, 32), 0);
	ck_assert_uint_eq(shake_text(&s, &nobody, "host/1", text), 0);
}
END_TEST

/* A name that would be a line of its own, or another comment, is left out; the rest is not. */
START_TEST(hostile_names)
{
	static const char bad[][8] = { "a\nCLIEN", "a\0bcdef", "abc de", "abc,de",
		"\xc3\xa4\xc3\xa4zz",
		"abcd\x7f"
		"e" };
	uint8_t *hello = bytes;
	size_t at = 0;

	unhex(bytes, rfc8448_simple);
	while (memcmp(hello + at, "server", 6) != 0)
		at++;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		memcpy(hello + at, bad[i], 6);
		shake_init(&s, true);
		shake_message(&s, false, rd_init(hello, 196));
		ck_assert(s.has_random);
		ck_assert_str_eq(s.sni, "");
	}
	memcpy(hello + at, "a.b-_c", 6);
	shake_message(&s, false, rd_init(hello, 196));
	ck_assert_str_eq(s.sni, "a.b-_c");
}
END_TEST

/* Messages cut short and damaged at every byte: no secret is derived that OpenSSL would not name. */
START_TEST(damaged)
{
	const struct rfc8448 *t = &rfc8448[0];
	size_t n = unhex(bytes, t->messages);

	unhex(secret, t->handshake_secret);
	for (size_t at = 0; at < n; at++) {
		struct rd r, message;
		unsigned news = 0;

		unhex(bytes, t->messages);
		r = rd_init(bytes, n);
		shake_init(&s, true);
		while (rfc8448_next(&r, &message)) {
			uint8_t *copy = malloc(rd_left(&message));
			size_t len = rd_left(&message), from = (size_t)(message.p - bytes);

			memcpy(copy, message.p, len);
			if (at >= from && at < from + len) {
				shake_message(&s, false, rd_init(copy, at - from));
				copy[at - from] ^= 0x55;
			}
			news |= shake_message(&s, copy[0] != 1, rd_init(copy, len));
			if (message.p[0] == 2)
				say(names[1], t->handshake[1], secret);
			free(copy);
		}
		ck_assert(!news || !told(names[2], t->application[0]));
		shake_fini(&s);
	}
}
END_TEST

UNIT_MAIN("shake", both_sides_of_both_traces, late, disagreement, master_and_early, of_no_use,
	hostile_names, damaged)
