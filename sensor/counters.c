/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters as JSON: the names are those of counters.def and verdict.def. */
#include "counters.h"

#include <errno.h>
#include <inttypes.h>

static void write_stage(
	const struct counters *c, FILE *out, const char *name, enum verdict_stage stage)
{
	const char *comma = "";

	fprintf(out, ",\n  \"%s\": {", name);
	for (int v = 0; v < V_COUNT; v++) {
		if (verdict_stage((enum verdict)v) != stage || !c->verdict[v])
			continue;
		fprintf(out, "%s\n    \"%s\": %" PRIu64, comma, verdict_label((enum verdict)v),
			c->verdict[v]);
		comma = ",";
	}
	fprintf(out, "%s}", *comma ? "\n  " : "");
}

int counters_write(const struct counters *c, FILE *out)
{
	const char *comma = "";

	fputs("{", out);
#define COUNTER(name, text)                                                                        \
	fprintf(out, "%s\n  \"" #name "\": %" PRIu64, comma, c->name);                             \
	comma = ",";
#include "counters.def"
#undef COUNTER
	write_stage(c, out, "records_not_decrypted", STAGE_REC);
	write_stage(c, out, "dropped", STAGE_PKT);
	write_stage(c, out, "anomalies", STAGE_CONN);
	write_stage(c, out, "keys_refused", STAGE_KEY);
	fputs("\n}\n", out);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
