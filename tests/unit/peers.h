/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/ssl.h>

#include "unit.h"

/*
 * Two real TLS endpoints (OpenSSL) in this process, joined by memory. What each sent is recorded in
 * the order in which it was sent, with its key log: what a tap and a key log would have seen.
 */
#define WIRE_MAX 1000000
#define TURNS_MAX 4096

struct turn {
	int dir; /* 0: the client sent it */
	uint32_t at;
	uint32_t len;
};

struct peers {
	SSL_CTX *ctx[2]; /* client, server */
	SSL *ssl[2];
	SSL_SESSION *session;
	uint8_t wire[2][WIRE_MAX];
	uint32_t wire_len[2];
	struct turn turn[TURNS_MAX];
	int turns;
	uint8_t said[2][WIRE_MAX]; /* application data */
	uint32_t said_len[2];
	char keylog[65536];
};

static struct peers *peers_now;

static inline void peers_keylog(const SSL *ssl, const char *line)
{
	strcat(peers_now->keylog, line);
	strcat(peers_now->keylog, "\n");
}

static inline void peers_certificate(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	name = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"peer", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_sign(x, key, EVP_sha256());
	ck_assert_int_eq(SSL_CTX_use_certificate(ctx, x), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(x);
	EVP_PKEY_free(key);
}

static inline int peers_new_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION_free(peers_now->session);
	peers_now->session = session;
	return 1;
}

/** @param version  TLS1_VERSION and so on; @param suites  both lists in one: OpenSSL takes what fits. */
static inline void peers_init(struct peers *p, int version, const char *suites)
{
	memset(p, 0, sizeof(*p));
	for (int i = 0; i < 2; i++) {
		p->ctx[i] = SSL_CTX_new(i ? TLS_server_method() : TLS_client_method());
		SSL_CTX_set_security_level(p->ctx[i], 0);
		SSL_CTX_set_min_proto_version(p->ctx[i], version);
		SSL_CTX_set_max_proto_version(p->ctx[i], version);
		if (version == TLS1_3_VERSION)
			ck_assert_int_eq(SSL_CTX_set_ciphersuites(p->ctx[i], suites), 1);
		else
			ck_assert_int_eq(SSL_CTX_set_cipher_list(p->ctx[i], suites), 1);
	}
	peers_certificate(p->ctx[1]);
	SSL_CTX_set_keylog_callback(p->ctx[0], peers_keylog);
	SSL_CTX_set_session_cache_mode(p->ctx[0], SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(p->ctx[0], peers_new_session);
}

static inline void peers_connect(struct peers *p)
{
	peers_now = p;
	p->wire_len[0] = p->wire_len[1] = p->said_len[0] = p->said_len[1] = 0;
	p->turns = 0;
	for (int i = 0; i < 2; i++) {
		if (p->ssl[i]) /* else OpenSSL takes the session for a broken one */
			SSL_set_shutdown(p->ssl[i], SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		SSL_free(p->ssl[i]);
		p->ssl[i] = SSL_new(p->ctx[i]);
		SSL_set_bio(p->ssl[i], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	}
	SSL_set_connect_state(p->ssl[0]);
	SSL_set_accept_state(p->ssl[1]);
	if (p->session)
		SSL_set_session(p->ssl[0], p->session);
}

/* Carry what one side has written to the other, and remember it. */
static inline void peers_carry(struct peers *p, int dir)
{
	uint8_t buf[16384];
	int n;

	while ((n = BIO_read(SSL_get_wbio(p->ssl[dir]), buf, sizeof(buf))) > 0) {
		ck_assert_int_lt(p->turns, TURNS_MAX);
		ck_assert_uint_lt(p->wire_len[dir] + (uint32_t)n, WIRE_MAX);
		memcpy(p->wire[dir] + p->wire_len[dir], buf, (size_t)n);
		p->turn[p->turns++] = (struct turn){ dir, p->wire_len[dir], (uint32_t)n };
		p->wire_len[dir] += (uint32_t)n;
		BIO_write(SSL_get_rbio(p->ssl[!dir]), buf, n);
	}
}

static inline void peers_shake(struct peers *p)
{
	for (int i = 0;
		i < 20 && !(SSL_is_init_finished(p->ssl[0]) && SSL_is_init_finished(p->ssl[1]));
		i++) {
		SSL_do_handshake(p->ssl[i & 1]);
		peers_carry(p, i & 1);
	}
	ck_assert(SSL_is_init_finished(p->ssl[0]) && SSL_is_init_finished(p->ssl[1]));
}

static inline void peers_say(struct peers *p, int dir, const void *data, size_t n)
{
	static uint8_t heard[WIRE_MAX];

	ck_assert_int_eq(SSL_write(p->ssl[dir], data, (int)n), (int)n);
	memcpy(p->said[dir] + p->said_len[dir], data, n);
	p->said_len[dir] += (uint32_t)n;
	peers_carry(p, dir);
	for (size_t got = 0; got < n;) {
		int rc = SSL_read(p->ssl[!dir], heard, sizeof(heard));

		ck_assert_int_gt(rc, 0);
		got += (size_t)rc;
	}
	peers_carry(p, !dir);
}

static inline void peers_fini(struct peers *p)
{
	for (int i = 0; i < 2; i++) {
		SSL_free(p->ssl[i]);
		SSL_CTX_free(p->ctx[i]);
	}
	SSL_SESSION_free(p->session);
}
