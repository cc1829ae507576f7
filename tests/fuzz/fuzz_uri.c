/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text: what is accepted as a list of servers is written and read again as the same. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "keybus/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct uri out[URI_MAX], again[1];
	char text[4096], why[128], written[400];
	int n;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	n = uri_list(out, URI_MAX, text, why, sizeof(why));
	assert(n != 0 && n <= URI_MAX);
	for (int i = 0; i < n; i++) {
		uri_text(&out[i], written, sizeof(written));
		assert(uri_is(written));
		assert(uri_list(again, 1, written, why, sizeof(why)) == 1);
		assert(!strcmp(again->host, out[i].host) && !strcmp(again->path, out[i].path));
		assert(!strcmp(again->port, out[i].port) && again->tls == out[i].tls);
		assert(again->cluster == out[i].cluster);
	}
	return 0;
}
