/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of a certificate, for people who search for them. */
#include "cert.h"

#include <stdio.h>
#include <openssl/bio.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

static void colon_hex(char *out, size_t cap, const uint8_t *data, size_t n, const char *digits)
{
	if (n > cap / 3)
		n = cap / 3;
	for (size_t i = 0; i < n; i++) {
		*out++ = digits[data[i] >> 4];
		*out++ = digits[data[i] & 15];
		*out++ = i + 1 < n ? ':' : '\0';
	}
}

static void name(char *out, size_t cap, const X509_NAME *n)
{
	const unsigned long flags = XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | ASN1_STRFLGS_ESC_2253 |
		ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_UTF8_CONVERT;
	BIO *bio = BIO_new(BIO_s_mem());
	int len = 0;

	if (bio && X509_NAME_print_ex(bio, n, 0, flags) >= 0)
		len = BIO_read(bio, out, (int)cap - 1);
	out[len > 0 ? len : 0] = '\0';
	BIO_free(bio);
}

static void validity(char *out, size_t cap, const ASN1_TIME *t)
{
	struct tm tm;

	if (t && ASN1_TIME_to_tm(t, &tm))
		strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &tm);
}

/* The content octets of the DER: with the leading zero, as Suricata shows it. */
static void serial(char *out, size_t cap, const ASN1_INTEGER *n)
{
	unsigned char *der = NULL;
	int len = i2d_ASN1_INTEGER(n, &der), tag, class;
	const unsigned char *p = der;
	long content;

	if (len > 0 && !(ASN1_get_object(&p, &content, &tag, &class, len) & 0x80))
		colon_hex(out, cap, p, (size_t)content, "0123456789ABCDEF");
	OPENSSL_free(der);
}

void cert_read(struct eve_cert *out, const uint8_t *der, uint32_t len)
{
	static const char lower[] = "0123456789abcdef";
	uint8_t md[SHA256_DIGEST_LENGTH];
	const uint8_t *p = der;
	X509 *x;

	memset(out, 0, sizeof(*out));
	colon_hex(out->sha1, sizeof(out->sha1), SHA1(der, len, md), SHA_DIGEST_LENGTH, lower);
	colon_hex(out->sha256, sizeof(out->sha256), SHA256(der, len, md), sizeof(md), lower);
	x = d2i_X509(NULL, &p, (long)len);
	if (!x)
		return;
	name(out->subject, sizeof(out->subject), X509_get_subject_name(x));
	name(out->issuer, sizeof(out->issuer), X509_get_issuer_name(x));
	serial(out->serial, sizeof(out->serial), X509_get0_serialNumber(x));
	validity(out->not_before, sizeof(out->not_before), X509_get0_notBefore(x));
	validity(out->not_after, sizeof(out->not_after), X509_get0_notAfter(x));
	X509_free(x);
}

const struct eve_cert *certs_read(struct certs *c, const uint8_t *der, uint32_t len)
{
	uint8_t md[SHA256_DIGEST_LENGTH];
	size_t i;

	SHA256(der, len, md);
	i = (md[0] | (size_t)md[1] << 8) % CERTS;
	if (memcmp(c->at[i].sha256, md, sizeof(md)) != 0) {
		cert_read(&c->at[i].cert, der, len);
		memcpy(c->at[i].sha256, md, sizeof(md));
	}
	return &c->at[i].cert;
}
