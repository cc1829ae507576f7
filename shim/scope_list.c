/* SPDX-License-Identifier: BSD-3-Clause */
#include "shim/scope_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int scope_list_parse(struct scope_list *out, const char *text, char *why, size_t why_size)
{
	uint32_t *n = &out->scope.n;

	out->scope = (struct scope){ 0, out->item };
	while (text && *text) {
		size_t len = strcspn(text, ",");

		if (*n == SCOPE_LIST_MAX || scope_read(&out->item[*n], text, len) < 0) {
			snprintf(why, why_size, "\"%.*s\": give at most %d of " SCOPE_FORM,
				len < 64 ? (int)len : 64, text, SCOPE_LIST_MAX);
			return -EINVAL;
		}
		++*n;
		text += len;
		if (*text == ',' && !*++text) {
			snprintf(why, why_size, "an item is missing after the last comma");
			return -EINVAL;
		}
	}
	return 0;
}
