/* SPDX-License-Identifier: BSD-3-Clause */
/* From the data path to the sinks: what they are shown of a connection is put together here. */
#include "tell.h"

#include "tls/session.h"

static struct conn_view view_of(const struct pipeline *pl, const struct conn *c)
{
	const struct conn_birth *birth = flow_birth(pl->flow, c);
	struct conn_view v = {
		.conn = c,
		.id = birth->id,
		.first_ns = birth->first_ns,
		.key = flow_key(pl->flow, c),
		.index = flow_index(pl->flow, c),
		.ts_ns = c->last_ns,
	};

	if (c->tls) {
		const struct session *s = c->tls;

		v.is_tls = s->has_random || s->version;
		v.version = s->version;
		v.suite = s->suite_id;
		v.reason = (enum verdict)s->reason;
		for (int d = 0; d < 2; d++) {
			v.text_bytes[d] = s->text_bytes[d];
			v.records[d] = s->dir[d].records;
			v.failed[d] = s->dir[d].failed;
		}
	}
	return v;
}

void tell_text(struct pipeline *pl, const struct conn *c, const struct text *t)
{
	if (pl->wants.text) {
		struct conn_view v = view_of(pl, c);

		for (int i = 0; i < pl->out.n; i++)
			if (pl->out.at[i].ops->text)
				pl->out.at[i].ops->text(pl->out.at[i].sink, &v, t);
	}
	if (pl->wants.txns)
		web_text(pl, c, t);
}

void tell_tls(struct pipeline *pl, struct conn *c)
{
	struct conn_view v = view_of(pl, c);
	const struct tls_meta *m = session_meta(c->tls);

	c->tls->told = true;
	for (int i = 0; m && i < pl->out.n; i++)
		if (pl->out.at[i].ops->tls)
			pl->out.at[i].ops->tls(pl->out.at[i].sink, &v, m);
	if (m && pl->wants.txns)
		web_tls(pl, c, m);
	session_release(pl->tls, c->tls);
}

void tell_txn(struct pipeline *pl, const struct conn *c, const struct txn *t)
{
	struct conn_view v = view_of(pl, c);

	for (int i = 0; i < pl->out.n; i++)
		if (pl->out.at[i].ops->txn)
			pl->out.at[i].ops->txn(pl->out.at[i].sink, &v, t);
}

void tell_anomaly(
	struct pipeline *pl, const struct conn *c, int end, enum verdict why, uint64_t missing)
{
	struct conn_view v = view_of(pl, c);
	int dir = end == c->client ? C2S : S2C;

	if (why == V_GAP && pl->wants.txns)
		web_gap(pl, c, (enum tls_dir)dir);
	for (int i = 0; i < pl->out.n; i++)
		if (pl->out.at[i].ops->anomaly)
			pl->out.at[i].ops->anomaly(pl->out.at[i].sink, &v, dir, why, missing);
}

void tell_end(struct pipeline *pl, const struct conn *c, enum conn_end why)
{
	struct conn_view v = view_of(pl, c);

	if (c->tls && pl->wants.txns)
		web_end(pl, c, why == END_FIN);
	for (int i = 0; i < pl->out.n; i++)
		if (pl->out.at[i].ops->end)
			pl->out.at[i].ops->end(pl->out.at[i].sink, &v, why);
}
