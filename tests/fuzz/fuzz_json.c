/* SPDX-License-Identifier: BSD-3-Clause */
/* Any string becomes one JSON string: closed, on one line, without a control character. */
#include <stdlib.h>

#include "write/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cap = 6 * size + 2;
	uint8_t *buf = malloc(cap);
	struct wr w = wr_init(buf, cap);
	struct json j;

	json_init(&j, &w);
	json_strn(&j, NULL, data, size);
	if (w.full || buf[0] != '"' || w.p[-1] != '"')
		abort();
	for (uint8_t *p = buf + 1; p < w.p - 1; p++) {
		if (*p < 0x20 || *p == 0x7f || *p == '"')
			abort();
		p += *p == '\\';
		if (p == w.p - 1)
			abort();
	}
	free(buf);
	return 0;
}
