/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "write/openmetrics.h"

static const char expected[] = "# TYPE a_packets counter\n"
			       "# HELP a_packets Packets.\n"
			       "a_packets_total 0\n"
			       "# TYPE a_drops counter\n"
			       "# HELP a_drops \\\"Dropped\\\"\\nor \\\\ not\n"
			       "a_drops_total{reason=\"x\",worker=\"0\"} 18446744073709551615\n"
			       "a_drops_total{reason=\"\\\\ \\\" \\n \xc3\xa4\",worker=\"\"} 10\n"
			       "# TYPE a_level gauge\n"
			       "# HELP a_level Level\n"
			       "a_level{port=\"1\"} 7\n"
			       "# TYPE a_build info\n"
			       "# HELP a_build Build\n"
			       "a_build_info{version=\"1\"} 1\n"
			       "# EOF\n";

static void write_all(struct wr *w)
{
	struct openmetrics m = { .w = w };
	struct openmetrics_label l[] = { { "reason", "x" }, { "worker", "0" } };
	struct openmetrics_label odd[] = { { "reason", "\\ \" \n \xc3\xa4" }, { "worker", "" } };
	struct openmetrics_label port = { "port", "1" }, version = { "version", "1" };

	openmetrics_family(&m, OPENMETRICS_COUNTER, "a_packets", "Packets.");
	openmetrics_sample(&m, NULL, 0, 0);
	openmetrics_family(&m, OPENMETRICS_COUNTER, "a_drops", "\"Dropped\"\nor \\ not");
	openmetrics_sample(&m, l, 2, UINT64_MAX);
	openmetrics_sample(&m, odd, 2, 10);
	openmetrics_family(&m, OPENMETRICS_GAUGE, "a_level", "Level");
	openmetrics_sample(&m, &port, 1, 7);
	openmetrics_family(&m, OPENMETRICS_INFO, "a_build", "Build");
	openmetrics_sample(&m, &version, 1, 1);
	openmetrics_end(&m);
}

START_TEST(families_samples_and_escapes)
{
	char buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));

	write_all(&w);
	ck_assert(!w.full);
	ck_assert_uint_eq(wr_len(&w, buf), sizeof(expected) - 1);
	ck_assert_mem_eq(buf, expected, sizeof(expected) - 1);
}
END_TEST

START_TEST(any_smaller_buffer_is_full)
{
	char buf[sizeof(expected)];

	for (size_t n = 0; n < sizeof(expected); n++) {
		struct wr w = wr_init(buf, n);

		buf[n] = 0x55;
		write_all(&w);
		ck_assert_int_eq(w.full, n < sizeof(expected) - 1);
		ck_assert_int_eq(buf[n], 0x55);
	}
}
END_TEST

UNIT_MAIN("openmetrics", families_samples_and_escapes, any_smaller_buffer_is_full)
