/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A server that is dead, paused or full must not cost a wait for every handshake, and one that is
 * slow to connect to must still be reached by calls that may each wait only a little. So connecting
 * goes on from call to call, but only one call an interval waits for it.
 *
 * Replies come in the order of the commands. What a call did not wait for is counted and skipped by a
 * later one: a late acknowledgement is never taken for another handshake's.
 *
 * Slow is not dead. A server or a sensor that did not answer in time is sent everything as before, and
 * is waited for again after a pause in proportion to the time that was lost; only a server that has said
 * nothing at all for seconds is given up.
 */
#include "keybus/lane.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_NS 3000000000ull /* longest that connecting, or any answer, may take */
#define VAIN_NS 20000000ull       /* so much is waited in vain in a row; then there are pauses */
#define VAIN_MAX_NS 250000000ull
#define PAUSE 4       /* times as long as what was waited in vain */
#define STALE_MAX 256 /* replies that may be owed to us */
#define IDS_MAX 16
#define ROOM (2 * SCHEMA_PAYLOAD_MAX + 4096) /* for the commands of a job */

/* What became of one try. */
enum outcome { DONE, LOST, LATE, SILENT, REFUSED, REDIRECTED, LEFT_ALONE };

static enum outcome outcome_of(int rc)
{
	switch (rc) {
	case 0:
		return DONE;
	case -ETIMEDOUT:
	case -EAGAIN:
		return LATE;
	case -EACCES:
		return REFUSED;
	default:
		return LOST;
	}
}

void lane_drop(struct lane *l)
{
	conn_close(l->conn);
	l->ready = false;
	l->stale = 0;
	l->late_ns = 0;
}

void lane_free(struct lane *l)
{
	reader_reply_free(l->error);
	conn_free(l->conn);
	*l = (struct lane){ 0 };
}

void lane_forget(struct lane *l)
{
	conn_forget(l->conn);
	lane_drop(l);
}

static enum push_result fail(struct lane *l, enum push_result result)
{
	lane_drop(l);
	breaker_fail(&l->down, conn_now_ns());
	return result;
}

static bool is_redirect(const redisReply *r)
{
	return (r->len > 6 && !memcmp(r->str, "MOVED ", 6)) ||
		(r->len > 4 && !memcmp(r->str, "ASK ", 4));
}

/* The next reply that is owed to us. */
static enum outcome next(struct lane *l, redisReply **out, uint64_t deadline_ns)
{
	enum outcome o = outcome_of(conn_await(l->conn, out, deadline_ns));

	if (o == DONE) {
		l->stale--;
		l->late_ns = 0;
	}
	return o;
}

/* Redis itself owes the answer; that to a BLPOP may be late by nobody's fault. */
static enum outcome overdue(struct lane *l, enum outcome o)
{
	if (o == LATE && !l->late_ns)
		l->late_ns = conn_now_ns();
	return o;
}

/* Skip @p n replies that were owed to earlier calls. */
static enum outcome skip(struct lane *l, uint32_t n, uint64_t deadline_ns)
{
	enum outcome o = DONE;

	while (n-- && o == DONE) {
		redisReply *r;

		o = next(l, &r, deadline_ns);
		if (o != DONE)
			break;
		if (r->type == REDIS_REPLY_ERROR && !is_redirect(r))
			o = REFUSED;
		reader_reply_free(r);
	}
	return o;
}

/* The rarer, the longer nothing came of it. */
static void waited_in_vain(struct lane *l, uint64_t since_ns)
{
	uint64_t now = conn_now_ns();

	l->vain_ns += now - since_ns;
	if (l->vain_ns > VAIN_MAX_NS)
		l->vain_ns = VAIN_MAX_NS;
	if (l->vain_ns >= VAIN_NS)
		l->pause_ns = now + PAUSE * l->vain_ns;
}

/* Even who does not wait gives it time when so much is owed. @return DONE, or LEFT_ALONE. */
static enum outcome make_room(struct lane *l, uint64_t deadline_ns)
{
	uint64_t now = conn_now_ns();
	enum outcome o = LATE;

	if (!l->late_ns || now >= l->pause_ns)
		o = skip(l, l->stale, deadline_ns);
	if (overdue(l, o) == LATE && now < deadline_ns)
		waited_in_vain(l, now);
	return o == LATE ? LEFT_ALONE : o;
}

/*
 * Take what has come meanwhile. An idle connection that Redis has closed, or speaks on unasked, is lost;
 * one on which it has said nothing for too long is silent.
 */
static enum outcome catch_up(struct lane *l, uint64_t deadline_ns)
{
	enum outcome o = skip(l, l->stale, 0);
	redisReply *r;
	int rc;

	if (o == LATE && l->late_ns && conn_now_ns() - l->late_ns > PATIENCE_NS)
		return SILENT;
	if (l->stale >= STALE_MAX || conn_room(l->conn) < ROOM)
		o = make_room(l, deadline_ns);
	else if (o == LATE)
		o = DONE;
	if (o != DONE || l->stale)
		return o;
	rc = conn_reply(l->conn, &r);
	if (!rc)
		reader_reply_free(r);
	return rc == -EAGAIN ? DONE : LOST;
}

/* @return DONE: logged in; LATE: not yet, and the breaker is told; LOST; LEFT_ALONE. */
static enum outcome connect_until(struct lane *l, uint64_t deadline_ns)
{
	uint64_t now = conn_now_ns();
	bool patient = !breaker_open(&l->down, now);
	enum outcome o;

	if (!conn_is_open(l->conn)) {
		l->dialed_ns = now;
		if (!patient)
			return LEFT_ALONE;
		if (conn_open(l->conn))
			return LOST;
	}
	o = outcome_of(conn_ready(l->conn, patient ? deadline_ns : 0));
	l->ready = o == DONE;
	if (o == LATE && patient)
		breaker_fail(&l->down, conn_now_ns());
	if (o == LATE && now - l->dialed_ns > PATIENCE_NS)
		lane_drop(l);
	return o;
}

static struct conn_arg word(const char *s)
{
	return (struct conn_arg){ s, strlen(s) };
}

static int queue_asking(struct lane *l, const struct lane_job *job)
{
	int rc = job->asking ? conn_command(l->conn, (struct conn_arg[]){ word("ASKING") }, 1) : 0;

	l->stale += job->asking && !rc;
	return rc;
}

/* The replies that are to come are counted with the commands. */
static int queue_store(struct lane *l, const struct lane_job *job)
{
	char ttl[12];
	int rc = queue_asking(l, job);

	snprintf(ttl, sizeof(ttl), "%u", job->ttl_s);
	if (!rc)
		rc = conn_command(l->conn,
			(struct conn_arg[]){ word("SET"), word(job->key.text), job->payload,
				word("EX"), word(ttl) },
			5);
	if (!rc)
		rc = conn_command(l->conn,
			(struct conn_arg[]){ word("PUBLISH"), word(SCHEMA_CHANNEL), job->payload },
			3);
	l->stale += 2;
	return rc;
}

/* Redis takes seconds; 0 would be for ever. The host's locale may have a decimal comma. */
static int queue_wait(struct lane *l, const struct lane_job *job)
{
	uint64_t now = conn_now_ns();
	uint64_t ms = now < job->deadline_ns ? (job->deadline_ns - now) / 1000000 : 0;
	char seconds[32];
	int rc = queue_asking(l, job);

	if (!ms)
		ms = 1;
	snprintf(seconds, sizeof(seconds), "%u.%03u", (unsigned)(ms / 1000), (unsigned)(ms % 1000));
	if (!rc)
		rc = conn_command(l->conn,
			(struct conn_arg[]){
				word("BLPOP"), word(job->ack_key.text), word(seconds) },
			3);
	l->stale++;
	return rc;
}

/* Keep an error for whoever can make something of it. */
static enum outcome refused(struct lane *l, redisReply *r)
{
	reader_reply_free(l->error);
	l->error = r;
	l->redirected = is_redirect(r);
	return l->redirected ? REDIRECTED : REFUSED;
}

/* One reply of this job. */
static enum outcome take(struct lane *l, const struct lane_job *job, int type, redisReply **out)
{
	enum outcome o = next(l, out, job->deadline_ns);

	if (o != DONE)
		return o;
	if ((*out)->type == type || ((*out)->type == REDIS_REPLY_NIL && type == REDIS_REPLY_ARRAY))
		return DONE;
	if ((*out)->type == REDIS_REPLY_ERROR)
		return refused(l, *out);
	reader_reply_free(*out);
	return LOST;
}

/* The +OK to ASKING, if it was said. */
static enum outcome take_asking(struct lane *l, const struct lane_job *job)
{
	redisReply *r;
	enum outcome o = job->asking ? take(l, job, REDIS_REPLY_STATUS, &r) : DONE;

	if (job->asking && o == DONE)
		reader_reply_free(r);
	return o;
}

/* Has Redis it, and how many were told? */
static enum outcome await_store(struct lane *l, const struct lane_job *job, long long *receivers)
{
	redisReply *r;
	enum outcome o = take_asking(l, job);

	if (o == DONE)
		o = take(l, job, REDIS_REPLY_STATUS, &r);
	if (o != DONE)
		return o;
	reader_reply_free(r);
	o = take(l, job, REDIS_REPLY_INTEGER, &r);
	if (o != DONE)
		return o;
	*receivers = r->integer;
	reader_reply_free(r);
	return DONE;
}

struct ids {
	uint32_t n;
	char at[IDS_MAX][64];
};

/* A sensor that answers twice is one sensor. */
static bool add_id(struct ids *ids, const redisReply *r)
{
	char id[64];

	snprintf(id, sizeof(id), "%.*s", (int)(r->len < 63 ? r->len : 63), r->str);
	for (uint32_t i = 0; i < ids->n; i++)
		if (!strcmp(ids->at[i], id))
			return false;
	memcpy(ids->at[ids->n++], id, sizeof(id));
	return true;
}

/* @return false: this is no acknowledgement of the job. */
static bool is_ack(const redisReply *r, const struct lane_job *job)
{
	size_t n = strlen(job->ack_key.text);

	return r->type == REDIS_REPLY_ARRAY && r->elements == 2 &&
		r->element[0]->type == REDIS_REPLY_STRING && r->element[0]->len == n &&
		!memcmp(r->element[0]->str, job->ack_key.text, n) &&
		r->element[1]->type == REDIS_REPLY_STRING;
}

/* @return DONE: so many have acknowledged it; LATE: not in time. */
static enum outcome await_acks(struct lane *l, const struct lane_job *job)
{
	struct ids ids = { 0 };

	while (ids.n < job->acks) {
		redisReply *r;
		enum outcome o = take_asking(l, job);
		bool ours, again;

		if (o == DONE)
			o = take(l, job, REDIS_REPLY_ARRAY, &r);
		if (o != DONE)
			return o;
		if (r->type == REDIS_REPLY_NIL) {
			reader_reply_free(r);
			return LATE;
		}
		ours = is_ack(r, job);
		again = ours && !add_id(&ids, r->element[1]);
		reader_reply_free(r);
		if (!ours || (again && queue_wait(l, job)))
			return LOST;
	}
	return DONE;
}

/* Queue the waits for acknowledgements. */
static int queue_waits(struct lane *l, const struct lane_job *job)
{
	int rc = 0;

	for (uint32_t i = 0; i < job->acks && !rc; i++)
		rc = queue_wait(l, job);
	return rc;
}

/* @param asked  The waits for acknowledgements are on their way already. */
static enum outcome await_all(struct lane *l, const struct lane_job *job, uint32_t earlier,
	bool asked, enum push_result *result)
{
	long long receivers;
	enum outcome o = skip(l, earlier, job->deadline_ns);

	if (o == DONE)
		o = await_store(l, job, &receivers);
	if (overdue(l, o) != DONE)
		return o;
	breaker_succeed(&l->down);
	l->heard = !job->counts || receivers >= job->acks;
	*result = job->ack == PUSH_ACK_CACHE ? PUSH_STORED : PUSH_TIMEOUT;
	if (asked && !l->heard)
		lane_drop(l); /* it would be blocked until the wait runs out */
	if (job->ack == PUSH_ACK_CACHE || !l->heard)
		return DONE;
	if (!asked && queue_waits(l, job))
		return LOST;
	o = await_acks(l, job);
	if (o == DONE)
		*result = PUSH_ACKED;
	return o;
}

/*
 * Store, announce, and what the job waits for. The commands go before earlier replies are awaited: a
 * BLPOP that has run out is answered when something wakes the server.
 */
static enum outcome exchange(struct lane *l, const struct lane_job *job, enum push_result *result)
{
	uint64_t now = conn_now_ns();
	bool wait = job->ack != PUSH_ACK_NONE && now >= l->pause_ns;
	bool at_once = wait && job->ack == PUSH_ACK_SENSOR && l->heard;
	uint32_t earlier = l->stale;
	enum outcome o;

	if (queue_store(l, job) || (at_once && queue_waits(l, job)))
		return LOST;
	if (!wait) {
		*result = job->ack == PUSH_ACK_NONE ? PUSH_STORED : PUSH_TIMEOUT;
		return outcome_of(conn_work(l->conn)) == LOST ? LOST : DONE;
	}
	o = await_all(l, job, earlier, at_once, result);
	if (o == LATE)
		waited_in_vain(l, now);
	else if (o == DONE && *result != PUSH_TIMEOUT)
		l->vain_ns = 0;
	return o;
}

/* The rest of a pipeline that was sent to the wrong node is answered at once, with errors. */
static void drain(struct lane *l, uint64_t deadline_ns)
{
	while (l->stale) {
		redisReply *r;

		if (conn_await(l->conn, &r, deadline_ns)) {
			lane_drop(l);
			return;
		}
		reader_reply_free(r);
		l->stale--;
	}
}

static enum outcome attempt(struct lane *l, const struct lane_job *job, enum push_result *result)
{
	enum outcome o = DONE;

	if (conn_is_open(l->conn) && !conn_is_ours(l->conn))
		lane_drop(l);
	if (l->ready)
		o = catch_up(l, job->deadline_ns);
	if (o == LOST)
		lane_drop(l);
	if (!l->ready)
		o = connect_until(l, job->deadline_ns);
	return o == DONE ? exchange(l, job, result) : o;
}

enum push_result lane_push(struct lane *l, const struct lane_job *job)
{
	bool old = l->ready;
	enum push_result result;
	enum outcome o;

	l->redirected = false;
	o = attempt(l, job, &result);
	if (o == LOST && old) {
		lane_drop(l);
		o = attempt(l, job, &result);
	}
	switch (o) {
	case DONE:
		return result;
	case LEFT_ALONE:
		return PUSH_DOWN;
	case REFUSED:
		return fail(l, PUSH_REFUSED);
	case REDIRECTED:
		drain(l, job->deadline_ns);
		return PUSH_REFUSED;
	case LATE: /* and goes on: connecting, or the answer */
		return l->ready ? PUSH_TIMEOUT : PUSH_DOWN;
	default:
		return fail(l, PUSH_DOWN);
	}
}

redisReply *lane_ask(struct lane *l, const struct conn_arg *argv, int argc, uint64_t deadline_ns)
{
	redisReply *r = NULL;
	enum outcome o = DONE;

	if (l->ready && catch_up(l, deadline_ns) != DONE)
		lane_drop(l);
	if (!l->ready)
		o = connect_until(l, deadline_ns);
	if (o == DONE && conn_command(l->conn, argv, argc))
		o = LOST;
	if (o == DONE)
		o = skip(l, l->stale++, deadline_ns);
	if (o == DONE)
		o = next(l, &r, deadline_ns);
	if (l->ready)
		overdue(l, o);
	if (o != DONE && o != LATE && o != LEFT_ALONE)
		fail(l, PUSH_DOWN);
	return o == DONE ? r : NULL;
}
