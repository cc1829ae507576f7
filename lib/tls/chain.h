/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>

#include "tls/session.h"

/**
 * Does each record of this direction stand on the ciphertext of the one before it: CBC of TLS 1.0 and
 * SSL 3.0? Known before the keys are. (Key streams are another matter: material.passed counts them.)
 */
bool chain_is_iv(const struct session *s, const struct session_dir *dir);

/**
 * Ciphertext that nobody deciphers goes by: its last bytes are remembered, in a buffer of the
 * environment if there is one to be had.
 */
void chain_pass(struct tls_env *env, const struct session *s, struct session_dir *dir,
	const uint8_t *p, size_t n);

/** @p n bytes are missing between what went by and what comes. */
void chain_miss(struct tls_env *env, const struct session *s, struct session_dir *dir, uint64_t n);

/** The record that is being collected will not be complete: what is there of it has gone by. */
void chain_cut(struct tls_env *env, struct session_dir *dir);

/**
 * Stream ciphers: @p n bytes of key stream, or of whatever a hole has swallowed, that nobody has taken. How
 * many of them were headers is asked when the next record is opened.
 */
void chain_run_on(struct session *s, struct session_dir *dir, uint64_t n);

/**
 * After a hole: let all go by that can begin no header, because what follows it is no version's first byte.
 * At the end of @p in one byte is left that may.
 */
void chain_seek(struct tls_env *env, struct session *s, struct session_dir *dir, struct rd *in);

/**
 * A record begins after what went by: its IV is in the direction's material then, or dir->unchained says that it
 * was not seen. Gives the buffer back.
 */
void chain_settle(struct tls_env *env, struct session *s, struct session_dir *dir);

/** A whole record body: the next record's IV is in it, for whoever keys an opener then. */
void chain_note(struct session *s, struct session_dir *dir, const uint8_t *body, size_t len);

/** One that the direction's own opener did not open: that has to be keyed anew, and is given back. */
void chain_keep(struct tls_env *env, struct session *s, struct session_dir *dir,
	const uint8_t *body, size_t len);
