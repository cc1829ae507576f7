/* SPDX-License-Identifier: BSD-3-Clause */
/* A host looks at its errors after our call as it would have before. */
#include "keybus/errors.h"

#include <openssl/err.h>
#include <stdio.h>

void errors_save(struct errors *e)
{
	const char *file, *func, *data;
	int flags;

	for (e->n = 0; e->n < ERRORS_MAX; e->n++) {
		struct error *o = &e->at[e->n];

		o->code = ERR_get_error_all(&file, &o->line, &func, &data, &flags);
		if (!o->code)
			return;
		snprintf(o->file, sizeof(o->file), "%s", file ? file : "");
		snprintf(o->func, sizeof(o->func), "%s", func ? func : "");
		snprintf(o->data, sizeof(o->data), "%s", data && flags & ERR_TXT_STRING ? data : "");
	}
}

void errors_restore(const struct errors *e)
{
	ERR_clear_error();
	for (int i = 0; i < e->n; i++) {
		const struct error *o = &e->at[i];

		ERR_new();
		ERR_set_debug(o->file, o->line, o->func);
		ERR_set_error(ERR_GET_LIB(o->code), ERR_GET_REASON(o->code), *o->data ? "%s" : NULL,
			o->data);
	}
}
