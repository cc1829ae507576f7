/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handshake as a bystander follows it: which version and suite were agreed, by what the secrets can
 * be found, when the keys change, and what the hellos and certificates say of the endpoints.
 */
#include "tls/negotiation.h"

#include "tls/ja3.h"
#include "tls/ja4.h"
#include "tls/kdf.h"
#include "tls/material.h"
#include "tls/secrets.h"

struct negotiation *negotiation_get(struct tls_env *env, struct session *s)
{
	if (!s->neg) {
		s->neg = pool_get(&env->handshakes);
		if (s->neg) {
			/* All but the large arrays, which have lengths of their own. */
			memset(s->neg, 0, offsetof(struct negotiation, transcript.hello));
			memset(&s->neg->meta, 0, offsetof(struct tls_meta, cert));
			s->neg->meta.chain_len = 0;
			s->neg->meta.client_cert = false;
		}
	}
	return s->neg;
}

static void text_of(char *out, size_t cap, struct rd r)
{
	size_t n = rd_left(&r) < cap - 1 ? rd_left(&r) : cap - 1;

	if (n)
		memcpy(out, r.p, n);
	out[n] = '\0';
}

/* A text that did not fit is no fingerprint. */
static void close_text(struct wr *w, char *text, char hash[JA3_HASH_SIZE])
{
	wr_u8(w, 0);
	if (w->full)
		text[0] = '\0';
	else
		ja3_hash(text, strlen(text), hash);
}

static void describe_client(struct tls_meta *m, const struct client_hello *h, bool prints)
{
	struct wr w = wr_init(m->ja3, sizeof(m->ja3));

	m->client_hello = true;
	m->early_data = h->early_data;
	memcpy(m->client_random, h->random, 32);
	text_of(m->sni, sizeof(m->sni), h->server_name);
	if (!prints)
		return;
	ja3_client(h, &w);
	close_text(&w, m->ja3, m->ja3_hash);
	ja4_client(h, m->ja4);
}

static void describe_server(struct tls_meta *m, const struct server_hello *h, bool prints)
{
	struct wr w = wr_init(m->ja3s, sizeof(m->ja3s));

	m->version = h->version;
	m->suite = h->suite;
	if (h->retry) {
		m->retry = true;
		return;
	}
	m->server_hello = true;
	m->ems = h->ems;
	m->etm = h->etm;
	m->resumed = h->psk;
	if (rd_left(&h->alpn))
		text_of(m->alpn, sizeof(m->alpn), h->alpn);
	if (!prints)
		return;
	ja3_server(h, &w);
	close_text(&w, m->ja3s, m->ja3s_hash);
}

static void transcript_add(struct transcript *t, uint16_t version, const void *data, size_t n)
{
	md_update(&t->md[0], data, n);
	if (version < TLS12)
		md_update(&t->md[1], data, n);
}

static void transcript_begin(struct transcript *t, const struct handshake_msg *msg)
{
	t->on = t->closed = false;
	t->hello_len = msg->raw_len <= sizeof(t->hello) ? (uint16_t)msg->raw_len : 0;
	memcpy(t->hello, msg->raw, t->hello_len);
}

/* The ServerHello tells whether and by which hash. */
static void transcript_choose(struct transcript *t, const struct session *s)
{
	const struct suite *suite = session_suite(s);

	t->on = s->neg->ems && suite && !version_is_13(s->version) && t->hello_len;
	if (!t->on)
		return;
	md_init(&t->md[0], s->version < TLS12 ? MD_MD5 : suite->prf);
	if (s->version < TLS12)
		md_init(&t->md[1], MD_SHA1);
	transcript_add(t, s->version, t->hello, t->hello_len);
}

static enum verdict client_hello(
	struct tls_env *env, struct session *s, const struct handshake_msg *msg)
{
	struct negotiation *neg = negotiation_get(env, s);
	struct client_hello h;

	if (!neg)
		return V_BUFFERS;
	TRY(hello_client(msg->body, &h));
	if (s->dir[C2S].epoch == EPOCH_DATA && !version_is_13(s->version))
		s->renegotiated = true;
	memcpy(s->client_random, h.random, 32);
	s->has_random = true;
	s->early_data = h.early_data;
	s->early_answered = s->early_accepted = false;
	s->dir[C2S].tried = s->dir[S2C].tried = 0;
	neg->client_session_len = (uint8_t)rd_left(&h.session_id);
	if (neg->client_session_len)
		memcpy(neg->client_session_id, h.session_id.p, neg->client_session_len);
	neg->has_epms = neg->has_new_ticket = neg->hello_done = false;
	neg->has_ticket = rd_left(&h.ticket) > 0;
	if (neg->has_ticket) {
		struct md md;

		md_init(&md, MD_SHA256);
		md_update(&md, h.ticket.p, rd_left(&h.ticket));
		md_final(&md, neg->ticket);
	}
	transcript_begin(&neg->transcript, msg);
	if (!neg->meta.client_hello && !s->renegotiated)
		describe_client(&neg->meta, &h, !env->printless);
	return V_OK;
}

/* Until its keys are known, a direction of TLS <= 1.2 has what they will be made from. */
static void keep_random(struct session *s, const uint8_t random[32])
{
	memcpy(s->neg->server_random, random, 32);
	for (int d = 0; d < 2; d++)
		if (!s->dir[d].known)
			memcpy(s->material[d].server_random, random, 32);
}

static enum verdict server_hello(
	struct tls_env *env, struct session *s, const struct handshake_msg *msg)
{
	struct negotiation *neg = negotiation_get(env, s);
	struct server_hello h;

	if (!neg)
		return V_BUFFERS;
	TRY(hello_server(msg->body, &h));
	if (!neg->meta.server_hello && !s->renegotiated)
		describe_server(&neg->meta, &h, !env->printless);
	s->version = h.version;
	s->suite_id = h.suite;
	s->retry = h.retry;
	if (version_is_13(h.version) && s->early_data)
		s->dir[C2S].epoch = EPOCH_EARLY;
	if (h.retry)
		return V_OK;
	keep_random(s, h.random);
	neg->ems = h.ems;
	s->etm = h.etm;
	s->compression = h.compression < 2 ? h.compression : 2;
	neg->server_session_len = (uint8_t)rd_left(&h.session_id);
	if (neg->server_session_len)
		memcpy(neg->server_session_id, h.session_id.p, neg->server_session_len);
	transcript_choose(&neg->transcript, s);
	if (version_is_13(h.version)) {
		s->dir[S2C].epoch = EPOCH_HANDSHAKE;
		s->dir[S2C].seq = 0;
		if (!s->early_data)
			s->dir[C2S].epoch = EPOCH_HANDSHAKE;
	}
	return V_OK;
}

/* RFC 8446, 4.3.1: of interest are the protocol chosen and the answer to 0-RTT. */
static enum verdict encrypted_extensions(struct session *s, struct rd body)
{
	struct rd list;

	TRY(rd_vec16(&body, &list));
	s->early_answered = true;
	while (rd_left(&list)) {
		struct rd ext, names, name;
		uint16_t type;

		TRY(rd_u16(&list, &type));
		TRY(rd_vec16(&list, &ext));
		s->early_accepted |= type == EXT_EARLY_DATA;
		if (type != EXT_ALPN || !s->neg)
			continue;
		TRY(rd_vec16(&ext, &names));
		TRY(rd_vec8(&names, &name));
		text_of(s->neg->meta.alpn, sizeof(s->neg->meta.alpn), name);
	}
	return V_OK;
}

/* The first certificate is the sender's own; a message that was cut may lack the last ones. */
static enum verdict certificate(
	const struct tls_env *env, const struct session *s, enum tls_dir d, struct rd body)
{
	struct tls_meta *m = &s->neg->meta;
	struct rd list, cert, skipped;
	uint32_t total;

	if (version_is_13(s->version))
		TRY(rd_vec8(&body, &skipped));
	TRY(rd_u24(&body, &total));
	list = rd_init(body.p, total < rd_left(&body) ? total : rd_left(&body));
	for (uint16_t n = 0; rd_left(&list); n++) {
		if (rd_vec24(&list, &cert) != V_OK)
			return V_OK;
		if (d == C2S) {
			m->client_cert = true;
			return V_OK;
		}
		if (!n && !env->printless && rd_left(&cert) <= META_CERT_MAX) {
			m->cert_len = (uint32_t)rd_left(&cert);
			memcpy(m->cert, cert.p, m->cert_len);
		}
		m->chain_len = (uint16_t)(n + 1);
		if (version_is_13(s->version) && rd_vec16(&list, &skipped) != V_OK)
			return V_OK;
	}
	return V_OK;
}

/* SSL 3.0 has no length before the encrypted premaster secret (RFC 6101, 5.6.7.1). */
static enum verdict client_key_exchange(struct tls_env *env, struct session *s, struct rd body)
{
	const struct suite *suite = session_suite(s);
	struct negotiation *neg = s->neg;

	neg->transcript.closed = neg->transcript.on;
	if (s->version != SSL3)
		rd_skip(&body, 2);
	if (suite && !strncmp(suite->name, "TLS_RSA_", 8))
		secrets_rsa(env, s, body);
	neg->has_epms = rd_copy(&body, neg->epms, 8) == V_OK;
	return V_OK;
}

static enum verdict new_session_ticket(struct session *s, struct rd body)
{
	struct rd ticket;
	struct md md;

	if (version_is_13(s->version))
		return V_OK;
	TRY(rd_skip(&body, 4));
	TRY(rd_vec16(&body, &ticket));
	md_init(&md, MD_SHA256);
	md_update(&md, ticket.p, rd_left(&ticket));
	md_final(&md, s->neg->new_ticket);
	s->neg->has_new_ticket = true;
	return V_OK;
}

static void next_epoch(struct tls_env *env, struct session *s, enum tls_dir d, enum epoch epoch)
{
	struct session_dir *dir = &s->dir[d];

	tls_env_release(env, dir, dir->lease);
	material_drop(env, s, d);
	dir->epoch = epoch;
	dir->seq = 0;
	dir->generation = 0;
	dir->tried = 0;
	dir->missing = V_OK;
	dir->opened = false;
}

static void key_update(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];
	struct record_keys keys;

	if (dir->epoch != EPOCH_DATA || !dir->known)
		return;
	tls_env_release(env, dir, dir->lease);
	dir->generation++;
	dir->seq = 0;
	material_get(env, s, d, &keys);
	kdf_traffic_update(keys.suite, keys.secret);
	kdf_traffic_keys(keys.suite, keys.version, keys.secret, &keys);
	material_put(env, s, d, &keys);
	key_cleanse(&keys, sizeof(keys));
}

/* Messages that only TLS 1.3 has, or has a second meaning for. */
static void message_13(struct tls_env *env, struct session *s, enum tls_dir d, uint8_t type)
{
	struct session_dir *dir = &s->dir[d];

	if (type == HS_FINISHED && dir->epoch == EPOCH_HANDSHAKE) {
		next_epoch(env, s, d, EPOCH_DATA);
		dir->settled = true;
	} else if (type == HS_END_OF_EARLY_DATA && dir->epoch == EPOCH_EARLY) {
		next_epoch(env, s, d, EPOCH_HANDSHAKE);
	} else if (type == HS_KEY_UPDATE) {
		key_update(env, s, d);
	}
}

static enum verdict dispatch(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct handshake_msg *msg)
{
	switch (msg->type) {
	case HS_CLIENT_HELLO:
		if (d != C2S)
			return V_TLS_HANDSHAKE;
		s->dir[C2S].hellos++;
		return client_hello(env, s, msg);
	case HS_SERVER_HELLO:
		if (d != S2C)
			return V_TLS_HANDSHAKE;
		s->dir[S2C].hellos++;
		return server_hello(env, s, msg);
	case HS_ENCRYPTED_EXTENSIONS:
		return version_is_13(s->version) ? encrypted_extensions(s, msg->body) : V_OK;
	case HS_CERTIFICATE:
		return s->neg ? certificate(env, s, d, msg->body) : V_OK;
	case HS_SERVER_HELLO_DONE:
		if (s->neg)
			s->neg->hello_done = true;
		return V_OK;
	case HS_CLIENT_KEY_EXCHANGE:
		return s->neg ? client_key_exchange(env, s, msg->body) : V_OK;
	case HS_NEW_SESSION_TICKET:
		return s->neg ? new_session_ticket(s, msg->body) : V_OK;
	default:
		return V_OK;
	}
}

enum verdict negotiation_message(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct handshake_msg *msg)
{
	enum verdict v;

	/* The ClientKeyExchange is the last message of the session hash. */
	if (s->neg && s->neg->transcript.on && !s->neg->transcript.closed && msg->type)
		transcript_add(&s->neg->transcript, s->version, msg->raw, msg->raw_len);
	v = dispatch(env, s, d, msg);
	if (v == V_OK && msg->type == HS_SERVER_HELLO && s->neg->transcript.on)
		transcript_add(&s->neg->transcript, s->version, msg->raw, msg->raw_len);
	if (version_is_13(s->version))
		message_13(env, s, d, msg->type);
	return v == V_SHORT ? V_TLS_HANDSHAKE : v;
}
