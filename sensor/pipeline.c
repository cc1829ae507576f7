/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole data path: decode() finds the segment, segment() its connection, stream() puts its bytes in
 * order, deliver() hands them to TLS, record() hands plaintext to the sinks and to HTTP. What a stage cannot use is
 * counted under the verdict that it returned.
 */
#include "pipeline.h"

#include <string.h>

#include "decode/frame.h"
#include "keys/tuple.h"
#include "policy.h"
#include "tell.h"
#include "tls/session.h"
#include "tls/sniff.h"

/* How far into a direction's clear text a hello is looked for inside segments, too. */
#define CLEAR_MAX 4096
/* A segment that so many others have overtaken is lost (RFC 5681 counts as far), if the receiver has it. */
#define OVERTAKEN_MAX 3
/* Packets that are looked at together. */
#define STEPS 32

_Static_assert(CONN_SNIFF >= SNIFF_MAX - 1, "what is not yet a hello has room");

static enum tls_dir dir_of(const struct conn *c, int end)
{
	return end == c->client ? C2S : S2C;
}

/* One record's verdict: to its counter, and its text to the sinks. */
static void record(
	struct pipeline *pl, struct conn *c, int end, enum verdict v, const struct text *t)
{
	if (v != V_OK) {
		pl->count.verdict[v]++;
		if (verdict_stage(v) == STAGE_CONN)
			tell_anomaly(pl, c, end, v, 0);
		return;
	}
	pl->count.records_decrypted += t->protected;
	pl->count.resyncs += t->resumed;
	if (t->type != TLS_APPLICATION_DATA || !t->protected || t->refused || !t->len)
		return;
	pl->count.plaintext_bytes += t->len;
	tell_text(pl, c, t);
}

/* TLS bytes in order. @return V_OK, V_WAIT or V_STOPPED. */
static enum verdict feed(struct pipeline *pl, struct conn *c, int end, struct rd *in)
{
	struct text t;
	enum verdict v;

	for (;;) {
		if (c->tls->has_random && !c->tls->judged)
			policy_judge(pl, c);
		v = session_next(pl->tls, c->tls, dir_of(c, end), in, &t);
		if (v == V_MORE || v == V_WAIT || v == V_STOPPED)
			break;
		t.ts_ns = pl->seg_ns;
		record(pl, c, end, v, &t);
	}
	if (!c->tls->told && session_settled(c->tls))
		tell_tls(pl, c);
	c->valued |= c->tls->keyed;
	return v == V_MORE ? V_OK : v;
}

/* Without a hello, the likelier client. */
static int higher_port(const struct pipeline *pl, const struct conn *c)
{
	struct flow_key k = flow_key(pl->flow, c);

	return k.port[1] > k.port[0];
}

/* The first hello of a connection, or of its other direction. */
static bool begin_tls(struct pipeline *pl, struct conn *c, int end, enum sniff kind)
{
	uint8_t client = (uint8_t)(kind == SNIFF_SERVER ? !end : end);

	if (c->tls && kind != SNIFF_RECORD && client != c->client)
		return false; /* a hello of the wrong side is no hello */
	if (!c->tls) {
		if (kind == SNIFF_RECORD)
			client = (uint8_t)higher_port(pl, c);
		c->tls = session_new(pl->tls);
		if (!c->tls) {
			pl->count.verdict[V_SESSION_FULL]++;
			return false;
		}
		c->client = client;
		if (kind == SNIFF_RECORD) {
			pl->count.verdict[V_MIDSTREAM]++;
			tell_anomaly(pl, c, end, V_MIDSTREAM, 0);
		} else {
			pl->count.tls_connections++;
		}
	}
	c->tls_ends |= (uint8_t)(1 << end);
	c->sniff_len[end] = 0;
	return true;
}

/* A connection seen from the middle: are there secrets bound to its tuple, either way round? */
static bool attach(struct pipeline *pl, struct conn *c)
{
	struct flow_key key = flow_key(pl->flow, c);
	struct tuple_end ends[2] = { tuple_end_of(&key, 0), tuple_end_of(&key, 1) };
	struct key_entry e;

	if (c->looked_up || !keytab_count(pl->tls->keys))
		return false;
	c->looked_up = true;
	for (int client = 0; client < 2; client++) {
		struct key_name name = tuple_name(&ends[client], &ends[!client]);

		if (keytab_get(pl->tls->keys, &name, &e) != V_OK)
			continue;
		key_cleanse(&e, sizeof(e));
		c->tls = session_new(pl->tls);
		if (!c->tls)
			return false;
		session_attach(c->tls, name.id);
		c->client = (uint8_t)client;
		c->tls_ends = 3;
		pl->count.tls_connections++;
		return true;
	}
	return false;
}

static void stash(struct pipeline *pl, struct conn *c, int end, struct rd *in)
{
	c->sniff_len[end] = (uint8_t)rd_left(in);
	memcpy(flow_rest(pl->flow, c)->sniff[end], in->p, c->sniff_len[end]);
	in->p = in->end;
}

/*
 * A hello that began in earlier segments: add to it until it is one, or is not.
 * @param all  Room for SNIFF_MAX bytes. @return their number.
 */
static size_t sniff_on(
	struct pipeline *pl, struct conn *c, int end, struct rd *in, uint8_t *all, enum sniff *kind)
{
	size_t n = c->sniff_len[end];

	memcpy(all, flow_rest(pl->flow, c)->sniff[end], n);
	for (*kind = SNIFF_MORE; *kind == SNIFF_MORE && rd_left(in);) {
		rd_u8(in, &all[n++]);
		*kind = sniff_at(all, n);
	}
	c->sniff_len[end] = 0;
	if (*kind == SNIFF_MORE)
		stash(pl, c, end, &(struct rd){ all, all + n });
	return n;
}

/* Clear text: does TLS begin here? @p in is advanced to where it does, or to its end. */
static enum sniff look_for_tls(
	struct pipeline *pl, struct conn *c, int end, uint64_t off, struct rd *in)
{
	enum sniff kind = sniff_at(in->p, rd_left(in));
	size_t at;

	if (kind == SNIFF_RECORD && (c->tls || c->initiator == END_UNKNOWN))
		return kind;
	if ((kind == SNIFF_NO || kind == SNIFF_RECORD) && off < CLEAR_MAX) {
		kind = sniff_find(in->p, rd_left(in), &at);
		if (kind != SNIFF_NO)
			in->p += at;
	}
	if (kind == SNIFF_MORE)
		stash(pl, c, end, in);
	if (kind == SNIFF_MORE || kind == SNIFF_NO || kind == SNIFF_RECORD)
		in->p = in->end;
	return kind;
}

/* Bytes of a direction in which TLS has not begun. */
static enum verdict clear(struct pipeline *pl, struct conn *c, int end, uint64_t off, struct rd *in)
{
	const struct rd all = *in;
	uint8_t first[SNIFF_MAX];
	struct rd held = { 0 };
	enum sniff kind = SNIFF_NO;
	enum verdict v = V_OK;

	if (c->sniff_len[end]) {
		held = rd_init(first, sniff_on(pl, c, end, in, first, &kind));
		if (kind == SNIFF_MORE)
			return V_CLEAR;
	}
	if (kind == SNIFF_NO || (kind == SNIFF_RECORD && !c->tls)) {
		held = (struct rd){ 0 };
		kind = rd_left(in) ? look_for_tls(pl, c, end, off, in) : SNIFF_NO;
	}
	if ((kind == SNIFF_NO || kind == SNIFF_RECORD) && c->initiator == END_UNKNOWN && !c->tls &&
		attach(pl, c)) {
		*in = all;
		return feed(pl, c, end, in);
	}
	if (kind == SNIFF_NO || kind == SNIFF_MORE || !begin_tls(pl, c, end, kind)) {
		in->p = in->end;
		return V_CLEAR;
	}
	if (kind == SNIFF_CLIENT_V2)
		v = session_v2_hello(pl->tls, c->tls, in);
	if (v == V_OK && rd_left(&held))
		v = feed(pl, c, end, &held); /* part of a hello: it cannot wait */
	return v == V_OK ? feed(pl, c, end, in) : V_CLEAR;
}

/* Look after a connection that waits for a key even if no packet of it comes. */
static void enlist(struct pipeline *pl, struct conn *c)
{
	if (c->late || pl->n_late == PIPELINE_LATE)
		return;
	c->late = true;
	pl->late[pl->n_late++] = c;
}

static void delist(struct pipeline *pl, struct conn *c)
{
	for (uint32_t i = 0; c->late && i < pl->n_late; i++) {
		if (pl->late[i] != c)
			continue;
		pl->late[i] = pl->late[--pl->n_late];
		c->late = false;
	}
}

/* The bytes at `in` have to wait for the other direction, or a key. @return false: they may not. */
static bool defer(struct pipeline *pl, struct conn *c, int end, struct seg *seg,
	const struct rd *in, bool kept)
{
	if (session_keyless(c->tls, dir_of(c, end))) {
		if (c->dir[end].held_bytes + rd_left(in) > pl->late_bytes)
			return false;
		enlist(pl, c);
	}
	seg->seq += (uint32_t)(in->p - seg->data);
	seg->data = in->p;
	seg->len = (uint32_t)rd_left(in);
	return seg->len && reasm_defer(&c->dir[end], &pl->keeper, seg, kept) == V_OK;
}

/*
 * A segment that is next in order; the rest of one that has to wait goes back.
 * @return V_WAIT if no byte of it was used; V_HELD if some are left.
 */
static enum verdict deliver(
	struct pipeline *pl, struct conn *c, int end, struct seg *seg, bool kept)
{
	struct rd in = rd_init(seg->data, seg->len);
	enum verdict v;

	pl->seg_ns = seg->ts_ns;
	if (c->tls_ends >> end & 1)
		v = feed(pl, c, end, &in);
	else
		v = clear(pl, c, end, seg->off, &in);
	if (v == V_WAIT) {
		v = in.p == seg->data ? V_WAIT : V_HELD;
		if (defer(pl, c, end, seg, &in, kept))
			return v;
		session_force(c->tls, dir_of(c, end));
		v = feed(pl, c, end, &in);
	}
	if (kept)
		pl->keeper.drop(pl->keeper.arg, seg->owner);
	return v;
}

/* What was held and is now in order, in both directions, until neither moves. */
static void drain(struct pipeline *pl, struct conn *c, int first)
{
	struct seg seg;
	bool moved;

	do {
		moved = false;
		for (int i = 0; i < 2; i++) {
			int end = i ? !first : first;

			while (reasm_pull(&c->dir[end], &pl->keeper, &seg) == V_OK) {
				if (deliver(pl, c, end, &seg, true) == V_WAIT)
					break;
				c->dir[end].stuck_ms = 0;
				moved = true;
			}
		}
	} while (moved && (c->dir[0].held_segs || c->dir[1].held_segs));
}

/* Bytes of a direction that speaks TLS are missing. */
static void lose(struct pipeline *pl, struct conn *c, int end, uint32_t missing)
{
	enum verdict v = session_gap(pl->tls, c->tls, dir_of(c, end), missing);

	pl->count.gaps++;
	pl->count.gap_bytes += missing;
	if (v == V_STOPPED)
		return;
	pl->count.verdict[V_GAP]++;
	pl->count.verdict[V_CUT] += v == V_CUT;
	tell_anomaly(pl, c, end, V_GAP, missing);
}

/*
 * Give up what a direction waits for: the bytes in a hole, the other direction, or a key.
 * @return false if it waits for nothing.
 */
static bool give_up(struct pipeline *pl, struct conn *c, int end)
{
	uint32_t missing = reasm_skip(&c->dir[end], &pl->keeper);

	if (missing && c->tls_ends >> end & 1)
		lose(pl, c, end, missing);
	else if (!missing && c->dir[end].held_segs && c->tls)
		session_force(c->tls, dir_of(c, end));
	else if (!missing)
		return false;
	drain(pl, c, end);
	return true;
}

static uint32_t patience(const struct pipeline *pl, const struct conn *c, int end)
{
	if (c->tls && session_keyless(c->tls, dir_of(c, end)))
		return pl->late_ms;
	return c->dir[end].acked ? pl->skew_ms : pl->stuck_ms;
}

/* Does this packet of the other end say that it has the bytes of the hole? */
static bool says_received(const struct pipeline *pl, const struct reasm *r, const struct pkt *p)
{
	struct tcp_span sack[TCP_SACK_MAX];
	uint32_t end;

	return p->tcp_flags & TCP_ACK && reasm_hole(r, &pl->keeper, &end) &&
		reasm_acked(r, end, p->ack, sack, tcp_sack(p, sack));
}

/*
 * How long has a direction been stuck? A hole whose bytes the other end acknowledged, selectively or not,
 * will not be filled: they were received there and never seen here. Ports of a tap skew, so that is
 * believed only after a while; without an acknowledgement the patience is longer.
 */
static void lose_patience(struct pipeline *pl, struct conn *c, int end, const struct pkt *ack)
{
	uint32_t now_ms = (uint32_t)(pl->now_ns >> 20) | 1;
	struct reasm *r = &c->dir[end];
	bool acked = ack && says_received(pl, r, ack);

	if (!r->stuck_ms || (acked && !r->acked)) {
		r->stuck_ms = now_ms;
		r->acked = acked;
	}
	if (now_ms - r->stuck_ms > patience(pl, c, end))
		give_up(pl, c, end);
}

/*
 * A packet of a direction that has a hole, which it may fill. If it lies beyond, and others before it, since
 * the other end said that it has those bytes, then they are not only late.
 */
static void look_on(struct pipeline *pl, struct conn *c, int end, const struct pkt *p)
{
	struct reasm *r = &c->dir[end];

	if (p->payload_len && (int32_t)(p->seq - r->next) <= 0)
		return;
	if (p->payload_len && r->acked && r->stuck_ms && ++r->acked > OVERTAKEN_MAX + 1)
		give_up(pl, c, end);
	else
		lose_patience(pl, c, end, NULL);
}

/* Connections that wait for a key: when keys have come, and now and then. */
static void look_after(struct pipeline *pl)
{
	uint32_t version = keytab_version(pl->tls->keys), now_ms = (uint32_t)(pl->now_ns >> 20);

	if (!pl->n_late || (version == pl->late_seen && now_ms == pl->late_seen_ms))
		return;
	pl->late_seen = version;
	pl->late_seen_ms = now_ms;
	for (uint32_t i = 0; i < pl->n_late;) {
		struct conn *c = pl->late[i];

		drain(pl, c, c->client);
		for (int end = 0; end < 2; end++)
			if (c->dir[end].held_segs)
				lose_patience(pl, c, end, NULL);
		if (session_keyless(c->tls, C2S) || session_keyless(c->tls, S2C))
			i++;
		else
			delist(pl, c);
	}
}

static enum verdict stream(struct pipeline *pl, struct conn *c, int end, struct seg *seg)
{
	struct reasm *r = &c->dir[end];
	enum verdict v = reasm_push(r, &pl->keeper, seg);

	if (v == V_REASM_BUDGET && give_up(pl, c, end))
		v = reasm_push(r, &pl->keeper, seg);
	if (v != V_OK)
		return v;
	v = deliver(pl, c, end, seg, false);
	if (c->dir[0].held_segs || c->dir[1].held_segs) {
		if (v != V_WAIT)
			r->stuck_ms = 0;
		drain(pl, c, end);
	}
	return v == V_WAIT ? V_HELD : v;
}

static void finish(struct pipeline *pl, struct conn *c, enum conn_end why)
{
	if (c->dir[0].held_segs || c->dir[1].held_segs) {
		drain(pl, c, 0);
		for (bool more = true; more;)
			more = give_up(pl, c, 0) || give_up(pl, c, 1);
	}
	delist(pl, c);
	reasm_fini(&c->dir[0], &pl->keeper);
	reasm_fini(&c->dir[1], &pl->keeper);
	if (c->tls) {
		for (int d = 0; d < 2; d++)
			if (session_end(pl->tls, c->tls, (enum tls_dir)d) == V_CUT)
				pl->count.verdict[V_CUT]++;
		if (!c->tls->told)
			tell_tls(pl, c);
		pl->count.tls_connections_decrypted += c->tls->deciphered;
		pl->count.key_lookups_missed += c->tls->missed;
		pl->count.key_waits += c->tls->waited;
	}
	tell_end(pl, c, why);
	if (c->tls)
		session_free(pl->tls, c->tls);
	flow_del(pl->flow, c);
}

static struct conn *connection(
	struct pipeline *pl, const struct pkt *p, const struct flow_look *look)
{
	struct conn *c, *old;

	while (!(c = flow_get(pl->flow, p, look, &old)) && old) {
		pl->count.verdict[V_EVICTED] += !old->reused;
		finish(pl, old, old->reused ? END_REUSED : END_EVICTED);
	}
	if (c && c->packets[0] + c->packets[1] == 1)
		pl->count.connections++;
	return c;
}

static enum verdict segment(struct pipeline *pl, const struct pkt *p, const struct flow_look *look)
{
	struct seg seg = { .ts_ns = p->ts_ns, .owner = p->owner };
	struct conn *c = connection(pl, p, look);
	int end = look->ends.end;

	if (!c)
		return p->tcp_flags & TCP_RST ? V_EMPTY : V_FLOW_FULL;
	if (c->dir[!end].held_segs)
		lose_patience(pl, c, !end, p);
	if (c->dir[end].held_segs)
		look_on(pl, c, end, p);
	if (!p->payload_len)
		return V_EMPTY;
	seg.data = p->payload;
	seg.len = p->payload_len;
	seg.seq = p->seq + !!(p->tcp_flags & TCP_SYN);
	return stream(pl, c, end, &seg);
}

/* A packet between the passes of a burst. */
struct step {
	enum verdict v;
	struct flow_look look;
};

/* First pass. @return how many packets: the bytes of a reassembled one last until the next. */
static int decode(struct pipeline *pl, struct pkt *pkts, struct step *s, int n)
{
	for (int i = 0; i < n; i++) {
		pl->count.packets++;
		pl->count.bytes += pkts[i].len;
		s[i].v = frame_decode(&pkts[i], pl->frag);
		if (s[i].v == V_OK)
			flow_look(pl->flow, &pkts[i], &s[i].look);
		if (pkts[i].reassembled)
			return i + 1;
	}
	return n;
}

/* Load what the last pass will wait for: connections, then their sessions. */
static void prefetch(struct pipeline *pl, const struct pkt *pkts, struct step *s, int n)
{
	const struct conn *c[STEPS];
	const struct session *last = NULL;

	for (int i = 0; i < n; i++) {
		c[i] = s[i].v == V_OK ? flow_peek(pl->flow, &s[i].look) : NULL;
		if (!c[i])
			continue;
		__builtin_prefetch(c[i]->dir);
	}
	for (int i = 0; i < n; i++)
		if (c[i] && c[i]->tls)
			session_prefetch(c[i]->tls, dir_of(c[i], s[i].look.ends.end));
	for (int i = 0; i < n; i++) {
		if (!c[i] || !c[i]->tls || c[i]->tls == last || !pkts[i].payload_len)
			continue;
		last = c[i]->tls;
		session_prefetch_keys(pl->tls, last, dir_of(c[i], s[i].look.ends.end));
		if (pl->wants.text)
			__builtin_prefetch(flow_birth(pl->flow, c[i]));
	}
}

/* At most STEPS packets in three passes, so that what one waits for is loaded while others run. */
static int steps(struct pipeline *pl, struct pkt *pkts, int n)
{
	struct step s[STEPS];

	n = decode(pl, pkts, s, n);
	prefetch(pl, pkts, s, n);
	for (int i = 0; i < n; i++) {
		if (i + 1 < n && s[i + 1].v == V_OK)
			pkt_prefetch(&pkts[i + 1]);
		if (pkts[i].ts_ns > pl->now_ns)
			pl->now_ns = pkts[i].ts_ns;
		if (s[i].v == V_OK)
			s[i].v = segment(pl, &pkts[i], &s[i].look);
		pl->count.verdict[s[i].v]++;
	}
	frag_release(pl->frag);
	return n;
}

static enum conn_end ending(const struct conn *c, enum conn_end otherwise)
{
	if (c->state != CONN_CLOSED)
		return otherwise;
	return c->reset ? END_RST : END_FIN;
}

void pipeline_burst(struct pipeline *pl, struct pkt *pkts, int n)
{
	struct conn *c;

	for (int done = 0; done < n;)
		done += steps(pl, pkts + done, n - done < STEPS ? n - done : STEPS);
	tls_env_clock(pl->tls, pl->now_ns);
	pl->count.trials_refused = pl->tls->trials_refused;
	pl->count.http_refused = pl->web.http1.refused;
	look_after(pl);
	while ((c = flow_expired(pl->flow, pl->now_ns)))
		finish(pl, c, ending(c, END_TIMEOUT));
}

void pipeline_finish(struct pipeline *pl)
{
	struct conn *c;

	while ((c = flow_any(pl->flow)))
		finish(pl, c, ending(c, END_CAPTURE));
	pl->count.fragments_lost = frag_lost(pl->frag) + frag_held(pl->frag);
	pl->count.trials_refused = pl->tls->trials_refused;
	pl->count.http_refused = pl->web.http1.refused;
}
