/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From payload to key table. What is told of a server is told on change of state: that it is subscribed
 * to, or what is wrong; never for a payload.
 */
#include "keyredis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keybus/payload.h"
#include "keybus/pull.h"
#include "keybus/schema.h"
#include "keybus/unseal.h"
#include "keyring.h"

struct server {
	struct pull *pull;
	int n_uri; /* nodes of one cluster; else 1 */
	struct uri uri[URI_MAX];
	bool said_up;
	char said[64]; /* of what is wrong */
};

struct keyredis {
	const struct options *opt;
	struct keytab *table;
	struct access *access;
	struct unseal *unseal; /* no keys in it: nothing sealed can be opened */
	bool require_seal;
	uint32_t now_s;
	struct key_counts counts;
	char id[64];
	int n;
	struct server server[OPTIONS_MAX];
	uint8_t text[SCHEMA_PAYLOAD_MAX];
};

bool keyredis_is(const char *uri)
{
	return uri_is(uri);
}

static void refuse(struct keyredis *k, enum verdict v)
{
	k->counts.by[v]++;
}

/* @return whether there was something of use. */
static bool install(struct keyredis *k, const char *text, size_t len)
{
	uint64_t before = keys_stored(&k->counts);

	k->counts.scope = (struct tuple_scope){ 0 };
	keys_put_text(k->table, text, len, k->now_s, &k->counts);
	return keys_stored(&k->counts) > before;
}

static bool on_sealed(
	struct keyredis *k, const char *payload, size_t len, uint8_t client_random[32])
{
	ssize_t n = unseal_text(k->unseal, payload, len, k->text, client_random);
	bool ok = n > 0 && install(k, (const char *)k->text, (size_t)n);

	if (n < 0)
		refuse(k, n == -ENOKEY ? V_KEY_SEALED : V_KEY_SEAL);
	key_cleanse(k->text, len);
	return ok;
}

static bool on_payload(void *arg, const char *payload, size_t len, uint8_t client_random[32])
{
	struct keyredis *k = arg;

	if (payload_is_sealed(payload, len))
		return on_sealed(k, payload, len, client_random);
	if (k->require_seal) {
		refuse(k, V_KEY_PLAIN);
		return false;
	}
	return install(k, payload, len) && payload_random(payload, len, client_random);
}

/* Tells two sensors apart, also on one host. */
static void name_self(char *id, size_t size)
{
	char host[40] = "";

	gethostname(host, sizeof(host) - 1);
	snprintf(id, size, "%s/%d", *host ? host : "sensor", (int)getpid());
}

static int say(const char *what, const char *why, int rc)
{
	fprintf(stderr, "cleartap: %s: %s\n", what, why);
	return rc;
}

/* The keys of --seal-key, or, if one of them cannot be read, those that there were. */
static int open_seal(struct keyredis *k)
{
	struct unseal *next;
	char why[300];
	int rc = unseal_new(&next, k->access->lib);

	if (rc)
		return say("--seal-key", strerror(-rc), rc);
	for (int i = 0; i < k->opt->n_seal_keys && !rc; i++)
		rc = unseal_add(next, k->opt->seal_keys[i], why, sizeof(why));
	if (rc) {
		unseal_free(next);
		return say("--seal-key", why, rc);
	}
	unseal_free(k->unseal);
	k->unseal = next;
	return 0;
}

void keyredis_reload(struct keyredis *k)
{
	int n = k->opt->n_seal_keys;

	if (n && !open_seal(k))
		fprintf(stderr, "cleartap: --seal-key: %d read again\n", n);
}

/* Nodes of a cluster that are named together are one server. */
static bool add_server(struct keyredis *k, const struct uri *uri, bool further)
{
	struct server *last = k->n ? &k->server[k->n - 1] : NULL;

	if (further && last && uri->cluster && last->uri[0].cluster) {
		last->uri[last->n_uri++] = *uri;
		return true;
	}
	if (k->n == OPTIONS_MAX)
		return false;
	k->server[k->n].uri[0] = *uri;
	k->server[k->n++].n_uri = 1;
	return true;
}

static int list_servers(struct keyredis *k)
{
	const struct options *opt = k->opt;
	struct uri uri[URI_MAX];
	char why[300];

	for (int i = 0; i < opt->n_keys; i++) {
		int n = keyredis_is(opt->keys[i]) ?
			uri_list(uri, URI_MAX, opt->keys[i], why, sizeof(why)) :
			0;

		if (n < 0)
			return say("--keys", why, n);
		for (int j = 0; j < n; j++)
			if (!add_server(k, &uri[j], j > 0))
				return say("--keys", "too many servers", -ENOSPC);
	}
	return 0;
}

static int open_servers(struct keyredis *k)
{
	const struct options *opt = k->opt;
	const struct access_cfg cfg = { opt->redis_ca, opt->redis_cert, opt->redis_key,
		opt->redis_password_file, NULL };
	char why[300];
	bool tls = false;
	int rc;

	for (int i = 0; i < k->n; i++)
		for (int j = 0; j < k->server[i].n_uri; j++)
			tls |= k->server[i].uri[j].tls;
	rc = access_new(&k->access, &cfg, tls, why, sizeof(why));
	if (rc)
		return say("Redis", why, rc);
	for (int i = 0; i < k->n; i++) {
		const struct pull_cfg pull = { k->server[i].uri, k->server[i].n_uri, k->access,
			k->id, on_payload, k };

		k->server[i].pull = pull_new(&pull);
		if (!k->server[i].pull)
			return say("Redis", "no memory", -ENOMEM);
	}
	k->require_seal = opt->require_seal;
	if (k->require_seal && !opt->n_seal_keys)
		return say("--require-seal", "needs --seal-key FILE to open anything", -EINVAL);
	return open_seal(k);
}

int keyredis_new(struct keyredis **out, struct keytab *table, const struct options *opt)
{
	struct keyredis *k = calloc(1, sizeof(*k));
	int rc;

	*out = NULL;
	if (!k)
		return say("Redis", "no memory", -ENOMEM);
	k->opt = opt;
	k->table = table;
	name_self(k->id, sizeof(k->id));
	rc = list_servers(k);
	if (!rc)
		rc = open_servers(k);
	if (rc)
		keyredis_free(k);
	else
		*out = k;
	return rc;
}

void keyredis_free(struct keyredis *k)
{
	if (!k)
		return;
	for (int i = 0; i < k->n; i++)
		pull_free(k->server[i].pull);
	unseal_free(k->unseal);
	access_free(k->access);
	key_cleanse(k, sizeof(*k));
	free(k);
}

int keyredis_fds(const struct keyredis *k, struct pollfd *fds)
{
	int n = 0;

	for (int i = 0; i < k->n; i++)
		n += pull_fds(k->server[i].pull, fds + n, KEYREDIS_FDS - n);
	return n;
}

static void tell(struct server *s)
{
	bool up = pull_is_subscribed(s->pull);
	const char *trouble = pull_trouble(s->pull);
	char name[300];

	if (up == s->said_up && (up || !strcmp(trouble, s->said)))
		return;
	s->said_up = up;
	snprintf(s->said, sizeof(s->said), "%s", up ? "" : trouble);
	fprintf(stderr, "cleartap: %s: %s\n", uri_text(s->uri, name, sizeof(name)),
		up               ? "subscribed" :
			*trouble ? trouble :
				   "connection lost");
}

void keyredis_work(struct keyredis *k, uint32_t now_s)
{
	k->now_s = now_s;
	for (int i = 0; i < k->n; i++) {
		pull_work(k->server[i].pull);
		tell(&k->server[i]);
	}
}

void keyredis_want(struct keyredis *k, const uint8_t client_random[32])
{
	for (int i = 0; i < k->n; i++)
		pull_want(k->server[i].pull, client_random);
}

void keyredis_count(const struct keyredis *k, struct counters *c)
{
	keyring_count(c, &k->counts);
	for (int i = 0; i < k->n; i++) {
		const struct pull_counts *p = pull_counts(k->server[i].pull);

		c->keys_acknowledged += __atomic_load_n(&p->acknowledged, __ATOMIC_RELAXED);
		c->keys_unacknowledged += __atomic_load_n(&p->unsaid, __ATOMIC_RELAXED);
		c->keys_asked += __atomic_load_n(&p->asked, __ATOMIC_RELAXED);
		c->keys_fetched += __atomic_load_n(&p->fetched, __ATOMIC_RELAXED);
		c->redis_refused += __atomic_load_n(&p->refused, __ATOMIC_RELAXED);
		c->redis_losses += __atomic_load_n(&p->losses, __ATOMIC_RELAXED);
	}
}
