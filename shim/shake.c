/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One handshake, put together from what OpenSSL lets a guest see: the handshake messages, the key-log
 * lines, and the outputs of HKDF-Extract without a word on whose they are. The handshake secrets come
 * in the key log before the server's flight is written, so they prove which extract was this
 * connection's; from there the application secrets are derived ahead of OpenSSL. Where that cannot be
 * (a transcript that was not seen whole) its own words are handed on, later.
 */
#include "shim/shake.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "tls/hello.h"
#include "tls/opener.h"
#include "tls/suite.h"

enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, FINISHED = 20 };

void shake_init(struct shake *s, bool server)
{
	memset(s, 0, sizeof(*s));
	s->server = server;
	schedule_init(&s->schedule);
}

void shake_fini(struct shake *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
}

bool shake_begins(const struct shake *s, struct rd message)
{
	const uint8_t *random;
	uint8_t type;

	if (rd_u8(&message, &type) != V_OK || type != CLIENT_HELLO)
		return false;
	if (!s || !s->retried || rd_skip(&message, 3 + 2) != V_OK ||
		rd_bytes(&message, sizeof(s->random), &random) != V_OK)
		return true;
	return memcmp(random, s->random, sizeof(s->random)) != 0;
}

static void set(struct shake *s, enum key_label label, const uint8_t *data, size_t len)
{
	s->secret[label].len = (uint8_t)len;
	memcpy(s->secret[label].data, data, len);
}

static void set_pair(struct shake *s, enum key_label client, const struct schedule_pair *pair)
{
	size_t n = md_len(s->schedule.alg);

	set(s, client, pair->client, n);
	set(s, client + 1, pair->server, n);
}

/* The name comes from the peer: whatever could end a line, or look like another field, is not copied. */
static void set_sni(struct shake *s, struct rd name)
{
	size_t n = rd_left(&name);

	s->sni[0] = '\0';
	if (!n || n > SHAKE_SNI_MAX)
		return;
	for (size_t i = 0; i < n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f || name.p[i] == ',')
			return;
	memcpy(s->sni, name.p, n);
	s->sni[n] = '\0';
}

static void client_hello(struct shake *s, struct rd body)
{
	struct client_hello h;

	s->retried = false;
	if (hello_client(body, &h) != V_OK)
		return;
	s->has_random = true;
	memcpy(s->random, h.random, sizeof(s->random));
	set_sni(s, h.server_name);
}

static void server_hello(struct shake *s, struct rd body)
{
	const struct suite *suite;
	struct server_hello h;

	s->tls13 = false;
	if (hello_server(body, &h) != V_OK || h.version != TLS13)
		return;
	suite = suite_find(h.suite);
	if (!suite || (suite->prf != MD_SHA256 && suite->prf != MD_SHA384))
		return;
	s->tls13 = true;
	s->retried = h.retry;
	schedule_agree(&s->schedule, suite->prf);
	if (h.retry)
		schedule_retry(&s->schedule);
}

static unsigned finished(struct shake *s)
{
	struct schedule_pair pair;

	if (!s->proved || s->told)
		return 0;
	schedule_application(&s->schedule, s->handshake_secret, &pair);
	set_pair(s, KEY_CLIENT_TRAFFIC, &pair);
	OPENSSL_cleanse(&pair, sizeof(pair));
	OPENSSL_cleanse(s->handshake_secret, sizeof(s->handshake_secret));
	s->told = true;
	return SHAKE_READY;
}

unsigned shake_message(struct shake *s, bool sent, struct rd message)
{
	struct rd r = message, body;
	uint8_t type;

	if (rd_u8(&r, &type) != V_OK || rd_vec24(&r, &body) != V_OK || s->told)
		return 0;
	if (type == CLIENT_HELLO)
		client_hello(s, body);
	else if (type == SERVER_HELLO)
		server_hello(s, body);
	else if (!s->tls13)
		return 0;
	schedule_add(&s->schedule, message);
	return type == FINISHED && sent == s->server ? finished(s) : 0;
}

/* Is the extract the Handshake Secret that the logged secret was derived from? */
static void prove(
	struct shake *s, const struct keylog_line *line, const uint8_t *extract, size_t len)
{
	size_t n = md_len(s->schedule.alg);
	struct schedule_pair pair;

	if (s->proved || !s->tls13 || len != n || line->secret_len != n)
		return;
	schedule_handshake(&s->schedule, extract, &pair);
	if (CRYPTO_memcmp(line->label == KEY_CLIENT_HANDSHAKE ? pair.client : pair.server,
		    line->secret, n) == 0) {
		s->proved = true;
		memcpy(s->handshake_secret, extract, n);
		set_pair(s, KEY_CLIENT_HANDSHAKE, &pair);
	}
	OPENSSL_cleanse(&pair, sizeof(pair));
}

/* Take a secret of OpenSSL's. @return SHAKE_DISAGREES if another one was known. */
static unsigned take(struct shake *s, const struct keylog_line *line)
{
	const struct shake_secret *known = &s->secret[line->label];
	bool had = known->len != 0;

	if (had && known->len == line->secret_len &&
		CRYPTO_memcmp(known->data, line->secret, known->len) == 0)
		return 0;
	set(s, line->label, line->secret, line->secret_len);
	return had ? SHAKE_DISAGREES : 0;
}

/*
 * An application secret: agreed on, or if it could not be derived, handed on now. The second of the two
 * ends the handshake.
 */
static unsigned traffic(struct shake *s, const struct keylog_line *line)
{
	unsigned news = take(s, line);

	s->logged |= line->label == KEY_CLIENT_TRAFFIC ? 1 : 2;
	if (!s->told || news)
		news |= SHAKE_READY | SHAKE_LATE;
	return s->logged == 3 ? news | SHAKE_DONE : news;
}

unsigned shake_line(
	struct shake *s, const struct keylog_line *line, const uint8_t *extract, size_t len)
{
	if (line->id_kind != KEY_BY_RANDOM || line->generation || line->secret_len > MD_MAX ||
		line->label > KEY_SERVER_TRAFFIC)
		return 0;
	memcpy(s->random, line->id, sizeof(s->random));
	s->has_random = true;
	switch (line->label) {
	case KEY_MASTER:
		take(s, line);
		return SHAKE_READY | SHAKE_DONE;
	case KEY_CLIENT_EARLY:
		take(s, line);
		return s->server ? 0 : SHAKE_READY; /* 0-RTT data follows at once */
	case KEY_CLIENT_HANDSHAKE:
	case KEY_SERVER_HANDSHAKE:
		prove(s, line, extract, len);
		return take(s, line);
	default:
		return traffic(s, line);
	}
}

static void write_secret(struct wr *w, const struct shake *s, enum key_label label)
{
	static const char *const names[] = {
		[KEY_MASTER] = "CLIENT_RANDOM ",
		[KEY_CLIENT_EARLY] = "CLIENT_EARLY_TRAFFIC_SECRET ",
		[KEY_CLIENT_HANDSHAKE] = "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
		[KEY_SERVER_HANDSHAKE] = "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
		[KEY_CLIENT_TRAFFIC] = "CLIENT_TRAFFIC_SECRET_0 ",
		[KEY_SERVER_TRAFFIC] = "SERVER_TRAFFIC_SECRET_0 ",
	};
	char hex[2 * MD_MAX + 1];

	wr_str(w, names[label]);
	hex_encode(hex, s->random, sizeof(s->random));
	wr_str(w, hex);
	wr_str(w, " ");
	hex_encode(hex, s->secret[label].data, s->secret[label].len);
	wr_str(w, hex);
	wr_str(w, "\n");
	OPENSSL_cleanse(hex, sizeof(hex));
}

size_t shake_text(const struct shake *s, const struct peer *peer, const char *origin, char *out)
{
	struct wr w = wr_init(out, SHAKE_TEXT_MAX);
	char tuple[PEER_TEXT_MAX];
	size_t head;

	peer_text(peer, tuple);
	wr_str(&w, tuple);
	if (s->sni[0]) {
		wr_str(&w, "# sni=");
		wr_str(&w, s->sni);
		wr_str(&w, "\n");
	}
	wr_str(&w, "# origin=");
	wr_bytes(&w, origin, strnlen(origin, 128));
	wr_str(&w, "\n");
	head = wr_len(&w, out);
	for (int label = 0; label <= KEY_SERVER_TRAFFIC; label++)
		if (s->secret[label].len)
			write_secret(&w, s, (enum key_label)label);
	return w.full || wr_len(&w, out) == head ? 0 : wr_len(&w, out);
}
