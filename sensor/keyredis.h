/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "counters.h"
#include "keys/keytab.h"
#include "options.h"

/** Key sources that are Redis servers: payloads are unsealed and put into the table. */
struct keyredis;

/** Most descriptors that are waited for; what is beyond is looked at as often as files are. */
#define KEYREDIS_FDS 256

/** Whether --keys URI names a Redis server. */
bool keyredis_is(const char *uri);

/**
 * Take up all servers among opt->keys, and what the options say of sealing.
 * @param opt    Kept until keyredis_free().
 * @param table  Written to by keyredis_work() alone, and whoever else is that thread.
 * @return 0 or -errno, said on stderr.
 */
int keyredis_new(struct keyredis **out, struct keytab *table, const struct options *opt);
void keyredis_free(struct keyredis *k);

/** What wakes keyredis_work(). @return descriptors, at most KEYREDIS_FDS. */
int keyredis_fds(const struct keyredis *k, struct pollfd *fds);

/** Go on with every server. Context: the key thread; does not wait. */
void keyredis_work(struct keyredis *k, uint32_t now_s);

/** Read the keys of --seal-key again; if one cannot be, said on stderr, all stay as they are. Context: the key thread. */
void keyredis_reload(struct keyredis *k);

/** Fetch the secrets of a connection that were looked for in vain, from whichever server has them. */
void keyredis_want(struct keyredis *k, const uint8_t client_random[32]);

/** Add what was installed, refused, acknowledged and fetched. Context: any. */
void keyredis_count(const struct keyredis *k, struct counters *c);
