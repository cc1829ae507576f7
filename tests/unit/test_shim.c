/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shim around real OpenSSL endpoints in this process. push.h is played by a recorder that looks,
 * at the moment of each delivery, at what the endpoint has let out so far.
 */
#include "peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keybus/push.h"
#include "keys/keylog.h"
#include "shim/cleartap-shim.h"
#include "shim/load.h"
#include "shim/tally.h"

#define PUSHES_MAX 16

static struct peers peers;
static const char *values[SETTINGS] = { [SETTING_redis] = "unix:/nowhere" };

/* What the recorder saw. */
static struct push_seen {
	int side;       /* whose handshake ran: 0 client, 1 server */
	int turns;      /* flights that this side had sent */
	size_t pending; /* bytes that it had written and nobody had read */
	uint8_t random[32];
	char text[3000];
} seen[PUSHES_MAX];
static int pushes, forks, running = -1;
static atomic_int threads; /* 1 + deliveries, while there are threads */
static enum push_result answer = PUSH_ACKED;
static struct push_cfg configured;

/* Before preload.c looks at it. */
__attribute__((constructor(101))) static void environment(void)
{
	setenv("CLEARTAP_REDIS", "unix:/nowhere", 1);
	setenv("CLEARTAP_DEBUG", "/dev/null", 1);
}

void load_locate(void)
{
}

const struct guest *load_guest(const struct guest_host *host)
{
	static struct guest_host mine;

	ck_assert_str_eq(host->values[SETTING_redis], "unix:/nowhere");
	mine = *host;
	mine.values = values;
	return guest_enter(&mine);
}

int push_new(struct push **out, const struct push_cfg *cfg, char *why, size_t why_size)
{
	SSL_CTX *own = SSL_CTX_new(TLS_client_method()); /* as for rediss:// */
	SSL *ssl = SSL_new(own);

	SSL_free(ssl);
	SSL_CTX_free(own);
	configured = *cfg;
	*out = (struct push *)&peers;
	return 0;
}

enum push_result push_send(
	struct push *p, const uint8_t client_random[32], const char *text, size_t len)
{
	struct push_seen *s;
	BIO *out = running < 0 || !peers.ssl[running] ? NULL : SSL_get_wbio(peers.ssl[running]);

	if (atomic_load(&threads)) {
		atomic_fetch_add(&threads, 1);
		return answer;
	}
	ck_assert_int_lt(pushes, PUSHES_MAX);
	ck_assert_uint_lt(len, sizeof(s->text));
	s = &seen[pushes++];
	memcpy(s->random, client_random, 32);
	memcpy(s->text, text, len);
	s->text[len] = '\0';
	s->side = running;
	s->turns = 0;
	for (int i = 0; i < peers.turns; i++)
		s->turns += peers.turn[i].dir == running;
	s->pending = out ? BIO_ctrl_pending(out) : 0;
	errno = EPERM; /* traces that a bad guest would leave */
	ERR_raise(ERR_LIB_USER, 1);
	return answer;
}

void push_after_fork(struct push *p)
{
	forks++;
}

void push_free(struct push *p)
{
}

static int lines_of(const char *text, const char *label)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, label)); p += strlen(label))
		n += p == text || p[-1] == '\n';
	return n;
}

/* Every secret that was sent stands in the key log of the application, and under the right name. */
static void agrees(const struct push_seen *s)
{
	for (const char *p = s->text, *end; *p; p = end + 1) {
		char line[300];

		end = strchr(p, '\n');
		ck_assert_ptr_nonnull(end);
		snprintf(line, sizeof(line), "%.*s", (int)(end - p), p);
		if (*line != '#')
			ck_assert_msg(
				strstr(peers.keylog, line) != NULL, "not in key log: %s", line);
	}
}

static void shake(void)
{
	for (int i = 0; i < 20; i++) {
		running = i & 1;
		SSL_do_handshake(peers.ssl[running]);
		ck_assert_uint_eq(ERR_peek_error(), 0);
		peers_carry(&peers, running);
	}
	running = -1;
	ck_assert(SSL_is_init_finished(peers.ssl[0]) && SSL_is_init_finished(peers.ssl[1]));
}

/* Tickets of TLS 1.3 come with the first read. */
static void talk(void)
{
	peers_say(&peers, 0, "ping", 4);
	peers_say(&peers, 1, "pong", 4);
}

static void connect_again(void)
{
	pushes = 0;
	peers.keylog[0] = '\0';
	peers_connect(&peers);
}

/* One delivery a side, before flight number @p turns[side] of it leaves. */
static void expect(const int turns[2], const char *const labels[])
{
	int sides[2] = { 0, 0 };

	ck_assert_int_eq(pushes, 2);
	for (int i = 0; i < pushes; i++) {
		const struct push_seen *s = &seen[i];

		sides[s->side]++;
		ck_assert_int_eq(s->turns, turns[s->side]);
		ck_assert_uint_eq(s->pending, 0);
		agrees(s);
		for (int k = 0; labels[k]; k++)
			ck_assert_int_eq(lines_of(s->text, labels[k]), 1);
	}
	ck_assert_int_eq(sides[0], 1);
	ck_assert_int_eq(sides[1], 1);
	ck_assert_uint_eq(tally_get(TALLY_late), 0);
	ck_assert_uint_eq(tally_get(TALLY_disagreed), 0);
}

static const char *const tls13[] = { "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
	"SERVER_HANDSHAKE_TRAFFIC_SECRET ", "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 ",
	NULL };
static const char *const tls12[] = { "CLIENT_RANDOM ", NULL };
static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
	"TLS_CHACHA20_POLY1305_SHA256" };

START_TEST(tls13_full_and_resumed)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++) {
		peers_init(&peers, TLS1_3_VERSION, suites[i]);
		for (int round = 0; round < 3; round++) {
			connect_again();
			shake();
			ck_assert_int_eq(SSL_session_reused(peers.ssl[1]), round > 0);
			expect((const int[]){ 1, 0 }, tls13);
			talk();
			ck_assert_int_eq(pushes, 2);
		}
		peers_fini(&peers);
	}
}
END_TEST

START_TEST(tls13_retry)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++) {
		peers_init(&peers, TLS1_3_VERSION, suites[i]);
		SSL_CTX_set1_groups_list(peers.ctx[0], "X25519:P-384");
		SSL_CTX_set1_groups_list(peers.ctx[1], "P-384");
		for (int round = 0; round < 2; round++) {
			connect_again();
			shake();
			expect((const int[]){ 2, 1 }, tls13);
			talk();
		}
		peers_fini(&peers);
	}
}
END_TEST

/* A resumption without a new key exchange. */
START_TEST(tls13_psk_only)
{
	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	connect_again();
	shake();
	talk();
	for (int i = 0; i < 2; i++) {
		SSL_CTX_set_options(peers.ctx[i], SSL_OP_ALLOW_NO_DHE_KEX);
		SSL_CTX_set1_groups_list(peers.ctx[i], i ? "P-384" : "X25519");
	}
	connect_again();
	shake();
	ck_assert_int_eq(SSL_session_reused(peers.ssl[1]), 1);
	expect((const int[]){ 1, 0 }, tls13);
	peers_fini(&peers);
}
END_TEST

static int accept_any(int ok, X509_STORE_CTX *ctx)
{
	return 1;
}

static void client_certificate(void)
{
	peers_certificate(peers.ctx[0]);
	SSL_CTX_set_verify(
		peers.ctx[1], SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
}

/* And a flight that does not fit into OpenSSL's buffer of 4096 bytes. */
START_TEST(tls13_certificates)
{
	X509 *x;

	peers_init(&peers, TLS1_3_VERSION, suites[1]);
	client_certificate();
	x = SSL_CTX_get0_certificate(peers.ctx[1]);
	for (int i = 0; i < 40; i++)
		SSL_CTX_add1_chain_cert(peers.ctx[1], x);
	connect_again();
	shake();
	expect((const int[]){ 1, 0 }, tls13);
	ck_assert_uint_gt(peers.wire_len[1], 10000);
	peers_fini(&peers);
}
END_TEST

static int make_cookie(SSL *ssl, uint8_t *cookie, size_t *len)
{
	memset(cookie, 'c', *len = 16);
	return 1;
}

static int check_cookie(SSL *ssl, const uint8_t *cookie, size_t len)
{
	return len == 16 && cookie[0] == 'c';
}

/* The server forgets the first ClientHello: its transcript was never seen whole. */
static void stateless(void)
{
	peers_init(&peers, TLS1_3_VERSION, suites[1]);
	SSL_CTX_set_stateless_cookie_generate_cb(peers.ctx[1], make_cookie);
	SSL_CTX_set_stateless_cookie_verify_cb(peers.ctx[1], check_cookie);
	SSL_CTX_set_num_tickets(peers.ctx[1], 0);
	connect_again();
	for (int i = 0; i < 2; i++) {
		running = 0;
		SSL_do_handshake(peers.ssl[0]);
		peers_carry(&peers, 0);
		running = 1;
		if (i) /* ChangeCipherSpec, for the sake of middleboxes */
			ck_assert_int_eq(SSL_stateless(peers.ssl[1]), -1);
		ck_assert_int_eq(SSL_stateless(peers.ssl[1]), i);
		peers_carry(&peers, 1);
		if (i)
			break;
		SSL_free(peers.ssl[1]);
		peers.ssl[1] = SSL_new(peers.ctx[1]);
		SSL_set_bio(peers.ssl[1], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	}
	running = 0;
	SSL_do_handshake(peers.ssl[0]);
	ck_assert(SSL_is_init_finished(peers.ssl[0]));
	ck_assert_int_eq(SSL_write(peers.ssl[0], "request", 7), 7);
	peers_carry(&peers, 0);
	running = 1;
}

START_TEST(tls13_stateless)
{
	char heard[8];

	stateless();
	ck_assert_int_eq(SSL_read(peers.ssl[1], heard, sizeof(heard)), 7);
	ck_assert_int_eq(pushes, 3);
	ck_assert_uint_eq(tally_get(TALLY_late), 2);
	ck_assert_uint_eq(tally_get(TALLY_disagreed), 0);
	ck_assert_int_eq(seen[2].side, 1);
	for (int k = 0; tls13[k]; k++)
		ck_assert_int_eq(lines_of(seen[2].text, tls13[k]), 1);
	for (int i = 0; i < 3; i++)
		agrees(&seen[i]);
	peers_fini(&peers);
}
END_TEST

/* Late as it is, it comes before application data: nothing of it is accepted. */
START_TEST(tls13_stateless_abort)
{
	char heard[8];

	values[SETTING_on_fail] = "abort";
	stateless();
	answer = PUSH_TIMEOUT;
	for (int i = 0; i < 3; i++)
		ck_assert_int_le(SSL_read(peers.ssl[1], heard, sizeof(heard)), 0);
	ck_assert_uint_eq(tally_get(TALLY_aborted), 1);
	ERR_clear_error();
	peers_fini(&peers);
}
END_TEST

START_TEST(tls12_and_older)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_1_VERSION, TLS1_VERSION };

	for (int i = 0; i < 6; i++) {
		peers_init(&peers, versions[i / 2], "ALL:@SECLEVEL=0");
		SSL_CTX_set_session_id_context(peers.ctx[1], (const uint8_t *)"x", 1);
		if (i & 1)
			SSL_CTX_set_options(peers.ctx[1], SSL_OP_NO_TICKET); /* session id */
		for (int round = 0; round < 3; round++) {
			connect_again();
			shake();
			ck_assert_int_eq(SSL_session_reused(peers.ssl[1]), round > 0);
			expect((const int[]){ 1, round == 0 }, tls12);
			talk();
		}
		peers_fini(&peers);
	}
}
END_TEST

START_TEST(tls12_renegotiation_and_certificate)
{
	peers_init(&peers, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384:@SECLEVEL=0");
	client_certificate();
	SSL_CTX_set_options(peers.ctx[1], SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
	connect_again();
	shake();
	expect((const int[]){ 1, 1 }, tls12);
	pushes = 0;
	ck_assert_int_eq(SSL_renegotiate(peers.ssl[0]), 1);
	for (int i = 0; i < 10; i++) {
		char c;

		running = i & 1;
		if (running)
			SSL_read(peers.ssl[1], &c, 1);
		else
			SSL_do_handshake(peers.ssl[0]);
		peers_carry(&peers, running);
	}
	ck_assert_int_eq(pushes, 2);
	ck_assert_mem_eq(seen[0].random, seen[1].random, 32);
	agrees(&seen[0]);
	agrees(&seen[1]);
	peers_fini(&peers);
}
END_TEST

static void early(int accept)
{
	uint8_t heard[16];
	size_t n = 0;

	connect_again();
	running = 0;
	ck_assert_int_eq(SSL_write_early_data(peers.ssl[0], "early", 5, &n), 1);
	ck_assert_int_eq(pushes, 1); /* before the ClientHello left */
	ck_assert_int_eq(seen[0].turns, 0);
	ck_assert_uint_eq(seen[0].pending, 0);
	ck_assert_int_eq(lines_of(seen[0].text, "CLIENT_EARLY_TRAFFIC_SECRET "), 1);
	agrees(&seen[0]);
	peers_carry(&peers, 0);
	running = 1;
	n = 0;
	SSL_read_early_data(peers.ssl[1], heard, sizeof(heard), &n);
	ck_assert_uint_eq(n, accept ? 5 : 0);
	ck_assert_int_eq(pushes, 2);
	ck_assert_int_eq(seen[1].side, 1);
	ck_assert_int_eq(seen[1].turns, 0);
	ck_assert_uint_eq(seen[1].pending, 0);
	for (int k = 0; tls13[k]; k++)
		ck_assert_int_eq(lines_of(seen[1].text, tls13[k]), 1);
	ck_assert_int_eq(lines_of(seen[1].text, "CLIENT_EARLY_TRAFFIC_SECRET "), accept);
	peers_carry(&peers, 1);
	for (int i = 0; i < 6; i++) {
		running = i & 1;
		if (running && SSL_in_init(peers.ssl[1]))
			SSL_read_early_data(peers.ssl[1], heard, sizeof(heard), &n);
		SSL_do_handshake(peers.ssl[running]);
		peers_carry(&peers, running);
	}
	agrees(&seen[1]);
	ck_assert_int_eq(pushes, 3);
	ck_assert_int_eq(seen[2].side, 0);
	ck_assert_int_eq(lines_of(seen[2].text, "CLIENT_EARLY_TRAFFIC_SECRET "), 1);
	agrees(&seen[2]);
}

START_TEST(tls13_early_data)
{
	peers_init(&peers, TLS1_3_VERSION, suites[1]);
	SSL_CTX_set_max_early_data(peers.ctx[1], 1000);
	connect_again();
	shake();
	talk();
	early(1);
	ck_assert_uint_eq(tally_get(TALLY_late), 0);
	peers_fini(&peers);
}
END_TEST

/* Not acknowledged, and abort: the peer gets nothing of the flight, and nothing that it says counts. */
static void refused(int version, const char *list, int side, bool resumed)
{
	char c;

	values[SETTING_on_fail] = "abort";
	peers_init(&peers, version, list);
	if (resumed) {
		connect_again();
		shake();
		talk();
	}
	connect_again();
	for (int i = 0; i < 8; i++) {
		int turns = peers.turns, before = pushes;

		running = i & 1;
		answer = running == side ? PUSH_TIMEOUT : PUSH_ACKED;
		if (SSL_do_handshake(peers.ssl[running]) == 1)
			break;
		peers_carry(&peers, running);
		if (running != side || before == pushes)
			continue;
		ck_assert_int_eq(peers.turns, turns);
		ck_assert_int_eq(SSL_get_error(peers.ssl[side], -1), SSL_ERROR_SYSCALL);
	}
	ck_assert_uint_eq(tally_get(TALLY_aborted), 1);
	ck_assert(!SSL_is_init_finished(peers.ssl[side]));
	for (int i = 0; i < 3; i++) { /* however often the host tries */
		ck_assert_int_le(SSL_read(peers.ssl[side], &c, 1), 0);
		ck_assert_int_le(SSL_write(peers.ssl[side], "x", 1), 0);
		ck_assert_int_eq(SSL_get_error(peers.ssl[side], -1), SSL_ERROR_SYSCALL);
		ck_assert_int_le(SSL_shutdown(peers.ssl[side]), 0);
	}
	ERR_clear_error();
	ck_assert_uint_eq(BIO_ctrl_pending(SSL_get_wbio(peers.ssl[side])), 0);
	peers_fini(&peers);
}

START_TEST(abort_server_tls13)
{
	refused(TLS1_3_VERSION, suites[0], 1, false);
}
END_TEST

START_TEST(abort_server_tls13_resumed)
{
	refused(TLS1_3_VERSION, suites[1], 1, true);
}
END_TEST

START_TEST(abort_server_tls12)
{
	refused(TLS1_2_VERSION, "ALL", 1, false);
}
END_TEST

START_TEST(abort_server_tls12_resumed)
{
	refused(TLS1_2_VERSION, "ALL", 1, true);
}
END_TEST

START_TEST(abort_client_tls13)
{
	refused(TLS1_3_VERSION, suites[0], 0, false);
}
END_TEST

START_TEST(abort_client_tls12)
{
	refused(TLS1_2_VERSION, "ALL", 0, false);
}
END_TEST

/* CLEARTAP_ACK=cache is content with Redis, sensor is not. */
static void stored(const char *ack, int aborted)
{
	values[SETTING_on_fail] = "abort";
	values[SETTING_ack] = ack;
	answer = PUSH_STORED;
	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	connect_again();
	for (int i = 0; i < 6; i++) {
		running = i & 1;
		SSL_do_handshake(peers.ssl[running]);
		peers_carry(&peers, running);
	}
	ck_assert_int_eq(SSL_is_init_finished(peers.ssl[1]), !aborted);
	ck_assert_int_eq(tally_get(TALLY_aborted), aborted);
	peers_fini(&peers);
}

START_TEST(abort_unless_acknowledged)
{
	stored("sensor", 1);
}
END_TEST

START_TEST(cache_is_enough)
{
	stored("cache", 0);
}
END_TEST

START_TEST(failure_changes_nothing_else)
{
	answer = PUSH_DOWN;
	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	connect_again();
	errno = 0;
	shake();
	expect((const int[]){ 1, 0 }, tls13);
	talk();
	ck_assert_uint_eq(tally_get(TALLY_down), 2);
	ck_assert_uint_eq(tally_get(TALLY_aborted), 0);
	peers_fini(&peers);
}
END_TEST

/* The host's own callbacks. */
static char told[20000];
static int arg_seen;

/* shape: parameters, OpenSSL's */
static void host_message(
	int sent, int version, int type, const void *data, size_t len, SSL *ssl, void *arg)
{
	char one[64];

	arg_seen += *(int *)arg;
	snprintf(one, sizeof(one), "%d %x %d %d\n", sent, version, type, *(const uint8_t *)data);
	strcat(told, one);
}

static void host_keylog(const SSL *ssl, const char *line)
{
	strcat(told, line);
	strcat(told, "\n");
}

static void talk_with_callbacks(int way)
{
	static int one = 1;
	SSL_CTX *ctx = peers.ctx[1];

	told[0] = '\0';
	arg_seen = 0;
	if (way == 0)
		SSL_CTX_set_msg_callback(ctx, host_message);
	else if (way == 1)
		SSL_CTX_callback_ctrl(ctx, SSL_CTRL_SET_MSG_CALLBACK, (void (*)(void))host_message);
	SSL_CTX_set_msg_callback_arg(ctx, &one);
	SSL_CTX_set_keylog_callback(ctx, host_keylog);
	ck_assert_ptr_eq(SSL_CTX_get_keylog_callback(ctx), host_keylog);
	connect_again();
	if (way == 2)
		SSL_set_msg_callback(peers.ssl[1], host_message);
	else if (way == 3)
		SSL_callback_ctrl(
			peers.ssl[1], SSL_CTRL_SET_MSG_CALLBACK, (void (*)(void))host_message);
	shake();
	talk();
	SSL_CTX_set_keylog_callback(ctx, NULL);
	ck_assert_ptr_null(SSL_CTX_get_keylog_callback(ctx));
	SSL_CTX_set_msg_callback(ctx, NULL);
}

START_TEST(callbacks_of_the_host)
{
	static char first[20000];

	for (int way = 0; way < 4; way++) {
		char *end;

		peers_init(&peers, TLS1_3_VERSION, suites[0]);
		talk_with_callbacks(way);
		ck_assert_int_gt(arg_seen, 20);
		ck_assert_int_eq(lines_of(told, "SERVER_TRAFFIC_SECRET_0 "), 1);
		ck_assert_int_eq(lines_of(told, "EXPORTER_SECRET "), 1);
		ck_assert_ptr_null(strstr(seen[0].text, "EXPORTER_SECRET"));
		ck_assert_int_eq(pushes, 2);
		for (end = told; (end = strstr(end, "_SECRET")); end++)
			memset(end, ' ', strcspn(end, "\n")); /* what differs each time */
		if (way == 0)
			strcpy(first, told);
		ck_assert_str_eq(told, first);
		told[0] = '\0';
		connect_again();
		shake();
		ck_assert_str_eq(told, ""); /* and they can be taken away */
		peers_fini(&peers);
	}
}
END_TEST

START_TEST(callbacks_of_a_copy)
{
	static int one = 1;
	SSL *copy;

	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	connect_again();
	SSL_set_msg_callback(peers.ssl[1], host_message);
	SSL_set_msg_callback_arg(peers.ssl[1], &one);
	copy = SSL_dup(peers.ssl[1]);
	ck_assert_ptr_nonnull(copy);
	SSL_set_bio(copy, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_msg_callback_arg(copy, &one);
	SSL_free(peers.ssl[1]);
	peers.ssl[1] = copy;
	SSL_set_accept_state(copy);
	shake();
	ck_assert_int_gt(arg_seen, 10);
	expect((const int[]){ 1, 0 }, tls13);
	peers_fini(&peers);
}
END_TEST

/* An SSL object that is used again, for a handshake that failed before. */
START_TEST(used_again)
{
	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	connect_again();
	running = 0;
	SSL_do_handshake(peers.ssl[0]);
	peers_carry(&peers, 0);
	running = 1;
	SSL_do_handshake(peers.ssl[1]);
	ck_assert_int_eq(pushes, 1);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(SSL_clear(peers.ssl[i]), 1);
		SSL_set_bio(peers.ssl[i], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	}
	peers.turns = pushes = 0;
	peers.keylog[0] = '\0';
	shake();
	expect((const int[]){ 1, 0 }, tls13);
	peers_fini(&peers);
}
END_TEST

/* TCP; the addresses of an IPv4 client on an IPv6 socket are those of the wire. */
static void over_tcp(const char *client_address, const char *listen_address, const char *want)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
	struct sockaddr_in to = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET6, SOCK_STREAM, 0), zero = 0, fd[2];
	bool v4 = strchr(client_address, '.') != NULL;
	char comment[200];

	setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	inet_pton(AF_INET6, listen_address, &at.sin6_addr);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&at, &len);
	to.sin_port = at.sin6_port;
	inet_pton(
		v4 ? AF_INET : AF_INET6, client_address, v4 ? (void *)&to.sin_addr : &at.sin6_addr);
	fd[0] = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd[0], v4 ? (struct sockaddr *)&to : (struct sockaddr *)&at,
				 v4 ? sizeof(to) : sizeof(at)),
		0);
	fd[1] = accept(listener, NULL, NULL);
	connect_again();
	for (int i = 0; i < 2; i++) {
		fcntl(fd[i], F_SETFL, O_NONBLOCK);
		SSL_set_fd(peers.ssl[i], fd[i]);
	}
	SSL_set_tlsext_host_name(peers.ssl[0], "www.example.org");
	running = -1;
	for (int i = 0; i < 100000 &&
		!(SSL_is_init_finished(peers.ssl[0]) && SSL_is_init_finished(peers.ssl[1]));
		i++)
		SSL_do_handshake(peers.ssl[i & 1]);
	ck_assert(SSL_is_init_finished(peers.ssl[0]) && SSL_is_init_finished(peers.ssl[1]));
	v4 ? getsockname(fd[0], (struct sockaddr *)&to, (len = sizeof(to), &len)) :
	     getsockname(fd[0], (struct sockaddr *)&at, (len = sizeof(at), &len));
	if (want) {
		struct sockaddr_in6 server;

		len = sizeof(server);
		getsockname(listener, (struct sockaddr *)&server, &len);
		snprintf(comment, sizeof(comment), "# tuple=%s,%u,%s,%u\n# sni=www.example.org\n",
			want, ntohs(v4 ? to.sin_port : at.sin6_port), want,
			ntohs(server.sin6_port));
		ck_assert_int_eq(pushes, 2);
		for (int i = 0; i < 2; i++)
			ck_assert_msg(
				strstr(seen[i].text, comment) == seen[i].text, "%s", seen[i].text);
	}
	close(fd[0]);
	close(fd[1]);
	close(listener);
}

START_TEST(sockets)
{
	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	over_tcp("127.0.0.1", "::", "127.0.0.1");
	over_tcp("::1", "::1", "::1");
	peers_fini(&peers);
}
END_TEST

START_TEST(only_some)
{
	values[SETTING_only] = "net:10.0.0.0/8,sni:www.example.net";
	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	over_tcp("127.0.0.1", "::", NULL);
	ck_assert_int_eq(pushes, 0);
	connect_again(); /* nothing is known of it */
	shake();
	ck_assert_int_eq(pushes, 0);
	connect_again();
	SSL_set_tlsext_host_name(peers.ssl[0], "WWW.example.net");
	shake();
	expect((const int[]){ 1, 0 }, tls13);
	ck_assert_uint_eq(tally_get(TALLY_withheld), 4);
	peers_fini(&peers);
}
END_TEST

/* With abort, what is not in scope goes on. */
START_TEST(except_some)
{
	values[SETTING_except] = "net:127.0.0.0/8,sni:*.example.com";
	values[SETTING_on_fail] = "abort";
	answer = PUSH_DOWN;
	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	over_tcp("127.0.0.1", "::", NULL);
	ck_assert_int_eq(pushes, 0);
	answer = PUSH_ACKED;
	over_tcp("::1", "::1", "::1");
	connect_again();
	shake();
	ck_assert_int_eq(pushes, 0); /* might be one of them */
	peers_fini(&peers);
}
END_TEST

START_TEST(bad_setting)
{
	values[SETTING_hold_ms] = "5s";
	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	connect_again();
	shake();
	ck_assert_int_eq(pushes, 0);
	ck_assert_int_eq(cleartap_shim_attach(peers.ctx[0]), -ENOENT);
	peers_fini(&peers);
}
END_TEST

START_TEST(settings_arrive)
{
	values[SETTING_hold_ms] = "250";
	values[SETTING_acks] = "2";
	values[SETTING_ttl_s] = "60";
	values[SETTING_ack] = "cache";
	values[SETTING_seal] = "/seal.pem";
	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	ck_assert_str_eq(configured.servers, "unix:/nowhere");
	ck_assert_str_eq(configured.seal, "/seal.pem");
	ck_assert_uint_eq(configured.hold_ms, 250);
	ck_assert_uint_eq(configured.ttl_s, 60);
	ck_assert_uint_eq(configured.acks, 2);
	ck_assert_int_eq(configured.ack, PUSH_ACK_CACHE);
	ck_assert_int_eq(cleartap_shim_attach(peers.ctx[0]), 0);
	connect_again();
	shake();
	ck_assert_int_eq(pushes, 2);
	peers_fini(&peers);
}
END_TEST

START_TEST(child)
{
	int status;
	pid_t pid;

	peers_init(&peers, TLS1_3_VERSION, suites[0]);
	connect_again();
	shake();
	pid = fork();
	if (!pid) {
		char origin[32];

		snprintf(origin, sizeof(origin), "/%d\n", (int)getpid());
		connect_again();
		shake();
		_exit(!(forks == 1 && pushes == 2 && tally_get(TALLY_acked) == 2 &&
			strstr(seen[0].text, origin)));
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(forks, 0);
	peers_fini(&peers);
}
END_TEST

/*
 * Nothing stays of a connection, whether it succeeds, is given up, or is refused. HANDSHAKES in the
 * environment asks for more of them.
 */
static void many(int n)
{
	for (int i = 0; i < n; i++) {
		connect_again();
		running = 0;
		SSL_do_handshake(peers.ssl[0]);
		peers_carry(&peers, 0);
		running = 1;
		SSL_do_handshake(peers.ssl[1]);
		if (i % 8 == 0)
			continue;
		peers_carry(&peers, 1);
		shake();
		talk();
	}
}

START_TEST(memory)
{
	const char *more = getenv("HANDSHAKES");
	int n = more ? atoi(more) : 2500;

	for (int i = 0; i < 2; i++) {
		size_t before, after;

		peers_init(&peers, i ? TLS1_2_VERSION : TLS1_3_VERSION, i ? "ALL" : suites[1]);
		SSL_CTX_set_session_cache_mode(peers.ctx[1], SSL_SESS_CACHE_OFF);
		many(100);
		before = mallinfo2().uordblks;
		many(n);
		after = mallinfo2().uordblks;
		ck_assert_msg(after < before + 20000, "%zu bytes became %zu", before, after);
		peers_fini(&peers);
	}
}
END_TEST

/* One handshake of its own a thread: contexts are shared, as a server shares them. */
static void *handshakes(void *arg)
{
	for (int i = 0; i < 100; i++) {
		BIO *end[2];
		SSL *ssl[2];

		ck_assert_int_eq(BIO_new_bio_pair(&end[0], 65536, &end[1], 65536), 1);
		for (int k = 0; k < 2; k++) {
			ssl[k] = SSL_new(peers.ctx[k]);
			SSL_set_bio(ssl[k], end[k], end[k]);
		}
		SSL_set_connect_state(ssl[0]);
		SSL_set_accept_state(ssl[1]);
		for (int k = 0; k < 8; k++)
			SSL_do_handshake(ssl[k & 1]);
		ck_assert(SSL_is_init_finished(ssl[0]) && SSL_is_init_finished(ssl[1]));
		SSL_free(ssl[0]);
		SSL_free(ssl[1]);
	}
	return NULL;
}

START_TEST(many_threads)
{
	pthread_t id[4];

	peers_init(&peers, TLS1_3_VERSION, suites[1]);
	SSL_CTX_set_keylog_callback(peers.ctx[0], NULL);
	SSL_CTX_set_session_cache_mode(peers.ctx[0], SSL_SESS_CACHE_OFF);
	threads = 1;
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&id[i], NULL, handshakes, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(id[i], NULL);
	ck_assert_int_eq(threads, 1 + 4 * 100 * 2);
	ck_assert_uint_eq(tally_get(TALLY_acked), 800);
	ck_assert_uint_eq(tally_get(TALLY_late), 0);
	ck_assert_uint_eq(tally_get(TALLY_disagreed), 0);
	peers_fini(&peers);
}
END_TEST

/* Records of DTLS look otherwise, and no sensor reads it. */
START_TEST(dtls)
{
	SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
	SSL *ssl = SSL_new(ctx);

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(ssl);
	SSL_do_handshake(ssl);
	ck_assert_uint_eq(tally_get(TALLY_handshakes), 0);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}
END_TEST

UNIT_MAIN("shim", tls13_stateless, tls13_stateless_abort, tls13_full_and_resumed, tls13_retry,
	tls13_psk_only, tls13_certificates, tls12_and_older, tls12_renegotiation_and_certificate,
	tls13_early_data, abort_server_tls13, abort_server_tls13_resumed, abort_server_tls12,
	abort_server_tls12_resumed, abort_client_tls13, abort_client_tls12,
	abort_unless_acknowledged, cache_is_enough, failure_changes_nothing_else,
	callbacks_of_the_host, callbacks_of_a_copy, used_again, sockets, only_some, except_some,
	bad_setting, settings_arrive, child, memory, many_threads, dtls)
