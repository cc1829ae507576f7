/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * What became of a packet, a record, a connection or a key: one enum for every stage.
 * V_OK, V_MORE, V_HELD and V_WAIT are normal outcomes; all others are reasons that are counted.
 */
enum verdict {
#define VERDICT(name, stage, label, text) V_##name,
#include "base/verdict.def"
#undef VERDICT
	V_COUNT
};

/** Which object a verdict speaks of; decides under which name it is shown. */
enum verdict_stage { STAGE_FLOW, STAGE_PKT, STAGE_CONN, STAGE_REC, STAGE_KEY };

/** The stable label of a verdict ("no_key"). @return static string; "?" beyond V_COUNT. */
const char *verdict_label(enum verdict v);

/** One sentence for people. @return static string; "?" beyond V_COUNT. */
const char *verdict_text(enum verdict v);

/** The stage of a verdict. @return STAGE_FLOW beyond V_COUNT. */
enum verdict_stage verdict_stage(enum verdict v);

/** Return early with any verdict but V_OK: parsers then read like the schema they parse. */
#define TRY(expr)                                                                                  \
	do {                                                                                       \
		enum verdict try_ = (expr);                                                        \
		if (__builtin_expect(try_ != V_OK, 0))                                             \
			return try_;                                                               \
	} while (0)
