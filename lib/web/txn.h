/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tls/text.h"

/** What is kept of the words of a transaction. */
enum txn_value {
	TXN_METHOD,
	TXN_TARGET,
	TXN_HOST,
	TXN_AGENT,
	TXN_REFERER,
	TXN_TYPE, /* of the response's content */
	TXN_VALUES
};

/** The most that is kept of each, in bytes; the rest is cut off and said to be. */
#define TXN_MAX                                                                                    \
	{                                                                                          \
		32, 2048, 256, 512, 1024, 128                                                      \
	}
#define TXN_TEXT_MAX (32 + 2048 + 256 + 512 + 1024 + 128)

/**
 * A request and its response, or what was seen of them. Values are what was on the wire, any bytes:
 * whoever prints them escapes them. Arrays and bits are by enum tls_dir.
 */
struct txn {
	uint64_t first_ns[2]; /* of the packets that brought the first byte of each message */
	uint64_t last_ns;     /* and the last one of the response */
	uint64_t body_len[2]; /* content seen, without transfer coding, still compressed */
	uint32_t id;          /* 0 for the first one of its connection to be given */
	uint16_t status;
	uint8_t minor[2];  /* HTTP/1.minor */
	uint8_t seen;      /* bit: the message was */
	uint8_t cut;       /* bit: some of it is missing, or its end cannot be told */
	uint8_t truncated; /* bit of enum txn_value: longer than what is kept */
	uint8_t kept;      /* bit of enum txn_value: it is there, perhaps empty */
	uint16_t at[TXN_VALUES], len[TXN_VALUES];
	uint16_t used;
	char text[TXN_TEXT_MAX];
};

/** A value; NULL if there is none. @param len  Its length. */
static inline const char *txn_get(const struct txn *t, enum txn_value v, size_t *len)
{
	*len = t->len[v];
	return t->kept >> v & 1 ? t->text + t->at[v] : NULL;
}

/** Keep a value, once: the first one counts. */
static inline void txn_put(struct txn *t, enum txn_value v, const void *data, size_t len)
{
	static const uint16_t max[TXN_VALUES] = TXN_MAX;

	if (t->kept >> v & 1)
		return;
	t->kept |= (uint8_t)(1 << v);
	if (len > max[v]) {
		len = max[v];
		t->truncated |= (uint8_t)(1 << v);
	}
	t->at[v] = t->used;
	t->len[v] = (uint16_t)len;
	memcpy(t->text + t->used, data, len);
	t->used += (uint16_t)len;
}

static inline bool txn_is(const struct txn *t, enum txn_value v, const char *word)
{
	size_t len;
	const char *p = txn_get(t, v, &len);

	return p && len == strlen(word) && !memcmp(p, word, len);
}
