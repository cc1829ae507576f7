/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/crypto.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define UNSEAL_KEYS_MAX 8 /* keys in use at once, while they are changed */
#define UNSEAL_RECENT 256 /* encapsulations that are remembered */

/** The sensor's private keys, and the encapsulations it has lately opened. One thread's. */
struct unseal;

int unseal_new(struct unseal **out, OSSL_LIB_CTX *lib);

/** Cleanses the keys. */
void unseal_free(struct unseal *u);

/**
 * Add a private key.
 * @param path  PEM file (PKCS#8) with an X25519 key, no passphrase; nobody but its owner may read it.
 * @param why   On failure: what, and what to do.
 * @return 0 or -errno.
 */
int unseal_add(struct unseal *u, const char *path, char *why, size_t why_size);

/**
 * Open a sealed payload. Its AAD is the client_random that the text inside names: the text is
 * deciphered, the name is read, and then the tag is checked under it.
 *
 * @param out            The text, @p len bytes of room; to be cleansed. Not terminated.
 * @param client_random  Out: which connection it speaks of.
 * @return length of the text; -ENOKEY: for another sensor; -EINVAL: not in the form of one;
 *         -EBADMSG: not what was sealed, or it names no connection.
 */
ssize_t unseal_text(
	struct unseal *u, const char *payload, size_t len, uint8_t *out, uint8_t client_random[32]);
