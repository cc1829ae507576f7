/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A server's RSA private key: it opens the key exchange of RSA suites (TLS <= 1.2). */
struct rsakey;

/**
 * @param path  PEM file, without a passphrase.
 * @return 0 or -errno; said on stderr.
 */
int rsakey_open(struct rsakey **out, const char *path);

/**
 * Decrypt an encrypted premaster secret.
 * @return true if it was encrypted for this key and is one.
 */
bool rsakey_decrypt(struct rsakey *k, const uint8_t *in, size_t len, uint8_t premaster[48]);

void rsakey_close(struct rsakey *k);
