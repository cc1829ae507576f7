/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy.h"

#include "pipeline.h"
#include "tls/session.h"

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
	c->tls->withheld = !scope_permits(
		&p->only, &p->except, &client, &server, m && m->client_hello ? m->sni : NULL);
}
