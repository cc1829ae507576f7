/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "cert.h"

/* Self-signed by `openssl req -x509`; what is expected of it is what `openssl x509` prints. */
static const char der_hex[] =
	"308201b93082015ea0030201020205009cfcda1c300a06082a8648ce3d0403023039310b3009060355040613"
	"02444531133011060355040a0c0a41636d652c20496e632e3115301306035504030c0c6578616d706c652e74"
	"657374301e170d3236313132343038323730305a170d3336313132313038323730305a3039310b3009060355"
	"04061302444531133011060355040a0c0a41636d652c20496e632e3115301306035504030c0c6578616d706c"
	"652e746573743059301306072a8648ce3d020106082a8648ce3d030107034200049c3a6b5761c423673716b4"
	"86f3ef261622d309d0d95ba854e082ff6ff831d111b576f9647968ff17f762cdffd92ffb269de38c05c2f0fe"
	"07670757f28da51ca5a3533051301d0603551d0e04160414b769d700caa6ad584dd9c9ea9c8bd1653ce3bee6"
	"301f0603551d23041830168014b769d700caa6ad584dd9c9ea9c8bd1653ce3bee6300f0603551d130101ff04"
	"0530030101ff300a06082a8648ce3d0403020349003046022100e5d2bd51d048a23cbd7caa3fd2580dbb078b"
	"d9246fbeab67bad6c46d2d719c540221009b38e56fb5fc818ab200b4f55bf0a9814eecdbe3e91915a4e465e2"
	"26a654c347";

static uint8_t der[1024];
static struct eve_cert cert;

START_TEST(says_what_openssl_says)
{
	cert_read(&cert, der, (uint32_t)unhex(der, der_hex));
	ck_assert_str_eq(cert.subject, "C=DE, O=Acme\\, Inc., CN=example.test");
	ck_assert_str_eq(cert.issuer, cert.subject);
	ck_assert_str_eq(cert.serial, "00:9C:FC:DA:1C");
	ck_assert_str_eq(cert.not_before, "2026-11-24T08:27:00");
	ck_assert_str_eq(cert.not_after, "2036-11-21T08:27:00");
	ck_assert_str_eq(cert.sha1, "b7:59:33:80:e2:ce:41:f9:5f:a3:4c:2a:d1:78:dd:b7:66:1a:6b:f3");
	ck_assert_str_eq(cert.sha256,
		"ef:a8:67:75:51:d4:3c:12:75:31:29:a4:58:2b:89:d4:"
		"e5:d1:5c:b2:17:c3:af:7b:f8:b3:a0:91:73:a2:cd:ed");
}
END_TEST

/* Cut anywhere, it is no certificate, but it has fingerprints. */
START_TEST(truncated)
{
	size_t len = unhex(der, der_hex);

	for (size_t n = 0; n < len; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, der, n);
		cert_read(&cert, exact, (uint32_t)n);
		ck_assert_str_eq(cert.subject, "");
		ck_assert_str_eq(cert.not_after, "");
		ck_assert_uint_eq(strlen(cert.sha256), 95);
		free(exact);
	}
}
END_TEST

START_TEST(flipped)
{
	size_t len = unhex(der, der_hex);

	for (size_t i = 0; i < 8 * len; i++) {
		der[i / 8] ^= (uint8_t)(1 << i % 8);
		cert_read(&cert, der, (uint32_t)len);
		ck_assert_uint_eq(strlen(cert.sha1), 59);
		ck_assert_uint_lt(strlen(cert.subject), sizeof(cert.subject));
		der[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}
END_TEST

/* More of them than there are places: each is told apart from who was there before. */
START_TEST(read_before)
{
	static struct certs certs;
	size_t len = unhex(der, der_hex);

	for (size_t i = 0; i < 4 * len; i++) {
		der[i / 4] ^= (uint8_t)(1 << i / 2 % 2);
		cert_read(&cert, der, (uint32_t)len);
		ck_assert_mem_eq(certs_read(&certs, der, (uint32_t)len), &cert, sizeof(cert));
		der[i / 4] ^= (uint8_t)(1 << i / 2 % 2);
	}
	cert_read(&cert, der, (uint32_t)len);
	ck_assert_mem_eq(certs_read(&certs, der, (uint32_t)len), &cert, sizeof(cert));
	ck_assert_ptr_eq(
		certs_read(&certs, der, (uint32_t)len), certs_read(&certs, der, (uint32_t)len));
}
END_TEST

UNIT_MAIN("cert", says_what_openssl_says, truncated, flipped, read_before)
