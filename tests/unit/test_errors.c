/* SPDX-License-Identifier: BSD-3-Clause */
#include "keybus/errors.h"

#include <openssl/err.h>

#include "unit.h"

START_TEST(kept)
{
	const char *file, *func, *data;
	struct errors e;
	int line, flags;

	for (int n = 0; n <= ERRORS_MAX; n++) {
		ERR_clear_error();
		for (int i = 0; i < n; i++) {
			ERR_new();
			ERR_set_debug("host.c", 100 + i, "host");
			ERR_set_error(ERR_LIB_USER, 200 + i, i % 2 ? "number %d" : NULL, i);
		}
		errors_save(&e);
		ck_assert_uint_eq(ERR_peek_error(), 0);
		ERR_put_error(ERR_LIB_SSL, 0, 1, "ours", 1);
		errors_restore(&e);
		for (int i = n < ERRORS_MAX ? 0 : n - ERRORS_MAX + 1; i < n; i++) {
			unsigned long code = ERR_get_error_all(&file, &line, &func, &data, &flags);

			ck_assert_int_eq(ERR_GET_LIB(code), ERR_LIB_USER);
			ck_assert_int_eq(ERR_GET_REASON(code), 200 + i);
			ck_assert_str_eq(file, "host.c");
			ck_assert_str_eq(func, "host");
			ck_assert_int_eq(line, 100 + i);
			ck_assert(i % 2 ? !strncmp(data, "number ", 7) : !*data);
		}
		ck_assert_uint_eq(ERR_get_error(), 0);
	}
}
END_TEST

UNIT_MAIN("errors", kept)
