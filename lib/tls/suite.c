/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of ciphers and cipher suites, made from cipher.def and suite.def. */
#include "tls/suite.h"

#include <stddef.h>

static const struct cipher ciphers[CIPHER_COUNT] = {
#define CIPHER(id, text, evp_name, mode_, key, iv, block, tag, export_)                            \
	[CIPHER_##id] = { .name = text,                                                            \
		.evp = evp_name,                                                                   \
		.mode = MODE_##mode_,                                                              \
		.key_len = key,                                                                    \
		.iv_len = iv,                                                                      \
		.block_len = block,                                                                \
		.tag_len = tag,                                                                    \
		.export_len = export_ },
#include "tls/cipher.def"
#undef CIPHER
};

static const struct suite suites[] = {
#define SUITE(id, name, cipher, mac, prf) { id, #name, CIPHER_##cipher, MD_##mac, MD_##prf },
#include "tls/suite.def"
#undef SUITE
};

#define SUITES (sizeof(suites) / sizeof(*suites))

const struct suite *suite_find(uint16_t id)
{
	size_t low = 0, high = SUITES;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (suites[mid].id == id)
			return &suites[mid];
		if (suites[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct suite *suite_table(uint32_t *n)
{
	*n = SUITES;
	return suites;
}

const struct cipher *suite_cipher(enum cipher_alg alg)
{
	return &ciphers[alg];
}
