/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "unit.h"

/** A key and a certificate for it, signed by `by` (or by itself), in files DIR/NAME.key and .crt. */
struct certs {
	EVP_PKEY *key;
	X509 *crt;
};

static inline void certs_extension(X509 *crt, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);

	ck_assert_ptr_nonnull(e);
	X509_add_ext(crt, e, -1);
	X509_EXTENSION_free(e);
}

static inline struct certs certs_make(
	const char *dir, const char *name, const struct certs *by, const char *alt)
{
	struct certs c = { EVP_EC_gen("P-256"), X509_new() };
	X509_NAME *subject = X509_get_subject_name(c.crt);
	char path[256];
	FILE *f;

	X509_set_version(c.crt, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.crt), by ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(c.crt), -3600);
	X509_gmtime_adj(X509_getm_notAfter(c.crt), 86400);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(c.crt, by ? X509_get_subject_name(by->crt) : subject);
	X509_set_pubkey(c.crt, c.key);
	if (by)
		certs_extension(c.crt, NID_subject_alt_name, alt);
	else
		certs_extension(c.crt, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(c.crt, by ? by->key : c.key, EVP_sha256());
	snprintf(path, sizeof(path), "%s/%s.key", dir, name);
	f = fopen(path, "w");
	PEM_write_PrivateKey(f, c.key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	snprintf(path, sizeof(path), "%s/%s.crt", dir, name);
	f = fopen(path, "w");
	PEM_write_X509(f, c.crt);
	fclose(f);
	return c;
}

static inline void certs_free(struct certs *c)
{
	EVP_PKEY_free(c->key);
	X509_free(c->crt);
}
