/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"
#include "keys/keylog.h"

/** Longest secret of an entry: SHA-384 sized traffic secrets, master secrets. */
#define KEY_SECRET_MAX 48
/** Longest premaster kept; longer ones (DH beyond 4096 bits) are V_KEY_LEN. */
#define KEY_PREMASTER_MAX 512

/** Name of an entry. */
struct key_name {
	uint8_t id[32]; /* id_len bytes, the rest 0 */
	uint8_t id_len;
	uint8_t kind;        /* enum key_id */
	uint16_t generation; /* n of *_TRAFFIC_SECRET_n */
};

struct key_secret {
	uint8_t len; /* 0: not known */
	uint8_t data[KEY_SECRET_MAX];
};

/** All that is known under one name. A copy; whoever holds one cleanses it. */
struct key_entry {
	struct key_secret master;
	struct key_secret client_early;
	struct key_secret handshake[2]; /* 0 client, 1 server */
	struct key_secret traffic[2];
	uint16_t premaster_len;
	uint8_t premaster[KEY_PREMASTER_MAX];
};

struct keytab_cfg {
	uint32_t max_entries; /* names; 1/16 of them, but at least 64, may have a premaster */
	uint32_t ttl_s;       /* seconds without being put again; 0: for ever */
	uint64_t seed;        /* from the system's random source: it keys the hash */
};

/**
 * client_random -> secrets, bounded, for one writer and any number of readers.
 *
 * When the table is full the entry put longest ago is wiped for a new one. Memory that was never
 * needed is never touched. Secrets of generation n > 0 are entries of their own.
 */
struct keytab;

/** Bytes of memory for a table of this configuration. */
size_t keytab_bytes(const struct keytab_cfg *cfg);

/**
 * @param mem  keytab_bytes() bytes of zeros, aligned to 64; kept until keytab_fini().
 *             The caller provides memory that is locked and left out of core dumps.
 */
struct keytab *keytab_init(void *mem, const struct keytab_cfg *cfg);

/** Cleanse every secret. */
void keytab_fini(struct keytab *t);

/**
 * Add what a key-log line says; later lines of the same name complete or replace it.
 *
 * @param now_s  The writer's clock, seconds; any origin, never falling.
 * @return V_OK; V_KEY_FULL: stored, but an older entry (or an older premaster) was wiped for it;
 *         V_KEY_LEN: longer than an entry can hold; V_MORE: of no use (KEY_UNUSED).
 *
 * Context: the one writer.
 */
enum verdict keytab_put(struct keytab *t, const struct keylog_line *line, uint32_t now_s);

/**
 * Copy out what is known under a name.
 *
 * @param out  A copy, to be cleansed by the caller; all zero if V_NO_KEY.
 * @return V_OK, or V_NO_KEY: also if the writer was in the middle of the entry for too long; the
 *         version rises when it is done.
 *
 * Context: any number of readers beside the writer; no lock, a bounded number of tries: a reader
 * never sees half an entry and never waits for the writer.
 */
enum verdict keytab_get(const struct keytab *t, const struct key_name *name, struct key_entry *out);

/** Wipe entries older than the TTL, the oldest first, a bounded number a call. Context: writer. */
void keytab_expire(struct keytab *t, uint32_t now_s);

/** Rises with every secret added: a reader that found nothing need not look again before. */
uint32_t keytab_version(const struct keytab *t);

/** Entries in the table. Context: any. */
uint32_t keytab_count(const struct keytab *t);

/** Wipe bytes so that the compiler cannot leave it out. */
void key_cleanse(void *p, size_t n);
