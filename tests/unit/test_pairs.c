/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "unit.h"
#include "web/pairs.h"

#define POOL 128

static struct pairs_env env;
static struct pairs p;
static uint8_t mem[POOL * (sizeof(struct exchange) + 8)] __attribute__((aligned(64)));
static uint64_t heard; /* when the server was, last */

/* What was given: "3:3 " a pair, "4:- " and "-:5 " halves. */
static char got[8192];

static void done(void *arg, const struct txn *t)
{
	size_t len, at = strlen(got);
	const char *target = txn_get(t, TXN_TARGET, &len);
	int n = snprintf(
		got + at, sizeof(got) - at, "%.*s:", target ? (int)len : 1, target ? target : "-");

	ck_assert_uint_eq(t->seen >> S2C & 1, t->status != 0);
	if (t->status)
		snprintf(got + at + n, sizeof(got) - at - (size_t)n, "%u ", t->status);
	else
		snprintf(got + at + n, sizeof(got) - at - (size_t)n, "- ");
}

static void start(bool whole)
{
	env = (struct pairs_env){ .done = done };
	pool_init(&env.pool, mem, POOL, sizeof(struct exchange));
	pairs_init(&p, whole);
	heard = 0;
	got[0] = '\0';
}

static void stop(const char *want)
{
	pairs_end(&env, &p);
	ck_assert_uint_eq(env.pool.used, 0);
	if (want)
		ck_assert_str_eq(got, want);
}

static void ask(int id, uint64_t ns)
{
	struct exchange *x = pairs_request(&env, &p, ns);
	char word[12];

	snprintf(word, sizeof(word), "%d", id);
	txn_put(&x->t, TXN_TARGET, word, strlen(word));
	pairs_over(&env, &p, C2S);
}

static void answer(int id, uint64_t ns)
{
	pairs_response(&env, &p, ns, heard)->t.status = (uint16_t)id;
	heard = ns;
	pairs_over(&env, &p, S2C);
}

START_TEST(in_order)
{
	start(true);
	ask(1, 10);
	answer(1, 20);
	ask(2, 30);
	ask(3, 30);
	answer(2, 40);
	answer(3, 41);
	answer(4, 60); /* the reply is seen first, */
	ask(4, 61);    /* as if it had come first */
	ask(5, 70);
	stop("1:1 2:2 3:3 4:4 5:- ");
}
END_TEST

/* The request was lost; what follows it is seen only when that is known. */
START_TEST(a_lost_request)
{
	start(true);
	ask(1, 10);
	answer(1, 20);
	answer(2, 40);
	answer(3, 60);
	answer(4, 80);
	pairs_gap(&env, &p, C2S, false);
	ask(3, 50);
	ask(4, 70);
	ask(5, 90);
	answer(5, 100);
	stop("1:1 -:2 3:3 4:4 5:5 ");
}
END_TEST

START_TEST(a_lost_response)
{
	start(true);
	ask(1, 10);
	answer(1, 20);
	ask(2, 30);
	ask(3, 50);
	pairs_gap(&env, &p, S2C, false);
	answer(3, 60);
	ask(4, 70);
	answer(4, 80);
	stop("1:1 2:- 3:3 4:4 ");
}
END_TEST

/* The first response, or some session tickets: nobody knows. */
START_TEST(a_hole_before_the_first_response)
{
	start(true);
	ask(1, 10);
	pairs_gap(&env, &p, S2C, false);
	answer(1, 20);
	ask(2, 30);
	answer(2, 40);
	stop("1:1 2:2 ");
	start(true);
	ask(1, 10);
	ask(2, 11);
	pairs_gap(&env, &p, S2C, false);
	answer(7, 20);
	ask(3, 30);
	answer(3, 40);
	stop("-:7 1:- 2:- 3:3 ");
}
END_TEST

/* The response to a request that was lost is no answer to the one before. */
START_TEST(both_lost)
{
	start(true);
	ask(1, 10);
	answer(1, 20);
	ask(2, 30);
	pairs_gap(&env, &p, S2C, false); /* 2 */
	answer(3, 60);
	pairs_gap(&env, &p, C2S, false); /* 3 */
	ask(4, 70);
	answer(4, 80);
	stop("1:1 -:3 2:- 4:4 ");
}
END_TEST

/* A client that pipelines: what is in doubt is given apart. */
START_TEST(pipelined)
{
	start(true);
	for (int i = 1; i < 4; i++)
		ask(i, 10);
	for (int i = 1; i < 4; i++)
		answer(i, 20);
	ask(4, 30);
	pairs_gap(&env, &p, C2S, false); /* 5 */
	ask(6, 30);
	answer(4, 40);
	answer(5, 41);
	answer(6, 42);
	ask(7, 50);
	answer(7, 60);
	stop("1:1 2:2 3:3 4:4 -:5 -:6 6:- 7:7 ");
}
END_TEST

START_TEST(in_the_middle)
{
	start(false);
	answer(1, 10);
	ask(2, 20);
	answer(2, 30);
	ask(3, 40);
	answer(3, 50);
	stop("-:1 2:2 3:3 ");
}
END_TEST

START_TEST(bounds)
{
	start(true);
	for (int i = 0; i < PAIRS_MAX + 2; i++)
		ask(i, 10);
	ck_assert_str_eq(got, "0:- 1:- ");
	stop(NULL);
	start(true);
	for (int i = 1; i < PAIRS_MAX + 2; i++)
		answer(i, 10);
	ck_assert_str_eq(got, "-:1 ");
	stop(NULL);
	start(true);
	env.pool.max = 2;
	ask(1, 10);
	ask(2, 10);
	ck_assert_ptr_null(pairs_request(&env, &p, 11));
	ck_assert_ptr_null(pairs_response(&env, &p, 11, 0));
	stop("1:- 2:- ");
}
END_TEST

#define TXNS 40

/* A client that waits for each response, or sends up to three requests; some messages are lost. */
struct world {
	bool pipelines;
	bool lost[2][TXNS];
	uint64_t at[2][TXNS];
	uint32_t delay; /* that many responses later is a lost request known to be */
};

static struct world dream(void)
{
	struct world w = { .pipelines = rand() % 2, .delay = (uint32_t)(rand() % 4) };
	uint64_t now = 100;
	int rate = 4 + rand() % 30;

	for (int i = 0; i < TXNS;) {
		int n = w.pipelines ? i ? 1 + rand() % 3 : 3 : 1; /* it is seen to, at first */

		for (int d = C2S; d <= S2C; d++)
			for (int k = i; k < i + n && k < TXNS; k++) {
				w.at[d][k] = now += 1 + (unsigned)(rand() % 5);
				w.lost[d][k] = k > 5 && !(rand() % rate);
			}
		i += n;
	}
	return w;
}

/* Requests up to a time; those behind a hole not before `delay` more responses were. */
static int ask_until(const struct world *w, int from, uint64_t ns, int answered, bool *gap)
{
	for (; from < TXNS && w->at[C2S][from] <= ns; from++) {
		if (w->lost[C2S][from]) {
			if (answered < from + (int)w->delay && answered < TXNS)
				return from;
			*gap = true;
			continue;
		}
		if (*gap)
			pairs_gap(&env, &p, C2S, false);
		*gap = false;
		ask(from + 1, w->at[C2S][from]);
	}
	return from;
}

static void live(const struct world *w)
{
	bool gap[2] = { 0 };
	int asked = 0;

	for (int i = 0; i < TXNS; i++) {
		asked = ask_until(w, asked, w->at[S2C][i], i, &gap[C2S]);
		if (!w->lost[S2C][i]) {
			if (gap[S2C])
				pairs_gap(&env, &p, S2C, false);
			answer(i + 1, w->at[S2C][i]);
		}
		gap[S2C] = w->lost[S2C][i];
	}
	ask_until(w, asked, UINT64_MAX, TXNS, &gap[C2S]);
	for (int d = C2S; d <= S2C; d++)
		if (gap[d])
			pairs_gap(&env, &p, (enum tls_dir)d, false);
}

static bool given(int id, const char *form)
{
	char word[32];

	snprintf(word, sizeof(word), form, id, id);
	return !strncmp(got, word + 1, strlen(word + 1)) || strstr(got, word);
}

/* Whatever is lost, no pair is wrong and nothing is told twice or not at all. */
START_TEST(never_a_wrong_pair)
{
	uint32_t whole = 0, paired = 0;

	for (unsigned seed = 1; seed < 6000; seed++) {
		struct world w;

		srand(seed);
		w = dream();
		start(true);
		live(&w);
		stop(NULL);
		for (int i = 0; i < TXNS; i++) {
			bool c = !w.lost[C2S][i], s = !w.lost[S2C][i];
			bool pair = given(i + 1, " %d:%d ");

			ck_assert_msg((c && s && pair) ||
					(!pair && c == given(i + 1, " %d:- ") &&
						s == given(i + 1, " -:%d ")),
				"seed %u, %d: %s", seed, i + 1, got);
			whole += c && s && !w.pipelines;
			paired += pair && !w.pipelines;
			/* Of who waits, all that can be known is. */
			ck_assert_msg(pair || !c || !s || w.pipelines || w.lost[S2C][i - 1],
				"seed %u, %d: %s", seed, i + 1, got);
		}
	}
	ck_assert_uint_gt(100 * paired, 98 * whole);
}
END_TEST

UNIT_MAIN("pairs", in_order, a_lost_request, a_lost_response, a_hole_before_the_first_response,
	both_lost, pipelined, in_the_middle, bounds, never_a_wrong_pair)
