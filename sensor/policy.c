/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy.h"

#include "pipeline.h"
#include "tls/session.h"

bool policy_permits(const struct policy *p, const struct tuple_end *client,
	const struct tuple_end *server, const char *sni)
{
	return (!p->only.n || scope_match(&p->only, client, server, sni) == SCOPE_YES) &&
		scope_match(&p->except, client, server, sni) == SCOPE_NO;
}

void policy_judge(struct pipeline *pl, struct conn *c)
{
	const struct policy *p = pl->policy ? __atomic_load_n(pl->policy, __ATOMIC_ACQUIRE) : NULL;
	const struct tls_meta *m = session_meta(c->tls);
	struct flow_key key;
	struct tuple_end client, server;

	c->tls->judged = true;
	if (!p)
		return;
	key = flow_key(pl->flow, c);
	client = tuple_end_of(&key, c->client);
	server = tuple_end_of(&key, !c->client);
	c->tls->withheld =
		!policy_permits(p, &client, &server, m && m->client_hello ? m->sni : NULL);
}
