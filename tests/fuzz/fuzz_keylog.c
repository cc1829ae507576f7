/* SPDX-License-Identifier: BSD-3-Clause */
/* Any line: what is accepted has the shape its label demands, and fits the key table or not. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "keys/keytab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_Alignas(64) static uint8_t mem[1 << 16];
	static const struct keytab_cfg cfg = { .max_entries = 8, .seed = 1 };
	static struct keytab *t;
	static uint32_t now_s;
	struct keylog_line line;
	struct key_name name = { 0 };
	struct key_entry e;

	if (!t) {
		assert(keytab_bytes(&cfg) <= sizeof(mem));
		t = keytab_init(mem, &cfg);
	}
	if (keylog_parse((const char *)data, size, &line) != V_OK)
		return 0;
	assert(line.id_len && line.id_len <= 32 && line.secret_len);
	assert(line.label < KEY_UNUSED && line.secret_len <= KEYLOG_SECRET_MAX);
	if (keytab_put(t, &line, now_s++) == V_KEY_LEN)
		return 0;
	memcpy(name.id, line.id, line.id_len);
	name.id_len = (uint8_t)line.id_len;
	name.kind = (uint8_t)line.id_kind;
	name.generation = (uint16_t)line.generation;
	assert(keytab_get(t, &name, &e) == V_OK);
	return 0;
}
