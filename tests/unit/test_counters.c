/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <stdio.h>

#include "counters.h"

static char text[65536];

static const char *written(const struct counters *c)
{
	FILE *f = fmemopen(text, sizeof(text), "w");

	ck_assert_int_eq(counters_write(c, f), 0);
	fclose(f);
	return text;
}

/* What a name stands for inside an object; "" is the outermost. @return -1 if it is not there. */
static int64_t value(const char *object, const char *name)
{
	char want[128];
	const char *from = text, *at;

	snprintf(want, sizeof(want), "\"%s\": {", object);
	if (*object)
		from = strstr(text, want);
	snprintf(want, sizeof(want), "\"%s\": ", name);
	at = from ? strstr(from, want) : NULL;
	if (!at || (*object && strchr(from, '}') < at))
		return -1;
	return strtoll(at + strlen(want), NULL, 10);
}

/* Names that are promised to who reads --stats. */
START_TEST(all_names_are_there_from_the_start)
{
	static const char *const names[] = { "packets", "bytes", "tls_connections",
		"tls_connections_decrypted", "records_decrypted", "plaintext_bytes", "gaps",
		"resyncs", "key_lookups_missed", "keys_installed", "keys_acknowledged" };
	struct counters c = { 0 };

	written(&c);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		ck_assert_msg(value("", names[i]) == 0, "%s", names[i]);
	ck_assert_ptr_nonnull(strstr(text, "\"records_not_decrypted\": {}"));
	ck_assert_ptr_nonnull(strstr(text, "\"dropped\": {}"));
	ck_assert_int_eq(text[0], '{');
	ck_assert_str_eq(text + strlen(text) - 2, "}\n");
}
END_TEST

START_TEST(every_verdict_under_its_object)
{
	static const char *const objects[] = { [STAGE_FLOW] = NULL,
		[STAGE_PKT] = "dropped",
		[STAGE_CONN] = "anomalies",
		[STAGE_REC] = "records_not_decrypted",
		[STAGE_KEY] = "keys_refused" };
	struct counters c = { .packets = UINT64_MAX / 2 };

	for (int v = 0; v < V_COUNT; v++)
		c.verdict[v] = 1000u + (unsigned)v;
	written(&c);
	ck_assert_int_eq(value("", "packets"), INT64_MAX);
	for (int v = 0; v < V_COUNT; v++) {
		const char *object = objects[verdict_stage((enum verdict)v)];
		const char *label = verdict_label((enum verdict)v);

		for (int i = STAGE_PKT; i <= STAGE_KEY; i++)
			ck_assert_msg(
				value(objects[i], label) == (objects[i] == object ? 1000 + v : -1),
				"%s in %s", label, objects[i]);
	}
	ck_assert_ptr_null(strstr(text, ",}"));
	ck_assert_ptr_null(strstr(text, ",\n  }"));
}
END_TEST

START_TEST(reasons_that_did_not_occur_are_left_out)
{
	struct counters c = { 0 };

	c.verdict[V_TAG] = 3;
	written(&c);
	ck_assert_int_eq(value("records_not_decrypted", "tag"), 3);
	ck_assert_int_eq(value("records_not_decrypted", "no_key"), -1);
}
END_TEST

START_TEST(drops_have_a_kind_and_an_owner)
{
	struct counters c = { 0 };
	struct drop d[] = { drop_init(DROP_PORT_IMISSED, 0, 7),
		drop_init(DROP_WORKER_RING, 63, 8) };
	FILE *f = fmemopen(text, sizeof(text), "w");

	c.verdict[V_SHORT] = 1;
	ck_assert_int_eq(counters_write_drops(&c, d, 2, f), 0);
	fclose(f);
	ck_assert_int_eq(value("dropped", "short"), 1);
	ck_assert_int_eq(value("dropped", "port0_imissed"), 7);
	ck_assert_int_eq(value("dropped", "worker63_ring_full"), 8);
}
END_TEST

START_TEST(a_full_device)
{
	FILE *f = fopen("/dev/full", "w");
	struct counters c = { 0 };

	ck_assert_ptr_nonnull(f);
	ck_assert_int_lt(counters_write(&c, f), 0);
	fclose(f);
}
END_TEST

UNIT_MAIN("counters", all_names_are_there_from_the_start, every_verdict_under_its_object,
	reasons_that_did_not_occur_are_left_out, drops_have_a_kind_and_an_owner, a_full_device)
