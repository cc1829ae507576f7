/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a certificate: every text ends inside its room, and fingerprints are there always. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "cert.h"

#define ENDS(field) assert(memchr(field, 0, sizeof(field)))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eve_cert c;

	memset(&c, 0xff, sizeof(c));
	cert_read(&c, data, (uint32_t)size);
	ENDS(c.subject);
	ENDS(c.issuer);
	ENDS(c.serial);
	ENDS(c.not_before);
	ENDS(c.not_after);
	assert(strlen(c.sha1) == 3 * 20 - 1);
	assert(strlen(c.sha256) == 3 * 32 - 1);
	return 0;
}
