/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "base/verdict.h"

START_TEST(labels_are_names)
{
	for (int v = 0; v < V_COUNT; v++) {
		const char *label = verdict_label((enum verdict)v);

		ck_assert_uint_gt(strlen(label), 0);
		ck_assert_uint_eq(
			strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(label));
		ck_assert_uint_gt(strlen(verdict_text((enum verdict)v)), 0);
		for (int w = 0; w < v; w++)
			ck_assert_str_ne(label, verdict_label((enum verdict)w));
	}
}
END_TEST

START_TEST(stages)
{
	ck_assert_int_eq(verdict_stage(V_OK), STAGE_FLOW);
	ck_assert_int_eq(verdict_stage(V_SHORT), STAGE_PKT);
	ck_assert_int_eq(verdict_stage(V_GAP), STAGE_CONN);
	ck_assert_int_eq(verdict_stage(V_NO_KEY), STAGE_REC);
	ck_assert_int_eq(verdict_stage(V_KEY_FULL), STAGE_KEY);
}
END_TEST

START_TEST(beyond_the_table)
{
	ck_assert_str_eq(verdict_label(V_COUNT), "?");
	ck_assert_str_eq(verdict_text((enum verdict)1000000), "?");
	ck_assert_int_eq(verdict_stage(V_COUNT), STAGE_FLOW);
}
END_TEST

UNIT_MAIN("verdict", labels_are_names, stages, beyond_the_table)
