/* SPDX-License-Identifier: BSD-3-Clause */
#include "hellos.h"
#include "tls/kdf.h"
#include "tls/material.h"
#include "tlsenv.h"

#define SNI "0000 000c 000a 00 0007 612e 7465 7374 78" /* a.testx */
#define EMS "0017 0000"
#define EARLY "002a 0000"
#define IS_13 "002b 0002 0304"

static struct tlsenv t;
static struct session *s;

static void start(void)
{
	struct tls_env_cfg cfg = tlsenv_cfg();

	tlsenv_init(&t, &cfg);
	s = session_new(t.env);
}

static void stop(void)
{
	session_free(t.env, s);
	tlsenv_fini(&t);
}

/* One message, in memory of exactly its size; @p len as the header says, @p have of it are there. */
static enum verdict give(enum tls_dir d, uint8_t type, const uint8_t *body, uint32_t len)
{
	uint8_t *raw = malloc(len + 4);
	struct handshake_msg msg = { .type = type, .len = len, .raw = raw, .raw_len = len + 4 };
	enum verdict v;

	put_be32(raw, (uint32_t)type << 24 | len);
	memcpy(raw + 4, body, len);
	msg.body = rd_init(raw + 4, len);
	v = negotiation_message(t.env, s, d, &msg);
	free(raw);
	return v;
}

static enum verdict give_hex(enum tls_dir d, uint8_t type, const char *hex)
{
	static uint8_t body[65536];

	return give(d, type, body, (uint32_t)unhex(body, hex));
}

static enum verdict client_hello(const char *session_id, const char *exts)
{
	const struct hello_parts parts = { TLS12, session_id, "1301 c02f", exts };
	uint8_t body[1024];

	return give(C2S, HS_CLIENT_HELLO, body, (uint32_t)hello_put(body, sizeof(body), &parts));
}

/* @param random  One byte, 32 times. */
static size_t server_body(uint8_t *out, const char *random, const char *suite, const char *exts)
{
	struct wr w = wr_init(out, 1024);
	uint8_t tmp[64];

	wr_u16(&w, TLS12);
	for (int i = 0; i < 32; i++)
		wr_bytes(&w, tmp, unhex(tmp, random));
	wr_u8(&w, 2);
	wr_u16(&w, 0xabcd);
	wr_bytes(&w, tmp, unhex(tmp, suite));
	wr_u8(&w, 0);
	put_hex16(&w, exts);
	return wr_len(&w, out);
}

static enum verdict server_hello(const char *suite, const char *exts)
{
	uint8_t body[1024];

	return give(S2C, HS_SERVER_HELLO, body, (uint32_t)server_body(body, "5e", suite, exts));
}

START_TEST(hellos_say_what_was_agreed)
{
	start();
	ck_assert_int_eq(client_hello("0102", SNI), V_OK);
	ck_assert(s->has_random && s->client_random[31] == 31);
	ck_assert_uint_eq(s->version, 0);
	ck_assert_str_eq(s->neg->meta.sni, "a.testx");
	ck_assert_uint_eq(s->neg->client_session_len, 2);
	ck_assert_int_eq(server_hello("c02f", "0017 0000 0016 0000 0010 0005 0003 02 6832"), V_OK);
	ck_assert_uint_eq(s->version, TLS12);
	ck_assert_uint_eq(session_suite(s)->id, 0xc02f);
	ck_assert(s->etm && s->neg->ems && s->neg->meta.etm && s->neg->meta.ems);
	ck_assert_str_eq(s->neg->meta.alpn, "h2");
	ck_assert_uint_eq(s->neg->server_random[9], 0x5e);
	ck_assert_mem_eq(s->material[C2S].server_random, s->neg->server_random, 32);
	ck_assert_mem_eq(s->material[S2C].server_random, s->neg->server_random, 32);
	ck_assert_uint_eq(s->dir[C2S].epoch, EPOCH_CLEAR); /* until ChangeCipherSpec */
	ck_assert_uint_eq(s->dir[S2C].epoch, EPOCH_CLEAR);
	ck_assert_int_eq(server_hello("0abc", ""), V_OK); /* a suite that is not in the table */
	ck_assert_ptr_null(session_suite(s));
	ck_assert_uint_eq(s->suite_id, 0x0abc);
	stop();
}
END_TEST

START_TEST(hellos_of_the_wrong_side)
{
	uint8_t body[1024];
	const struct hello_parts parts = { TLS12, "", "1301", NULL };
	uint32_t n = (uint32_t)hello_put(body, sizeof(body), &parts);

	start();
	ck_assert_int_eq(give(S2C, HS_CLIENT_HELLO, body, n), V_TLS_HANDSHAKE);
	ck_assert_int_eq(give(C2S, HS_SERVER_HELLO, body, n), V_TLS_HANDSHAKE);
	ck_assert(!s->has_random && !s->version && !s->neg);
	stop();
}
END_TEST

START_TEST(no_room_for_another_handshake)
{
	struct session *other;

	start();
	ck_assert_int_eq(client_hello("", ""), V_OK);
	other = s;
	s = session_new(t.env);
	ck_assert_int_eq(client_hello("", ""), V_BUFFERS);
	ck_assert_int_eq(server_hello("1301", IS_13), V_BUFFERS);
	ck_assert_int_eq(give_hex(S2C, HS_CERTIFICATE, "000000"), V_OK); /* nobody to tell */
	ck_assert_int_eq(give_hex(C2S, HS_CLIENT_KEY_EXCHANGE, "0001 00"), V_OK);
	ck_assert_int_eq(give_hex(S2C, HS_NEW_SESSION_TICKET, "00000000 0001 00"), V_OK);
	session_release(t.env, other);
	ck_assert_int_eq(client_hello("", ""), V_OK);
	session_free(t.env, other);
	stop();
}
END_TEST

START_TEST(epochs_of_tls13)
{
	start();
	client_hello("", IS_13);
	ck_assert_int_eq(server_hello("1301", IS_13), V_OK);
	ck_assert_uint_eq(s->dir[C2S].epoch, EPOCH_HANDSHAKE);
	ck_assert_uint_eq(s->dir[S2C].epoch, EPOCH_HANDSHAKE);
	s->dir[S2C].seq = 4;
	ck_assert_int_eq(give_hex(S2C, HS_FINISHED, "00"), V_OK);
	ck_assert_uint_eq(s->dir[S2C].epoch, EPOCH_DATA);
	ck_assert_uint_eq(s->dir[S2C].seq, 0);
	ck_assert_uint_eq(s->dir[C2S].epoch, EPOCH_HANDSHAKE);
	ck_assert_int_eq(give_hex(S2C, HS_FINISHED, "00"), V_OK); /* once is enough */
	ck_assert_int_eq(give_hex(C2S, HS_FINISHED, "00"), V_OK);
	ck_assert(s->dir[C2S].settled && s->dir[S2C].settled);
	stop();
}
END_TEST

START_TEST(epochs_of_early_data)
{
	start();
	client_hello("", IS_13 EARLY);
	ck_assert(s->early_data && s->neg->meta.early_data);
	ck_assert_int_eq(server_hello("1301", IS_13), V_OK);
	ck_assert_uint_eq(s->dir[C2S].epoch, EPOCH_EARLY);
	ck_assert_int_eq(give_hex(S2C, HS_ENCRYPTED_EXTENSIONS, "0004" EARLY), V_OK);
	ck_assert(s->early_answered && s->early_accepted);
	ck_assert_int_eq(give_hex(C2S, HS_END_OF_EARLY_DATA, ""), V_OK);
	ck_assert_uint_eq(s->dir[C2S].epoch, EPOCH_HANDSHAKE);
	stop();
	start();
	client_hello("", IS_13 EARLY);
	server_hello("1301", IS_13);
	ck_assert_int_eq(
		give_hex(S2C, HS_ENCRYPTED_EXTENSIONS, "0009 0010 0005 0003 02 6832"), V_OK);
	ck_assert(s->early_answered && !s->early_accepted);
	ck_assert_str_eq(s->neg->meta.alpn, "h2");
	stop();
}
END_TEST

START_TEST(a_retry_changes_no_epoch)
{
	static const char retry[] = "cf21ad74e59a6111be1d8c021e65b891"
				    "c2a211167abb8c5e079e09e2c8a8339c"; /* RFC 8446, 4.1.3 */
	uint8_t body[1024];
	size_t n = server_body(body, "00", "1301", IS_13);

	unhex(body + 2, retry);
	start();
	client_hello("", IS_13);
	ck_assert_int_eq(give(S2C, HS_SERVER_HELLO, body, (uint32_t)n), V_OK);
	ck_assert(s->retry && s->neg->meta.retry && !s->neg->meta.server_hello);
	ck_assert_uint_eq(s->dir[S2C].epoch, EPOCH_CLEAR);
	client_hello("", IS_13);
	ck_assert_int_eq(server_hello("1301", IS_13), V_OK);
	ck_assert(!s->retry && s->neg->meta.server_hello);
	ck_assert_uint_eq(s->dir[S2C].epoch, EPOCH_HANDSHAKE);
	stop();
}
END_TEST

START_TEST(a_key_update_makes_the_next_keys)
{
	struct session_dir *dir;
	struct record_keys before = { .suite = suite_find(0x1301), .version = TLS13 }, after;

	start();
	client_hello("", IS_13);
	server_hello("1301", IS_13);
	dir = &s->dir[S2C];
	give_hex(S2C, HS_KEY_UPDATE, "00"); /* in the handshake: of no effect */
	ck_assert_uint_eq(dir->generation, 0);
	give_hex(S2C, HS_FINISHED, "00");
	give_hex(S2C, HS_KEY_UPDATE, "00"); /* nothing to update */
	ck_assert_uint_eq(dir->generation, 0);
	material_put(t.env, s, S2C, &before);
	material_get(t.env, s, S2C, &before);
	dir->seq = 9;
	give_hex(S2C, HS_KEY_UPDATE, "00");
	ck_assert_uint_eq(dir->generation, 1);
	ck_assert_uint_eq(dir->seq, 0);
	material_get(t.env, s, S2C, &after);
	ck_assert_mem_ne(before.key, after.key, 16);
	kdf_traffic_update(before.suite, before.secret);
	ck_assert_mem_eq(before.secret, after.secret, 32);
	ck_assert_uint_eq(s->dir[C2S].generation, 0);
	stop();
}
END_TEST

/* The session hash is over all from the ClientHello to the ClientKeyExchange, and no more. */
START_TEST(the_session_hash)
{
	static const struct hello_parts parts = { TLS12, "", "c02f", EMS };
	uint8_t all[4096], md[32], want[32];
	uint32_t n = (uint32_t)hello_put(all + 4, 1024, &parts), m;
	struct md running;

	put_be32(all, 1u << 24 | n);
	n += 4;
	m = (uint32_t)server_body(all + n + 4, "5e", "c02f", EMS);
	put_be32(all + n, 2u << 24 | m);
	start();
	give(C2S, HS_CLIENT_HELLO, all + 4, n - 4);
	ck_assert_int_eq(give_hex(S2C, HS_HELLO_REQUEST, ""), V_OK);
	give(S2C, HS_SERVER_HELLO, all + n + 4, m);
	n += m + 4;
	give_hex(S2C, HS_HELLO_REQUEST, ""); /* is no part of it (RFC 5246, 7.4.1.1) */
	n += (uint32_t)unhex(all + n, "0e000000 10000003 0001aa");
	give_hex(S2C, HS_SERVER_HELLO_DONE, "");
	give_hex(C2S, HS_CLIENT_KEY_EXCHANGE, "0001aa");
	ck_assert(s->neg->hello_done && s->neg->transcript.closed);
	give_hex(C2S, 15, "0403 0000"); /* CertificateVerify */
	running = s->neg->transcript.md[0];
	md_final(&running, md);
	md_init(&running, MD_SHA256);
	md_update(&running, all, n);
	md_final(&running, want);
	ck_assert_mem_eq(md, want, 32);
	stop();
}
END_TEST

START_TEST(what_a_resumption_goes_by)
{
	struct md md;
	uint8_t ticket[32], new_ticket[32];

	md_init(&md, MD_SHA256);
	md_update(&md, "\x11\x22\x33", 3);
	md_final(&md, ticket);
	md_init(&md, MD_SHA256);
	md_update(&md, "\x44\x55", 2);
	md_final(&md, new_ticket);
	start();
	client_hello("0908", "0023 0003 112233");
	server_hello("c02f", "");
	ck_assert(s->neg->has_ticket);
	ck_assert_mem_eq(s->neg->ticket, ticket, 32);
	ck_assert_int_eq(give_hex(S2C, HS_NEW_SESSION_TICKET, "00000e10 0002 4455"), V_OK);
	ck_assert_mem_eq(s->neg->new_ticket, new_ticket, 32);
	ck_assert_uint_eq(s->neg->server_session_len, 2);
	ck_assert_mem_eq(s->neg->server_session_id, "\xab\xcd", 2);
	give_hex(C2S, HS_CLIENT_KEY_EXCHANGE, "0009 010203040506070809");
	ck_assert_mem_eq(s->neg->epms, "\1\2\3\4\5\6\7\10", 8);
	s->version = SSL3;
	give_hex(C2S, HS_CLIENT_KEY_EXCHANGE, "0009 010203040506070809");
	ck_assert_mem_eq(s->neg->epms, "\0\11\1\2\3\4\5\6", 8);
	give_hex(C2S, HS_CLIENT_KEY_EXCHANGE, "0009 0102030405"); /* 7 bytes are no name */
	ck_assert(!s->neg->has_epms);
	client_hello("", "0023 0000"); /* an empty ticket asks for one */
	ck_assert(!s->neg->has_ticket && !s->neg->has_new_ticket);
	stop();
}
END_TEST

START_TEST(prints_are_made_for_who_shows_them)
{
	for (int printless = 0; printless < 2; printless++) {
		const struct tls_meta *m;

		start();
		t.env->printless = printless;
		client_hello("", SNI);
		server_hello("c02f", "0010 0005 0003 02 6832");
		give_hex(S2C, HS_CERTIFICATE, "00000a 000003 aabbcc 000001 dd");
		m = &s->neg->meta;
		ck_assert_int_eq(!m->ja3[0] && !m->ja3_hash[0] && !m->ja3s[0], printless);
		ck_assert_int_eq(!m->ja3s_hash[0] && !m->ja4[0] && !m->cert_len, printless);
		ck_assert_uint_eq(m->chain_len, 2);
		ck_assert_str_eq(m->sni, "a.testx");
		ck_assert_str_eq(m->alpn, "h2");
		stop();
	}
}
END_TEST

START_TEST(certificates)
{
	static uint8_t body[META_CERT_MAX + 16];

	for (int is_13 = 0; is_13 < 2; is_13++) {
		const char *list = is_13 ? "00 00000f 000003 aabbcc 0001ee 000001 dd 0000" :
					   "00000a 000003 aabbcc 000001 dd";

		start();
		client_hello("", "");
		server_hello("1301", is_13 ? IS_13 : "");
		ck_assert_int_eq(give_hex(S2C, HS_CERTIFICATE, list), V_OK);
		ck_assert_uint_eq(s->neg->meta.cert_len, 3);
		ck_assert_mem_eq(s->neg->meta.cert, "\xaa\xbb\xcc", 3);
		ck_assert_uint_eq(s->neg->meta.chain_len, 2);
		ck_assert(!s->neg->meta.client_cert);
		give_hex(C2S, HS_CERTIFICATE, is_13 ? "00 000000" : "000000"); /* has none */
		ck_assert(!s->neg->meta.client_cert);
		give_hex(C2S, HS_CERTIFICATE, is_13 ? "00 000004 000001 ff" : "000004 000001 ff");
		ck_assert(s->neg->meta.client_cert);
		ck_assert_mem_eq(s->neg->meta.cert, "\xaa\xbb\xcc", 3);
		stop();
	}
	for (uint32_t n = META_CERT_MAX; n <= META_CERT_MAX + 1; n++) {
		put_be32(body, (n + 3) << 8);
		put_be32(body + 3, n << 8);
		start();
		client_hello("", "");
		server_hello("c02f", "");
		ck_assert_int_eq(give(S2C, HS_CERTIFICATE, body, n + 6), V_OK);
		ck_assert_uint_eq(s->neg->meta.cert_len, n > META_CERT_MAX ? 0 : n);
		ck_assert_uint_eq(s->neg->meta.chain_len, 1);
		stop();
	}
}
END_TEST

/* Of any message, any part, with any byte wrong: two verdicts, and no read beyond its end. */
START_TEST(cut_and_flipped)
{
	static const struct {
		enum tls_dir d;
		uint8_t type;
		const char *hex;
	} all[] = {
		{ S2C, HS_ENCRYPTED_EXTENSIONS, "000d 0010 0005 0003 02 6832" EARLY },
		{ S2C, HS_CERTIFICATE, "00 00000f 000003 aabbcc 0001ee 000001 dd 0000" },
		{ S2C, HS_NEW_SESSION_TICKET, "00000e10 0002 4455" },
		{ C2S, HS_CLIENT_KEY_EXCHANGE, "0009 010203040506070809" },
		{ C2S, HS_KEY_UPDATE, "01" },
	};
	uint8_t body[1024];
	size_t n;

	for (size_t k = 0; k < sizeof(all) / sizeof(*all); k++) {
		for (int is_13 = 0; is_13 < 2; is_13++) {
			start();
			client_hello("", "");
			server_hello("1301", is_13 ? IS_13 : EMS);
			n = unhex(body, all[k].hex);
			for (uint32_t i = 0; i < n * 8; i++) {
				enum verdict v;

				give(all[k].d, all[k].type, body, i / 8);
				body[i / 8] ^= (uint8_t)(1 << i % 8);
				v = give(all[k].d, all[k].type, body, (uint32_t)n);
				body[i / 8] ^= (uint8_t)(1 << i % 8);
				ck_assert(v == V_OK || v == V_TLS_HANDSHAKE);
			}
			stop();
		}
	}
}
END_TEST

START_TEST(cut_and_flipped_hellos)
{
	uint8_t body[1024];
	uint32_t n = (uint32_t)server_body(body, "5e", "1301", IS_13 EMS);

	start();
	client_hello("", "");
	for (uint32_t i = 0; i < n * 8; i++) {
		enum verdict v = give(S2C, HS_SERVER_HELLO, body, i / 8);

		ck_assert(v == V_TLS_HANDSHAKE || i / 8 == 40); /* extensions may be absent */
		body[i / 8] ^= (uint8_t)(1 << i % 8);
		v = give(S2C, HS_SERVER_HELLO, body, n);
		body[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert(v == V_OK || v == V_TLS_HANDSHAKE);
	}
	stop();
}
END_TEST

UNIT_MAIN("negotiation", hellos_say_what_was_agreed, hellos_of_the_wrong_side,
	no_room_for_another_handshake, epochs_of_tls13, epochs_of_early_data,
	a_retry_changes_no_epoch, a_key_update_makes_the_next_keys, the_session_hash,
	what_a_resumption_goes_by, certificates, prints_are_made_for_who_shows_them,
	cut_and_flipped, cut_and_flipped_hellos)
