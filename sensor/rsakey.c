/* SPDX-License-Identifier: BSD-3-Clause */
/* Static RSA keys: the way passive decryption was done before forward secrecy, for what still has none. */
#include "rsakey.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/keytab.h"

struct rsakey {
	EVP_PKEY *key;
	EVP_PKEY_CTX *ctx;
};

/* A passphrase is not asked for: it would have to come from a terminal that may not be there. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	return 0;
}

int rsakey_open(struct rsakey **out, const char *path)
{
	FILE *f = fopen(path, "r");
	struct rsakey *k = calloc(1, sizeof(*k));

	if (!f || !k) {
		int rc = errno ? -errno : -ENOMEM;

		fprintf(stderr, "cleartap: --keys rsa:%s: %s; give a PEM file that can be read\n",
			path, strerror(-rc));
		free(k);
		if (f)
			fclose(f);
		return rc;
	}
	k->key = PEM_read_PrivateKey(f, NULL, no_passphrase, NULL);
	fclose(f);
	if (k->key && EVP_PKEY_is_a(k->key, "RSA"))
		k->ctx = EVP_PKEY_CTX_new(k->key, NULL);
	if (!k->ctx || EVP_PKEY_decrypt_init(k->ctx) <= 0 ||
		EVP_PKEY_CTX_set_rsa_padding(k->ctx, RSA_PKCS1_PADDING) <= 0) {
		fprintf(stderr,
			"cleartap: --keys rsa:%s: no RSA private key in PEM without a passphrase\n",
			path);
		ERR_clear_error();
		rsakey_close(k);
		return -EINVAL;
	}
	*out = k;
	return 0;
}

bool rsakey_decrypt(struct rsakey *k, const uint8_t *in, size_t len, uint8_t premaster[48])
{
	uint8_t out[2048];
	size_t n = sizeof(out);
	bool ok = EVP_PKEY_get_size(k->key) <= (int)sizeof(out) &&
		EVP_PKEY_decrypt(k->ctx, out, &n, in, len) > 0 && n == 48;

	if (ok)
		memcpy(premaster, out, 48);
	else
		ERR_clear_error();
	key_cleanse(out, sizeof(out));
	return ok;
}

void rsakey_close(struct rsakey *k)
{
	EVP_PKEY_CTX_free(k->ctx);
	EVP_PKEY_free(k->key);
	free(k);
}
