/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of verdicts, made from verdict.def. */
#include "base/verdict.h"

static const struct {
	const char *label;
	const char *text;
	enum verdict_stage stage;
} table[V_COUNT] = {
#define VERDICT(name, stage, label, text) [V_##name] = { label, text, STAGE_##stage },
#include "base/verdict.def"
#undef VERDICT
};

const char *verdict_label(enum verdict v)
{
	return (unsigned)v < V_COUNT ? table[v].label : "?";
}

const char *verdict_text(enum verdict v)
{
	return (unsigned)v < V_COUNT ? table[v].text : "?";
}

enum verdict_stage verdict_stage(enum verdict v)
{
	return (unsigned)v < V_COUNT ? table[v].stage : STAGE_FLOW;
}
