/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The environment, from one table. A value that is not understood switches the shim off: sending keys
 * of other connections than were meant would be worse. With CLEARTAP_ON_FAIL=abort it is TLS that is off.
 */
#include "shim/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[SETTINGS] = {
#define TEXT(field, name, ...) name,
#define NUMBER(field, name, ...) name,
#define CHOICE(field, name, ...) name,
#include "shim/settings.def"
#undef TEXT
#undef NUMBER
#undef CHOICE
};

const char *settings_name(enum setting s)
{
	return names[s];
}

static const char *text_of(const char *value)
{
	return value && *value ? value : NULL;
}

static int number(uint32_t *out, const char *value, uint32_t fallback, uint32_t min, uint32_t max)
{
	char *end;
	unsigned long n;

	*out = fallback;
	if (!text_of(value))
		return 0;
	if (*value < '0' || *value > '9')
		return -EINVAL;
	errno = 0;
	n = strtoul(value, &end, 10);
	if (*end || errno || n < min || n > max)
		return -EINVAL;
	*out = (uint32_t)n;
	return 0;
}

/* The place of a word in "word|word|word". */
static int choice(uint32_t *out, const char *value, const char *words)
{
	size_t n;

	*out = 0;
	if (!text_of(value))
		return 0;
	n = strlen(value);
	for (uint32_t i = 0; words && !strchr(value, '|'); i++) {
		if (strncmp(words, value, n) == 0 && (words[n] == '|' || !words[n])) {
			*out = i;
			return 0;
		}
		words = strchr(words, '|');
		words = words ? words + 1 : NULL;
	}
	return -EINVAL;
}

bool settings_abort(const char *on_fail)
{
	return text_of(on_fail) && strcmp(on_fail, "continue") != 0;
}

int settings_parse(
	struct settings *out, const char *const values[SETTINGS], char *why, size_t why_size)
{
	const char *const *v = values;

	memset(out, 0, sizeof(*out));
#define TEXT(field, ...) out->field = text_of(v[SETTING_##field]);
#define NUMBER(field, name, arg, fallback, min, max, help)                                         \
	if (number(&out->field, v[SETTING_##field], fallback, min, max) < 0) {                     \
		snprintf(why, why_size, name " must be a number from " #min " to " #max);          \
		return -EINVAL;                                                                    \
	}
#define CHOICE(field, name, words, help)                                                           \
	if (choice(&out->field, v[SETTING_##field], words) < 0) {                                  \
		snprintf(why, why_size, name " must be one of " words);                            \
		return -EINVAL;                                                                    \
	}
#include "shim/settings.def"
#undef TEXT
#undef NUMBER
#undef CHOICE
	return 0;
}
