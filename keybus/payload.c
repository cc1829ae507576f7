/* SPDX-License-Identifier: BSD-3-Clause */
/* A payload is stored under the client_random that it holds itself: on the channel it has no other. */
#include "keybus/payload.h"

#include <openssl/crypto.h>
#include <string.h>

#include "keybus/seal.h"
#include "keys/keylog.h"

bool payload_random(const char *text, size_t len, uint8_t client_random[32])
{
	const char *end = text + len;
	struct keylog_line line;
	bool found = false;

	while (!found && text < end) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((lf ? lf : end) - text);

		found = keylog_parse(text, n, &line) == V_OK && line.id_kind == KEY_BY_RANDOM;
		text = lf ? lf + 1 : end;
	}
	if (found)
		memcpy(client_random, line.id, 32);
	OPENSSL_cleanse(&line, sizeof(line));
	return found;
}

bool payload_is_sealed(const char *payload, size_t len)
{
	return len >= 7 && !memcmp(payload, SEAL_PREFIX, 7); /* "sealed:", any version */
}
