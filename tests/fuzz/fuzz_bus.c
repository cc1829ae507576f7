/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a hostile Redis may say: replies, payloads in them, plain or sealed, key-log lines in those;
 * redirections and maps of a cluster.
 */
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keybus/cluster.h"
#include "keybus/payload.h"
#include "keybus/reader.h"
#include "keybus/unseal.h"
#include "keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A private key that the seeds are sealed to: 32 times 7. */
static struct unseal *unsealer(void)
{
	char path[] = "/tmp/fuzz_bus.XXXXXX", why[200];
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	uint8_t sk[32];
	struct unseal *u;
	EVP_PKEY *key;

	memset(sk, 7, sizeof(sk));
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, sk, sizeof(sk));
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	EVP_PKEY_free(key);
	assert(!unseal_new(&u, NULL) && !unseal_add(u, path, why, sizeof(why)));
	unlink(path);
	return u;
}

static struct keytab *table(void)
{
	_Alignas(64) static uint8_t mem[1 << 18];
	static const struct keytab_cfg cfg = { .max_entries = 64, .seed = 1 };

	assert(keytab_bytes(&cfg) <= sizeof(mem));
	return keytab_init(mem, &cfg);
}

static void on_payload(struct unseal *u, struct keytab *t, const redisReply *r)
{
	struct key_counts counts = { 0 };
	uint8_t client_random[32], *text = malloc(r->len + 1);
	ssize_t n;

	if (payload_is_sealed(r->str, r->len)) {
		n = unseal_text(u, r->str, r->len, text, client_random);
		assert(n <= (ssize_t)r->len);
		if (n > 0)
			keys_put_text(t, (const char *)text, (size_t)n, 0, &counts);
	} else {
		payload_random(r->str, r->len, client_random);
		keys_put_text(t, r->str, r->len, 0, &counts);
	}
	free(text);
}

static void on_reply(struct unseal *u, struct keytab *t, const redisReply *r)
{
	static struct cluster c;
	struct cluster_redirect to;
	struct uri seed = { .cluster = true, .host = "h", .port = "1" };

	if (r->type == REDIS_REPLY_STRING)
		on_payload(u, t, r);
	cluster_init(&c, &seed, 1);
	if (cluster_follow(&c, r, 0, &to))
		assert(to.node < c.n && to.slot < CLUSTER_SLOTS);
	cluster_load(&c, r, 0);
	for (uint16_t s = 0; s < CLUSTER_SLOTS; s += 97)
		assert(cluster_owner(&c, s) < c.n);
	for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++)
		if (r->element[i]->type == REDIS_REPLY_STRING)
			on_payload(u, t, r->element[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct unseal *u;
	static struct keytab *t;
	struct reader *reader = reader_new();
	redisReply *r;

	if (!u) {
		u = unsealer();
		t = table();
	}
	for (size_t at = 0; at < size; at += READER_FEED_MAX) {
		size_t n = size - at < READER_FEED_MAX ? size - at : READER_FEED_MAX;

		if (reader_feed(reader, data + at, n))
			break;
		while (!reader_next(reader, &r) && r) {
			on_reply(u, t, r);
			reader_reply_free(r);
		}
	}
	reader_free(reader);
	return 0;
}
