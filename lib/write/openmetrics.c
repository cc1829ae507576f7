/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters in the words of OpenMetrics, which Prometheus and others collect. */
#include "write/openmetrics.h"

static void escaped(struct wr *w, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"' || *s == '\n')
			wr_u8(w, '\\');
		wr_u8(w, *s == '\n' ? 'n' : (uint8_t)*s);
	}
}

static void number(struct wr *w, uint64_t v)
{
	char buf[20], *p = buf + sizeof(buf);

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	wr_bytes(w, p, (size_t)(buf + sizeof(buf) - p));
}

void openmetrics_family(
	struct openmetrics *m, enum openmetrics_type type, const char *name, const char *help)
{
	static const char *const types[] = { " counter\n", " gauge\n", " info\n" };
	static const char *const suffixes[] = { "_total", "", "_info" };

	m->name = name;
	m->suffix = suffixes[type];
	wr_str(m->w, "# TYPE ");
	wr_str(m->w, name);
	wr_str(m->w, types[type]);
	wr_str(m->w, "# HELP ");
	wr_str(m->w, name);
	wr_u8(m->w, ' ');
	escaped(m->w, help);
	wr_u8(m->w, '\n');
}

void openmetrics_sample(
	struct openmetrics *m, const struct openmetrics_label *labels, int n, uint64_t value)
{
	wr_str(m->w, m->name);
	wr_str(m->w, m->suffix);
	for (int i = 0; i < n; i++) {
		wr_u8(m->w, i ? ',' : '{');
		wr_str(m->w, labels[i].name);
		wr_str(m->w, "=\"");
		escaped(m->w, labels[i].value);
		wr_u8(m->w, '"');
	}
	wr_str(m->w, n ? "} " : " ");
	number(m->w, value);
	wr_u8(m->w, '\n');
}

void openmetrics_end(struct openmetrics *m)
{
	wr_str(m->w, "# EOF\n");
}
