/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Number of each setting, in the order of settings.def. */
enum setting {
#define TEXT(field, ...) SETTING_##field,
#define NUMBER(field, ...) SETTING_##field,
#define CHOICE(field, ...) SETTING_##field,
#include "shim/settings.def"
#undef TEXT
#undef NUMBER
#undef CHOICE
	SETTINGS
};

/** How the process is to be instrumented. A choice is the number of its word. */
struct settings {
#define TEXT(field, ...) const char *field;
#define NUMBER(field, ...) uint32_t field;
#define CHOICE(field, ...) uint32_t field;
#include "shim/settings.def"
#undef TEXT
#undef NUMBER
#undef CHOICE
};

/** Name of the environment variable. */
const char *settings_name(enum setting s);

/** Of CLEARTAP_ON_FAIL: is a process that cannot send keys to serve nobody? A word not understood is no yes. */
bool settings_abort(const char *on_fail);

/**
 * Read the values of environment variables.
 *
 * @param values  SETTINGS of them, NULL where there is none; an empty one counts as none. Kept as
 *                long as @p out is used: texts are not copied.
 * @param why     On failure: which variable, and what it takes.
 * @return 0 or -EINVAL.
 */
int settings_parse(
	struct settings *out, const char *const values[SETTINGS], char *why, size_t why_size);
