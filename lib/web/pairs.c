/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1 says nowhere which request a response answers: the order does. Here the order has holes, one
 * direction may be seen long before the other (what follows a hole is held until the hole is given up),
 * and a wrong pair is worse than none.
 */
#include "web/pairs.h"

#include <assert.h>

static void put(struct exchange_queue *q, struct exchange *x)
{
	x->next = NULL;
	if (q->last)
		q->last->next = x;
	else
		q->first = x;
	q->last = x;
	q->n++;
}

static struct exchange *take(struct exchange_queue *q)
{
	struct exchange *x = q->first;

	assert(x);
	q->first = x->next;
	if (!q->first)
		q->last = NULL;
	q->n--;
	return x;
}

void pairs_init(struct pairs *p, bool whole)
{
	*p = (struct pairs){ .sure = whole, .holed = !whole, .after_gap = { !whole, !whole } };
}

/* Everything up to the text: that is written when it is kept. */
static struct exchange *fresh(struct pairs_env *env)
{
	struct exchange *x = pool_get(&env->pool);

	if (!x)
		return NULL;
	memset(&x->t, 0, offsetof(struct txn, text));
	memset((uint8_t *)x + sizeof(x->t), 0, sizeof(*x) - sizeof(x->t));
	return x;
}

static void settle(struct pairs_env *env, struct pairs *p, struct exchange *x)
{
	if (!x->over[C2S] || !x->over[S2C])
		return;
	x->t.id = p->given++;
	env->done(env->arg, &x->t);
	pool_put(&env->pool, x);
}

/* Its other half will not come, or not be known. */
static void apart(struct pairs_env *env, struct pairs *p, struct exchange *x, enum tls_dir missing)
{
	x->over[missing] = true;
	settle(env, p, x);
}

static void unsure(struct pairs *p, uint32_t ahead)
{
	p->sure = false;
	p->holed = true;
	p->ahead = ahead;
}

/*
 * Requests that a response may answer, going by time: sent since the server was last heard.
 * @param only  Set to it, if it is the only one, and no other can be missing beside it. What has one time
 *              may have been seen in either order.
 * @return how many.
 */
static uint32_t askers(const struct pairs *p, const struct exchange *x, struct exchange **only)
{
	uint32_t n = 0;

	*only = NULL;
	for (struct exchange *r = p->asked.first; r; r = r->next) {
		if (r->unanswered || r->t.first_ns[C2S] < x->idle_ns ||
			r->t.first_ns[C2S] > x->t.first_ns[S2C])
			continue;
		*only = n++ || r->t.first_ns[C2S] == x->t.first_ns[S2C] ||
				r->t.first_ns[C2S] == x->idle_ns ||
				(p->pipelines && r->after_gap[C2S]) ?
			NULL :
			r;
	}
	return n;
}

/* How many of a queue are from before the next hole in their direction? @return all: there is none. */
static bool gapless(
	const struct pairs *p, const struct exchange_queue *q, enum tls_dir d, uint32_t *n)
{
	const struct exchange *x = q->first;

	for (*n = 0; x && !x->after_gap[d]; x = x->next)
		++*n;
	return !x && !p->after_gap[d];
}

/* A request has found its response: those before it never will. What follows both counts on. */
static void claim(struct pairs_env *env, struct pairs *p, struct exchange *r)
{
	struct exchange *x;
	uint32_t n;
	bool answers = gapless(p, &p->unclaimed, S2C, &n);

	while ((x = take(&p->asked)) != r)
		apart(env, p, x, S2C);
	answers &= !p->unclaimed.n || !p->asked.n;
	p->sure = gapless(p, &p->asked, C2S, &n) && answers;
	p->ahead = answers && !p->sure ? n : 0;
}

/* The response of x becomes that of r. */
static void move(struct pairs_env *env, struct pairs *p, struct exchange *x, struct exchange *r)
{
	size_t len;
	const char *type = txn_get(&x->t, TXN_TYPE, &len);

	r->t.first_ns[S2C] = x->t.first_ns[S2C];
	r->t.last_ns = x->t.last_ns;
	r->t.body_len[S2C] = x->t.body_len[S2C];
	r->t.status = x->t.status;
	r->t.minor[S2C] = x->t.minor[S2C];
	r->t.seen |= x->t.seen;
	r->t.cut |= x->t.cut;
	r->t.truncated |= x->t.truncated;
	if (type)
		txn_put(&r->t, TXN_TYPE, type, len);
	r->over[S2C] = x->over[S2C];
	if (p->msg[S2C] == x)
		p->msg[S2C] = r;
	pool_put(&env->pool, x);
	settle(env, p, r);
}

/* The first request after a response; NULL: not yet known. */
static const struct exchange *next_request(const struct pairs *p, const struct exchange *x)
{
	const struct exchange *r = p->asked.first;

	while (r && r->t.first_ns[C2S] <= x->t.first_ns[S2C])
		r = r->next;
	return r;
}

/* May requests be missing between those that are known and the next one? */
static bool asks_missing(const struct pairs *p, const struct exchange *x)
{
	const struct exchange *next = next_request(p, x);

	return next ? next->after_gap[C2S] : p->after_gap[C2S];
}

/* All requests that the first unclaimed response may answer are known. */
static void decide(struct pairs_env *env, struct pairs *p)
{
	struct exchange *x = take(&p->unclaimed), *r;

	askers(p, x, &r);
	if (r && !(x->after_gap[S2C] && asks_missing(p, x))) {
		claim(env, p, r);
		move(env, p, x, r);
	} else {
		unsure(p, 0);
		apart(env, p, x, C2S);
	}
}

struct exchange *pairs_request(struct pairs_env *env, struct pairs *p, uint64_t ns)
{
	struct exchange *x;

	if (env->pool.used == env->pool.max)
		return NULL;
	while (p->holed && p->unclaimed.n && p->unclaimed.first->t.first_ns[S2C] < ns)
		decide(env, p);
	if (p->sure && p->unclaimed.n) {
		x = take(&p->unclaimed);
	} else {
		x = fresh(env);
		put(&p->asked, x);
	}
	x->t.first_ns[C2S] = ns;
	x->t.seen |= 1 << C2S;
	x->after_gap[C2S] = p->after_gap[C2S];
	p->after_gap[C2S] = false;
	p->msg[C2S] = x;
	if (p->asked.n > PAIRS_MAX) {
		unsure(p, 0);
		apart(env, p, take(&p->asked), S2C);
	}
	return x;
}

/* Does the order say which request the response that begins now answers? */
static bool in_order(struct pairs *p, uint64_t ns)
{
	const struct exchange *r = p->asked.first;

	if (!r || (!p->sure && !p->ahead))
		return false;
	if (p->holed &&
		r->t.first_ns[C2S] > ns) { /* it came before its request: no count is right */
		unsure(p, 0);
		return false;
	}
	p->pipelines |= r->next && r->next->t.first_ns[C2S] < ns;
	p->ahead -= p->ahead > 0;
	return true;
}

/* A response that no count places. Is its request known, then it is known at once, for HEAD's sake. */
static void place(struct pairs_env *env, struct pairs *p, struct exchange *x)
{
	struct exchange *r;
	bool ready = askers(p, x, &r) && (!x->after_gap[S2C] || next_request(p, x)) && !p->sure;

	x->heads = r && txn_is(&r->t, TXN_METHOD, "HEAD");
	put(&p->unclaimed, x);
	if (p->unclaimed.n > PAIRS_MAX) {
		unsure(p, 0);
		decide(env, p);
	}
	while (ready && p->unclaimed.n)
		decide(env, p);
}

struct exchange *pairs_response(
	struct pairs_env *env, struct pairs *p, uint64_t ns, uint64_t idle_ns)
{
	struct exchange *x;
	bool counted;

	if (env->pool.used == env->pool.max)
		return NULL;
	counted = in_order(p, ns);
	x = counted ? take(&p->asked) : fresh(env);
	x->t.first_ns[S2C] = x->t.last_ns = ns;
	x->idle_ns = idle_ns;
	x->t.seen |= 1 << S2C;
	x->after_gap[S2C] = p->after_gap[S2C];
	p->after_gap[S2C] = false;
	p->answered = true;
	p->msg[S2C] = x;
	if (!counted)
		place(env, p, x);
	return p->msg[S2C];
}

void pairs_over(struct pairs_env *env, struct pairs *p, enum tls_dir d)
{
	struct exchange *x = p->msg[d];

	p->msg[d] = NULL;
	if (!x)
		return;
	x->over[d] = true;
	settle(env, p, x);
}

void pairs_gap(struct pairs_env *env, struct pairs *p, enum tls_dir d, bool interim)
{
	struct exchange *first = p->asked.first;

	/* No response was under way, so the beginning of the next one is missing. Before the first one
	 * it may have been session tickets. */
	if (d == S2C && !p->msg[S2C] && p->sure && p->answered && first && !first->expects &&
		!interim)
		first->unanswered = true;
	if (p->msg[d])
		p->msg[d]->t.cut |= (uint8_t)(1 << d);
	pairs_over(env, p, d);
	unsure(p, d == S2C ? 0 : p->sure ? p->asked.n : p->ahead);
	p->after_gap[d] = true;
}

void pairs_end(struct pairs_env *env, struct pairs *p)
{
	for (int d = C2S; d <= S2C; d++) {
		if (p->msg[d])
			p->msg[d]->t.cut |= (uint8_t)(1 << d);
		pairs_over(env, p, (enum tls_dir)d);
	}
	while (p->unclaimed.n)
		decide(env, p);
	while (p->asked.n)
		apart(env, p, take(&p->asked), S2C);
}
