/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "shim/settings.h"

static const char *values[SETTINGS];
static struct settings s;
static char why[200];

START_TEST(defaults)
{
	memset(values, 0, sizeof(values));
	ck_assert_int_eq(settings_parse(&s, values, why, sizeof(why)), 0);
	ck_assert_ptr_null(s.redis);
	ck_assert_uint_eq(s.hold_ms, 5);
	ck_assert_uint_eq(s.acks, 1);
	ck_assert_uint_eq(s.ttl_s, 300);
	ck_assert_uint_eq(s.ack, 0);
	ck_assert_uint_eq(s.on_fail, 0);
	for (int i = 0; i < SETTINGS; i++)
		values[i] = ""; /* the same */
	ck_assert_int_eq(settings_parse(&s, values, why, sizeof(why)), 0);
	ck_assert_ptr_null(s.redis);
	ck_assert_uint_eq(s.hold_ms, 5);
}
END_TEST

START_TEST(names_are_unique)
{
	for (int i = 0; i < SETTINGS; i++) {
		ck_assert_int_eq(strncmp(settings_name((enum setting)i), "CLEARTAP_", 9), 0);
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(
				settings_name((enum setting)i), settings_name((enum setting)k));
	}
}
END_TEST

static int with(enum setting which, const char *value)
{
	memset(values, 0, sizeof(values));
	values[which] = value;
	why[0] = '\0';
	return settings_parse(&s, values, why, sizeof(why));
}

START_TEST(words)
{
	static const char *const bad[] = { "Abort", "abort ", "abor", "aborts", "continue|abort",
		"|" };

	ck_assert_int_eq(with(SETTING_on_fail, "abort"), 0);
	ck_assert_uint_eq(s.on_fail, 1);
	ck_assert_int_eq(with(SETTING_on_fail, "continue"), 0);
	ck_assert_uint_eq(s.on_fail, 0);
	ck_assert_int_eq(with(SETTING_ack, "none"), 0);
	ck_assert_uint_eq(s.ack, 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_msg(with(SETTING_on_fail, bad[i]) < 0, "%s", bad[i]);
		ck_assert_ptr_nonnull(strstr(why, "CLEARTAP_ON_FAIL"));
	}
}
END_TEST

/* Only who plainly asks to go on is served without keys. */
START_TEST(abort_when_in_doubt)
{
	ck_assert(!settings_abort(NULL));
	ck_assert(!settings_abort(""));
	ck_assert(!settings_abort("continue"));
	ck_assert(settings_abort("abort"));
	ck_assert(settings_abort("Abort"));
	ck_assert(settings_abort("continues"));
}
END_TEST

START_TEST(numbers)
{
	static const char *const bad[] = { "0", "17", "-1", "+1", " 1", "1 ", "1x", "0x1", "1.0",
		"4294967297", "18446744073709551617", "99999999999999999999999" };

	ck_assert_int_eq(with(SETTING_acks, "1"), 0);
	ck_assert_int_eq(with(SETTING_acks, "16"), 0);
	ck_assert_uint_eq(s.acks, 16);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_msg(with(SETTING_acks, bad[i]) < 0, "%s", bad[i]);
		ck_assert_ptr_nonnull(strstr(why, "CLEARTAP_ACKS"));
	}
}
END_TEST

UNIT_MAIN("settings", defaults, names_are_unique, words, abort_when_in_doubt, numbers)
