/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"
#include "tls/suite.h"

/** Version numbers as on the wire. Drafts of TLS 1.3 are 0x7f00 + draft. */
enum { SSL3 = 0x0300, TLS10, TLS11, TLS12, TLS13 };

static inline bool version_is_13(uint16_t v)
{
	return v == TLS13 || (v >> 8) == 0x7f;
}

/** Longest record body accepted: 2^14 + 2048 (RFC 5246, section 6.2.3). */
#define RECORD_MAX (16384 + 2048)

/** Keys of one direction, from the key schedule. Secret: whoever holds one cleanses it. */
struct record_keys {
	const struct suite *suite;
	uint16_t version;
	bool etm; /* RFC 7366 */
	uint8_t key[32];
	uint8_t iv[16];
	union {
		uint8_t mac[48];    /* TLS <= 1.2, where the suite has a MAC of its own */
		uint8_t secret[48]; /* TLS 1.3: the traffic secret that key and iv come from */
	};
};

/**
 * What opens records in one worker: the AEAD back-ends and ciphers that this CPU and this OpenSSL
 * have, chosen once at start. All heap that OpenSSL takes for them is taken in opener_env_init().
 */
struct opener_env;
size_t opener_env_bytes(void);
/**
 * @param mem      opener_env_bytes() bytes, aligned to 64.
 * @param backend  NULL: the best for each cipher; else only this ("openssl", "ipsec-mb", "vaes") and, for
 *                 what it cannot do, OpenSSL.
 * @return the environment, or NULL if the back-end is not in this build or not for this CPU.
 *
 * It has a library context of its own with the default and, if installed, the legacy provider.
 */
struct opener_env *opener_env_init(void *mem, const char *backend);
void opener_env_fini(struct opener_env *env);
/** Name of the back-end that opens a cipher; NULL if none does. */
const char *opener_backend(const struct opener_env *env, enum cipher_alg alg);

/**
 * One direction's expanded keys and cipher state. Large; a worker has a bounded number of them and
 * lends them to the directions that are in use.
 *
 * Context: the worker that owns it.
 */
struct opener;
/** @param env  NULL: as much as any CPU could need. @return a multiple of 64. */
size_t opener_bytes(const struct opener_env *env);
/**
 * @param mem  opener_bytes(env) bytes, aligned to 64.
 * @param env  Kept until opener_fini(); many openers share it.
 */
struct opener *opener_init(void *mem, struct opener_env *env);
/** Cleanses the keys. */
void opener_fini(struct opener *o);

/**
 * Expand keys; those before are cleansed, and a record in flight is forgotten. By OpenSSL this
 * also allocates; by the other back-ends it only computes.
 *
 * @param keys  Borrowed.
 * @return V_OK, or V_SUITE: no back-end, no memory, no MAC, or a cipher that this version does not have. The
 *         opener then has no keys, and opens nothing.
 */
enum verdict opener_key(struct opener *o, const struct record_keys *keys);

/** true: a key stream runs on from record to record (RC4), so the opener has to be kept. */
bool opener_runs_on(const struct record_keys *keys);

/** One record as it was on the wire, and where its plaintext goes. Borrowed. */
struct opener_record {
	uint64_t seq;       /* record number of this direction and epoch */
	const uint8_t *hdr; /* the 5 bytes of its header */
	const uint8_t *in;  /* its body; equal to out, or apart from it */
	size_t len;         /* of the body */
	uint8_t *out;       /* room for RECORD_MAX bytes */
	size_t skip;        /* stream ciphers: key stream that ran before it */
};

/**
 * Open one whole record. Not between opener_begin() and opener_finish() or opener_restore().
 *
 * After a failure the opener is as it was and may be asked again, with another number for instance.
 *
 * The plaintext starts at r->out[0]; after an error what is there is undefined. Where the wire carries
 * a nonce or IV (TLS 1.1 and 1.2), opening in place costs a move.
 *
 * @param len   Set to the length of the plaintext.
 * @param type  Content type: the header's, or of TLSInnerPlaintext (TLS 1.3, padding removed).
 * @return V_OK; V_TAG (AEAD, or no keys) or V_MAC; V_PADDING: too short or longer than RECORD_MAX,
 *         malformed CBC padding, or a TLS 1.3 record without a content type.
 */
enum verdict opener_open(
	struct opener *o, const struct opener_record *r, size_t *len, uint8_t *type);

/** Stream ciphers: @p n bytes of key stream belong to records that nobody opens. */
void opener_skip(struct opener *o, size_t n);

/**
 * Open one record as its bytes come: begin, update with the body in pieces of any size, finish.
 * Plaintext is written to @p out from out[0] on (without the explicit nonce of TLS 1.2), and is
 * not to be looked at before opener_finish() has returned V_OK. The length of the body is that of
 * the header; bytes beyond it are passed over. Pieces are borrowed and do not overlap @p out, which
 * has room for RECORD_MAX bytes and is kept until finish or restore.
 *
 * @return true if this suite and back-end can; else collect the body and use opener_open().
 */
bool opener_streams(const struct opener *o);
void opener_begin(struct opener *o, uint64_t seq, const uint8_t hdr[5], uint8_t *out);
void opener_update(struct opener *o, const uint8_t *in, size_t len);
enum verdict opener_finish(struct opener *o, size_t *out_len, uint8_t *type);
/** The record in flight will not be complete. The keys stay. */
void opener_drop(struct opener *o);
/**
 * After a failed opener_finish(), before any other call: turn `out` back into the record body as it
 * was on the wire, as far as it came, nonce and tag included, so that it can be tried with another
 * number or other keys by opener_open(). It costs as much as opening did.
 */
void opener_restore(struct opener *o);
