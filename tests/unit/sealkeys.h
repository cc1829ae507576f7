/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

/** A key pair in files PATH (0600) and PATH.pub. */
static inline void sealkeys_make(const char *path)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	char pub[128];
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	chmod(path, 0600);
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	snprintf(pub, sizeof(pub), "%s.pub", path);
	f = fopen(pub, "w");
	PEM_write_PUBKEY(f, key);
	fclose(f);
	EVP_PKEY_free(key);
}

static inline void sealkeys_remove(const char *path)
{
	char pub[128];

	snprintf(pub, sizeof(pub), "%s.pub", path);
	unlink(path);
	unlink(pub);
}
