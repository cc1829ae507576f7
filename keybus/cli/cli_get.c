/* SPDX-License-Identifier: BSD-3-Clause */
/* get and watch: what lies in Redis, and what passes through it. */
#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "keybus/cli/cli.h"
#include "keybus/cluster.h"
#include "keybus/conn.h"
#include "keybus/payload.h"
#include "keybus/pull.h"
#include "keybus/schema.h"
#include "keybus/unseal.h"

struct reading {
	const struct cli *cli;
	struct access *access;
	struct unseal *unseal;
	int n;
	struct uri uri[URI_MAX];
	struct cluster cluster; /* of uri[], if they are its nodes */
	uint8_t text[SCHEMA_PAYLOAD_MAX];
};

static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	stopping = 1;
}

static int start(struct reading *r, const struct cli *c)
{
	char why[300];
	bool tls = false;

	r->cli = c;
	r->n = uri_list(r->uri, URI_MAX, c->servers, why, sizeof(why));
	if (r->n < 0)
		return cli_fail("%s", why);
	for (int i = 0; i < r->n; i++)
		tls |= r->uri[i].tls;
	if (access_new(&r->access, &c->access, tls, why, sizeof(why)))
		return cli_fail("%s", why);
	if (unseal_new(&r->unseal, r->access->lib))
		return cli_fail("no memory");
	if (c->seal_key && unseal_add(r->unseal, c->seal_key, why, sizeof(why)))
		return cli_fail("%s", why);
	return CLI_OK;
}

static void finish(struct reading *r)
{
	unseal_free(r->unseal);
	access_free(r->access);
	OPENSSL_cleanse(r->text, sizeof(r->text));
}

/* Print a payload; opened, if it is sealed and we have the key. @return CLI_OK. */
static int print(struct reading *r, const char *payload, size_t len)
{
	uint8_t client_random[32];
	ssize_t n = payload_is_sealed(payload, len) && len <= sizeof(r->text) ?
		unseal_text(r->unseal, payload, len, r->text, client_random) :
		-1;
	const char *out = n >= 0 ? (const char *)r->text : payload;
	size_t out_len = n >= 0 ? (size_t)n : len;

	fwrite(out, 1, out_len, stdout);
	if (!out_len || out[out_len - 1] != '\n')
		putchar('\n');
	return CLI_OK;
}

enum { NOT_THERE = -1, MOVED = -2 };

/* One command, and its reply. @return 0 or -errno. */
static int ask(struct conn *c, const struct conn_arg *argv, int argc, uint64_t deadline,
	redisReply **reply)
{
	int rc = conn_command(c, argv, argc);

	reader_reply_free(*reply);
	*reply = NULL;
	return rc ? rc : conn_await(c, reply, deadline);
}

/*
 * @param at  Where `uri` is in a cluster, and how we came there; set to where to go on.
 * @return CLI_OK; CLI_FAILED: said; NOT_THERE; MOVED: go on there.
 */
static int get_from(struct reading *r, const struct uri *uri, const struct schema_key *key,
	struct cluster_redirect *at)
{
	const struct conn_arg argv[] = { { "GET", 3 }, { key->text, strlen(key->text) } };
	const struct conn_arg asking[] = { { "ASKING", 6 } };
	uint64_t deadline = conn_now_ns() + r->cli->hold_ms * 1000000ull;
	char name[300], word[32];
	redisReply *reply = NULL;
	struct conn *c = conn_new(uri, r->access);
	int rc, status = NOT_THERE;

	if (!c)
		return cli_fail("no memory");
	rc = conn_open(c);
	if (!rc)
		rc = conn_ready(c, deadline);
	if (!rc && at && at->ask)
		rc = ask(c, asking, 1, deadline, &reply);
	if (!rc)
		rc = ask(c, argv, 2, deadline, &reply);
	if (rc)
		status = cli_fail("%s: %s", uri_text(uri, name, sizeof(name)),
			*conn_refusal(c) ? conn_refusal(c) : strerror(-rc));
	else if (at && cluster_follow(&r->cluster, reply, at->node, at))
		status = MOVED;
	else if (reply->type == REDIS_REPLY_ERROR)
		status = cli_fail("%s: %s", uri_text(uri, name, sizeof(name)),
			conn_error_word(reply, word, sizeof(word)));
	else if (reply->type == REDIS_REPLY_STRING)
		status = print(r, reply->str, reply->len);
	reader_reply_free(reply);
	conn_free(c);
	return status;
}

/* From the node of a cluster that has it; any of those named tells which. */
static int get_from_cluster(struct reading *r, const struct schema_key *key)
{
	int found = CLI_FAILED;

	cluster_init(&r->cluster, r->uri, r->n);
	for (int i = 0; i < r->n && found == CLI_FAILED; i++) {
		struct cluster_redirect at = { .node = i };
		int hops = 0;

		do
			found = get_from(r, &r->cluster.node[at.node], key, &at);
		while (found == MOVED && ++hops < CLUSTER_HOPS);
	}
	return found;
}

static int get_anywhere(struct reading *r, const uint8_t client_random[32])
{
	struct schema_key key = schema_key(SCHEMA_PAYLOAD, client_random, r->uri[0].cluster);
	int found = NOT_THERE;

	if (r->uri[0].cluster)
		return get_from_cluster(r, &key);
	for (int i = 0; found && i < r->n; i++)
		found = get_from(r, &r->uri[i], &key, NULL);
	return found;
}

int cli_get(const struct cli *c)
{
	static struct reading r;
	uint8_t client_random[32];
	int rc = start(&r, c), found = NOT_THERE;

	if (!rc && (strlen(c->args[0]) != 64 || hex_decode(client_random, c->args[0], 64) != V_OK))
		rc = cli_fail("%s: a client_random has 64 hexadecimal digits", c->args[0]);
	if (!rc)
		found = get_anywhere(&r, client_random);
	if (!rc && found < 0)
		found = cli_fail("no secrets of that connection");
	finish(&r);
	return rc ? rc : found;
}

static size_t lines(const char *text, size_t len)
{
	size_t n = len && text[len - 1] != '\n';

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static bool on_payload(void *arg, const char *payload, size_t len, uint8_t client_random[32])
{
	struct reading *r = arg;
	bool sealed = payload_is_sealed(payload, len), known;
	char hex[65] = "-";

	if (sealed)
		known = unseal_text(r->unseal, payload, len, r->text, client_random) >= 0;
	else
		known = payload_random(payload, len, client_random);
	if (known)
		hex_encode(hex, client_random, 32);
	printf("%s %s %zu bytes %zu lines\n", hex, sealed ? "sealed" : "plain", len,
		lines(payload, len));
	if (r->cli->secrets)
		print(r, payload, len);
	fflush(stdout);
	OPENSSL_cleanse(r->text, sizeof(r->text));
	return false; /* we are no sensor */
}

static int watch_all(struct pull **pull, int n)
{
	struct pollfd fds[PULL_FDS * URI_MAX];
	char said[64] = "";

	while (!stopping) {
		int n_fds = 0;

		for (int i = 0; i < n; i++) {
			const char *trouble = pull_trouble(pull[i]);

			pull_work(pull[i]);
			if (*trouble && strcmp(said, trouble) != 0)
				cli_fail("%s", trouble);
			if (*trouble)
				snprintf(said, sizeof(said), "%s", trouble);
			n_fds += pull_fds(pull[i], fds + n_fds, PULL_FDS);
		}
		poll(fds, (nfds_t)n_fds, 100);
	}
	return CLI_OK;
}

int cli_watch(const struct cli *c)
{
	struct sigaction act = { .sa_handler = on_signal };
	static struct reading r;
	struct pull *pull[URI_MAX] = { 0 };
	int rc = start(&r, c), n = 0;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	for (int i = 0; i < r.n && !rc; n++) {
		struct pull_cfg cfg = { &r.uri[i], r.uri[i].cluster ? r.n - i : 1, r.access,
			"watch", on_payload, &r };

		pull[n] = pull_new(&cfg);
		if (!pull[n])
			rc = cli_fail("no memory");
		i += cfg.n_uri;
	}
	if (!rc)
		rc = watch_all(pull, n);
	for (int i = 0; i < n; i++)
		pull_free(pull[i]);
	finish(&r);
	return rc;
}
