/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EVE records under the names that Suricata's readers know, so that dashboards and rules written
 * for it work unchanged. What Suricata cannot know (that the text was read) stands in an object
 * "cleartap" of its own.
 */
#include "write/eve.h"

#include <arpa/inet.h>

#include "decode/pkt.h"
#include "tls/opener.h"
#include "tls/text.h"
#include "write/community.h"

/* Days from 1970-01-01 to January 1st of a year. */
static int64_t year_start(int64_t year)
{
	int64_t y = year - 1;

	return 365 * y + y / 4 - y / 100 + y / 400 - 719162;
}

static bool leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static char *digits(char *p, uint64_t v, int n)
{
	for (int i = n; i--; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

/* Not gmtime_r(): the C library takes a lock there. */
static char *date(char *p, int64_t days)
{
	static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t year = 1970 + days / 366;
	int month = 0;

	while (year_start(year + 1) <= days)
		year++;
	days -= year_start(year);
	for (; month < 11; month++) {
		int64_t len = lengths[month] + (month == 1 && leap(year));

		if (days < len)
			break;
		days -= len;
	}
	p = digits(p, (uint64_t)year, 4);
	*p++ = '-';
	p = digits(p, (uint64_t)month + 1, 2);
	*p++ = '-';
	return digits(p, (uint64_t)days + 1, 2);
}

void eve_time(char out[EVE_TIME_LEN], uint64_t ts_ns)
{
	uint64_t us = ts_ns / 1000, s = us / 1000000;
	char *p = date(out, (int64_t)(s / 86400));

	*p++ = 'T';
	p = digits(p, s / 3600 % 24, 2);
	*p++ = ':';
	p = digits(p, s / 60 % 60, 2);
	*p++ = ':';
	p = digits(p, s % 60, 2);
	*p++ = '.';
	p = digits(p, us % 1000000, 6);
	memcpy(p, "+0000", 6);
}

/* Every text is one of ours, and shorter than EVE_VERSION_LEN. */
static char *put(char *out, const char *text)
{
	size_t n = strlen(text);

	memcpy(out, text, n + 1);
	return out + n;
}

const char *eve_version(char out[EVE_VERSION_LEN], uint16_t version)
{
	static const char *const names[] = { "SSLv3", "TLSv1", "TLS 1.1", "TLS 1.2", "TLS 1.3" };

	if (version >= SSL3 && version <= TLS13) {
		put(out, names[version - SSL3]);
	} else if (version >> 8 == 0x7f) {
		unsigned draft = version & 0xff;

		*digits(put(out, "TLS 1.3 draft-"), draft, draft > 99 ? 3 : 2) = '\0';
	} else {
		put(out, "UNDETERMINED");
	}
	return out;
}

static void time_member(struct json *j, const char *key, uint64_t ts_ns)
{
	char text[EVE_TIME_LEN];

	eve_time(text, ts_ns);
	json_str(j, key, text);
}

static void text_member(struct json *j, const char *key, const char *s)
{
	if (*s)
		json_str(j, key, s);
}

static void endpoint(struct json *j, const struct flow_key *k, int end, bool src)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(k->addr_len == 4 ? AF_INET : AF_INET6, k->addr[end], text, sizeof(text));
	json_str(j, src ? "src_ip" : "dest_ip", text);
	json_u64(j, src ? "src_port" : "dest_port", k->port[end]);
}

/* Open the record and write what all have. */
static void head(struct json *j, struct wr *w, const struct eve *e, const char *type)
{
	char id[COMMUNITY_LEN];

	json_init(j, w);
	json_object(j, NULL);
	time_member(j, "timestamp", e->ts_ns);
	json_u64(j, "flow_id", e->id);
	json_str(j, "event_type", type);
	endpoint(j, e->key, e->client, true);
	endpoint(j, e->key, !e->client, false);
	json_str(j, "proto", "TCP");
	community_id(id, e->key);
	json_str(j, "community_id", id);
}

static void tail(struct json *j)
{
	json_end(j);
	wr_u8(j->w, '\n');
}

static void cleartap(struct json *j, const struct eve *e)
{
	json_object(j, "cleartap");
	json_bool(j, "decrypted", e->records > 0);
	json_u64(j, "plaintext_bytes_toserver", e->text_bytes[C2S]);
	json_u64(j, "plaintext_bytes_toclient", e->text_bytes[S2C]);
	json_u64(j, "records_decrypted", e->records);
	json_u64(j, "records_not_decrypted", e->failed);
	if (e->reason != V_OK)
		json_str(j, "reason", verdict_label(e->reason));
	json_end(j);
}

static void certificate(struct json *j, const struct eve_cert *c)
{
	text_member(j, "subject", c->subject);
	text_member(j, "issuerdn", c->issuer);
	text_member(j, "serial", c->serial);
	text_member(j, "fingerprint", c->sha1);
	text_member(j, "fingerprint_sha256", c->sha256);
}

static void ja3(struct json *j, const char *key, const char *hash, const char *string)
{
	if (!*hash)
		return;
	json_object(j, key);
	json_str(j, "hash", hash);
	text_member(j, "string", string);
	json_end(j);
}

static void handshake(struct json *j, const struct tls_meta *m, const char *suite)
{
	char version[EVE_VERSION_LEN];

	text_member(j, "sni", m->sni);
	json_str(j, "version", eve_version(version, m->version));
	if (m->resumed)
		json_bool(j, "session_resumed", true);
	ja3(j, "ja3", m->ja3_hash, m->ja3);
	ja3(j, "ja3s", m->ja3s_hash, m->ja3s);
	text_member(j, "ja4", m->ja4);
	text_member(j, "alpn", m->alpn);
	if (suite)
		json_str(j, "cipher_suite", suite);
}

void eve_tls(struct wr *w, const struct eve *e, const struct tls_meta *m,
	const struct eve_cert *cert, const char *suite)
{
	struct json j;

	head(&j, w, e, "tls");
	json_object(&j, "tls");
	if (cert)
		certificate(&j, cert);
	handshake(&j, m, suite);
	if (cert) {
		text_member(&j, "notbefore", cert->not_before);
		text_member(&j, "notafter", cert->not_after);
	}
	cleartap(&j, e);
	json_end(&j);
	tail(&j);
}

static void value_member(
	struct json *j, const char *key, const struct txn *t, enum txn_value v, char stop)
{
	size_t len;
	const char *p = txn_get(t, v, &len), *end = p && stop ? memchr(p, stop, len) : NULL;

	if (p)
		json_strn(j, key, p, end ? (size_t)(end - p) : len);
}

/* Suricata has the port of a Host apart. The colons of an IPv6 address are before its bracket. */
static void host(struct json *j, const struct txn *t)
{
	size_t len, n, at;
	const char *p = txn_get(t, TXN_HOST, &len);
	uint64_t port = 0;

	if (!p)
		return;
	for (n = len; n && p[n - 1] >= '0' && p[n - 1] <= '9';)
		n--;
	for (at = n; at < len && port < 65536; at++)
		port = port * 10 + (uint64_t)(p[at] - '0');
	if (n == len || n < 2 || p[n - 1] != ':' || port > 65535) {
		json_strn(j, "hostname", p, len);
		return;
	}
	json_strn(j, "hostname", p, n - 1);
	json_u64(j, "http_port", port);
}

static void protocol(struct json *j, const struct txn *t)
{
	char text[] = "HTTP/1.x";

	text[7] = (char)('0' + t->minor[t->seen >> C2S & 1 ? C2S : S2C]);
	json_str(j, "protocol", text);
}

/* What is not all of a transaction says so. */
static void incomplete(struct json *j, const struct txn *t)
{
	static const char *const messages[] = { "request", "response" };
	static const char *const values[] = { "http_method", "url", "hostname", "http_user_agent",
		"http_refer", "http_content_type" };

	if (t->seen != 3 || t->cut) {
		json_array(j, "incomplete");
		for (int d = C2S; d <= S2C; d++)
			if (!(t->seen >> d & 1) || t->cut >> d & 1)
				json_str(j, NULL, messages[d]);
		json_end(j);
	}
	if (!t->truncated)
		return;
	json_array(j, "truncated");
	for (int v = 0; v < TXN_VALUES; v++)
		if (t->truncated >> v & 1)
			json_str(j, NULL, values[v]);
	json_end(j);
}

static void transaction(struct json *j, const struct txn *t)
{
	json_object(j, "cleartap");
	if (t->seen >> C2S & 1) {
		time_member(j, "request", t->first_ns[C2S]);
		json_u64(j, "request_length", t->body_len[C2S]);
	}
	if (t->seen >> S2C & 1) {
		time_member(j, "response", t->first_ns[S2C]);
		time_member(j, "response_end", t->last_ns);
	}
	incomplete(j, t);
	json_end(j);
}

void eve_http(struct wr *w, const struct eve *e, const struct txn *t)
{
	struct json j;

	head(&j, w, e, "http");
	json_u64(&j, "tx_id", t->id);
	json_object(&j, "http");
	host(&j, t);
	value_member(&j, "url", t, TXN_TARGET, 0);
	value_member(&j, "http_user_agent", t, TXN_AGENT, 0);
	value_member(&j, "http_content_type", t, TXN_TYPE, ';');
	value_member(&j, "http_refer", t, TXN_REFERER, 0);
	value_member(&j, "http_method", t, TXN_METHOD, 0);
	protocol(&j, t);
	if (t->seen >> S2C & 1) {
		json_u64(&j, "status", t->status);
		json_u64(&j, "length", t->body_len[S2C]);
	}
	transaction(&j, t);
	json_end(&j);
	tail(&j);
}

static void flags_member(struct json *j, const char *key, uint8_t flags)
{
	static const char hex[] = "0123456789abcdef";
	char text[2] = { hex[flags >> 4], hex[flags & 15] };

	json_strn(j, key, text, 2);
}

static const char *tcp_state(const struct conn *c, uint8_t flags)
{
	if (c->state == CONN_CLOSED)
		return "closed";
	if (c->state == CONN_ESTABLISHED)
		return "established";
	if (!(flags & TCP_SYN))
		return "none";
	return c->tcp_flags[0] & c->tcp_flags[1] & TCP_SYN ? "syn_recv" : "syn_sent";
}

static void tcp(struct json *j, const struct conn *c, int client)
{
	static const struct {
		const char *name;
		uint8_t bit;
	} names[] = { { "syn", TCP_SYN }, { "fin", TCP_FIN }, { "rst", TCP_RST },
		{ "psh", TCP_PSH }, { "ack", TCP_ACK } };
	uint8_t flags = c->tcp_flags[0] | c->tcp_flags[1];

	json_object(j, "tcp");
	flags_member(j, "tcp_flags", flags);
	flags_member(j, "tcp_flags_ts", c->tcp_flags[client]);
	flags_member(j, "tcp_flags_tc", c->tcp_flags[!client]);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (flags & names[i].bit)
			json_bool(j, names[i].name, true);
	json_str(j, "state", tcp_state(c, flags));
	json_end(j);
}

/* Suricata knows three reasons; it calls the orderly end a time-out, too. */
static const char *flow_reason(enum conn_end why)
{
	switch (why) {
	case END_CAPTURE:
		return "shutdown";
	case END_EVICTED:
	case END_REUSED:
		return "forced";
	case END_FIN:
	case END_RST:
	case END_TIMEOUT:
		break;
	}
	return "timeout";
}

static void flow(struct json *j, const struct eve *e, enum conn_end why)
{
	const struct conn *c = e->conn;
	int client = e->client;
	static const char *const states[] = { "new", "established", "closed" };

	json_object(j, "flow");
	json_u64(j, "pkts_toserver", c->packets[client]);
	json_u64(j, "pkts_toclient", c->packets[!client]);
	json_u64(j, "bytes_toserver", c->bytes[client]);
	json_u64(j, "bytes_toclient", c->bytes[!client]);
	time_member(j, "start", e->first_ns);
	time_member(j, "end", c->last_ns);
	json_u64(j, "age",
		c->last_ns > e->first_ns ? c->last_ns / 1000000000 - e->first_ns / 1000000000 : 0);
	json_str(j, "state", states[c->state <= CONN_CLOSED ? c->state : CONN_CLOSED]);
	json_str(j, "reason", flow_reason(why));
	json_bool(j, "alerted", false);
	json_end(j);
}

void eve_flow(struct wr *w, const struct eve *e, enum conn_end why)
{
	struct json j;

	head(&j, w, e, "flow");
	if (e->is_tls)
		json_str(&j, "app_proto", "tls");
	flow(&j, e, why);
	tcp(&j, e->conn, e->client);
	if (e->is_tls)
		cleartap(&j, e);
	tail(&j);
}

void eve_anomaly(struct wr *w, const struct eve *e, int dir, enum verdict why, uint64_t missing)
{
	struct json j;

	head(&j, w, e, "anomaly");
	json_str(&j, "direction", dir == C2S ? "to_server" : "to_client");
	json_object(&j, "anomaly");
	json_str(&j, "type", "stream");
	json_str(&j, "event", verdict_label(why));
	if (missing)
		json_u64(&j, "missing_bytes", missing);
	json_end(&j);
	tail(&j);
}

void eve_stats(struct wr *w, uint64_t ts_ns, const struct eve_counter *c, uint32_t n)
{
	struct json j;

	json_init(&j, w);
	json_object(&j, NULL);
	time_member(&j, "timestamp", ts_ns);
	json_str(&j, "event_type", "stats");
	json_object(&j, "stats");
	for (uint32_t i = 0; i < n; i++)
		json_u64(&j, c[i].name, c[i].value);
	json_end(&j);
	tail(&j);
}
