/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1 (RFC 9112) as a third party sees it: two byte streams, of which some bytes may be missing, to be
 * cut into messages. Each direction is read by itself; only what the response to HEAD or CONNECT is
 * followed by depends on the other one.
 */
#include "web/http1.h"

static void *lay_out(struct http1_env *env, uint8_t *mem, const struct http1_cfg *cfg, size_t *at)
{
	const struct {
		struct pool *pool;
		uint32_t max;
		size_t size;
	} parts[] = {
		{ &env->conns, cfg->max_conns, sizeof(struct http1) },
		{ &env->lines, cfg->max_lines, HTTP1_LINE_MAX },
		{ &env->pairs.pool, cfg->max_exchanges, sizeof(struct exchange) },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		void *part = pool_carve(mem, at, pool_bytes(parts[i].max, parts[i].size));

		if (mem)
			pool_init(parts[i].pool, part, parts[i].max, parts[i].size);
	}
	return mem;
}

size_t http1_bytes(const struct http1_cfg *cfg)
{
	struct http1_env unused;
	size_t n = 0;

	lay_out(&unused, NULL, cfg, &n);
	return n;
}

void http1_init(struct http1_env *env, void *mem, const struct http1_cfg *cfg,
	void (*done)(void *arg, const struct txn *t), void *arg)
{
	size_t n = 0;

	*env = (struct http1_env){ .pairs = { .done = done, .arg = arg } };
	lay_out(env, mem, cfg, &n);
}

bool http1_likely(const struct text *t)
{
	struct rd in = rd_init(t->data, t->len);

	return t->after_gap ? head_whole((enum tls_dir)t->dir, in) :
			      head_likely((enum tls_dir)t->dir, in);
}

struct http1 *http1_new(struct http1_env *env, const struct text *t)
{
	struct http1 *h = pool_get(&env->conns);

	if (!h) {
		env->refused++;
		return NULL;
	}
	*h = (struct http1){ 0 };
	pairs_init(&h->pairs, !t->after_gap);
	if (t->after_gap)
		h->dir[C2S] = h->dir[S2C] = (struct http1_dir){ .at = HTTP1_LOST, .known = true };
	return h;
}

static void drop_line(struct http1_env *env, struct http1_dir *d)
{
	if (d->line)
		pool_put(&env->lines, d->line);
	d->line = NULL;
	d->line_len = 0;
}

static void expect(struct http1_dir *d, enum http1_at at)
{
	d->at = (uint8_t)at;
	d->head_len = 0;
}

static void lose(struct http1_env *env, struct http1 *h, enum tls_dir dir)
{
	struct http1_dir *d = &h->dir[dir];

	d->known = true;
	drop_line(env, d);
	pairs_gap(&env->pairs, &h->pairs, dir, d->interim && d->at != HTTP1_START);
	expect(d, HTTP1_LOST);
}

static void over(struct http1_env *env, struct http1 *h, enum tls_dir dir)
{
	pairs_over(&env->pairs, &h->pairs, dir);
	expect(&h->dir[dir], HTTP1_START);
	h->dir[dir].interim = false;
}

/* A line that lies in more than one text is put together. @return V_OK, V_MORE or V_BUFFERS. */
static enum verdict keep_line(
	struct http1_env *env, struct http1_dir *d, struct rd part, bool ends, struct rd *line)
{
	size_t n = rd_left(&part), room = HTTP1_LINE_MAX - d->line_len;

	if (!d->line)
		d->line = pool_get(&env->lines);
	if (!d->line)
		return V_BUFFERS;
	n = n < room ? n : room;
	memcpy(d->line + d->line_len, part.p, n);
	d->line_len += (uint16_t)n;
	*line = rd_init(d->line, d->line_len);
	return ends ? V_OK : V_MORE;
}

/* A line of a head, without its end: CRLF, or LF alone as RFC 9112, section 2.2 permits. */
static enum verdict take_line(
	struct http1_env *env, struct http1_dir *d, struct rd *in, struct rd *line)
{
	const uint8_t *lf = memchr(in->p, '\n', rd_left(in));
	size_t n = lf ? (size_t)(lf - in->p) : rd_left(in);

	TRY(rd_sub(in, n, line));
	if (lf)
		TRY(rd_skip(in, 1));
	d->head_len += (uint32_t)n + 1;
	if (d->head_len > HTTP1_HEAD_MAX)
		return V_BUFFERS;
	if (!lf || d->line)
		TRY(keep_line(env, d, *line, lf, line));
	if (rd_left(line) && line->end[-1] == '\r')
		line->end--;
	return V_OK;
}

/* @return false: it is none. */
static bool start_line(struct http1_env *env, struct http1 *h, enum tls_dir dir, struct rd line)
{
	struct http1_dir *d = &h->dir[dir];
	struct exchange *x;

	if (!rd_left(&line) && dir == C2S) {
		expect(d, HTTP1_START);
		return true;
	}
	if (!head_start(&d->head, dir, line, NULL))
		return false;
	d->at = HTTP1_FIELDS;
	d->known = true;
	d->interim = dir == S2C && d->head.status / 100 == 1 && d->head.status != 101;
	if (d->interim)
		return true;
	x = dir == C2S ? pairs_request(&env->pairs, &h->pairs, d->start_ns) :
			 pairs_response(&env->pairs, &h->pairs, d->start_ns, d->idle_ns);
	env->refused += !x;
	return x && head_start(&d->head, dir, line, &x->t);
}

/* The head is over: what follows (RFC 9112, section 6.3)? @return false: that cannot be told. */
static bool begin_body(struct http1_env *env, struct http1 *h, enum tls_dir dir)
{
	struct http1_dir *d = &h->dir[dir];
	const struct head *head = &d->head;

	/* A message of HTTP/1.0 with a transfer coding is one that a 1.0 peer frames otherwise. */
	if (head->bad || (head->coded && !head->minor) ||
		(head->coded && !head->chunked && dir == C2S))
		return false;
	d->left = head->len;
	if (head->coded)
		expect(d, head->chunked ? HTTP1_SIZE : HTTP1_UNTIL_CLOSE);
	else if (head->has_len ? head->len : dir == S2C)
		expect(d, head->has_len ? HTTP1_BODY : HTTP1_UNTIL_CLOSE);
	else
		over(env, h, dir);
	return true;
}

static bool is_bodiless(uint16_t status)
{
	return status / 100 == 1 || status == 204 || status == 304;
}

static bool answers_head(const struct exchange *x)
{
	return x->heads || txn_is(&x->t, TXN_METHOD, "HEAD");
}

static bool head_over(struct http1_env *env, struct http1 *h, enum tls_dir dir)
{
	struct exchange *x = h->pairs.msg[dir];
	uint16_t status = h->dir[dir].head.status;

	if (!x) { /* an interim response */
		over(env, h, dir);
		return true;
	}
	x->expects |= h->dir[dir].head.expects;
	if (dir == C2S)
		return begin_body(env, h, dir);
	h->other = status == 101 || (status / 100 == 2 && txn_is(&x->t, TXN_METHOD, "CONNECT"));
	if (!h->other && !is_bodiless(status) && !answers_head(x))
		return begin_body(env, h, dir);
	over(env, h, dir);
	return true;
}

static bool chunk_size(struct http1_dir *d, struct rd line)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t size = 0;
	size_t n = 0;

	for (; line.p < line.end && n < 16; n++, line.p++) {
		uint8_t c = *line.p;
		const char *p = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;
		if (!p)
			break;
		size = size << 4 | (uint64_t)(p - digits);
	}
	if (!n || n == 16 ||
		(rd_left(&line) && *line.p != ';' && *line.p != ' ' && *line.p != '\t'))
		return false;
	d->left = size;
	expect(d, size ? HTTP1_CHUNK : HTTP1_TRAILER);
	return true;
}

/* @return false: this is not what a line has to be here. */
static bool use_line(struct http1_env *env, struct http1 *h, enum tls_dir dir, struct rd line)
{
	struct http1_dir *d = &h->dir[dir];
	struct exchange *x = h->pairs.msg[dir];

	switch (d->at) {
	case HTTP1_START:
		return start_line(env, h, dir, line);
	case HTTP1_FIELDS:
		if (!rd_left(&line))
			return head_over(env, h, dir);
		head_field(&d->head, dir, line, x ? &x->t : NULL);
		return true;
	case HTTP1_SIZE:
		return chunk_size(d, line);
	case HTTP1_CHUNK_END:
		expect(d, HTTP1_SIZE);
		return !rd_left(&line);
	default: /* HTTP1_TRAILER */
		if (!rd_left(&line))
			over(env, h, dir);
		return true;
	}
}

static void read_line(struct http1_env *env, struct http1 *h, enum tls_dir dir, struct rd *in)
{
	struct http1_dir *d = &h->dir[dir];
	struct rd line;
	enum verdict v = take_line(env, d, in, &line);

	if (v == V_MORE)
		return;
	env->refused += v == V_BUFFERS;
	if (v != V_OK || !use_line(env, h, dir, line)) {
		h->other = v == V_OK && !d->known;
		lose(env, h, dir);
	}
	drop_line(env, d);
}

/* Content: it is passed over. */
static void pass(struct http1_env *env, struct http1 *h, enum tls_dir dir, uint64_t n)
{
	struct http1_dir *d = &h->dir[dir];

	if (h->pairs.msg[dir])
		h->pairs.msg[dir]->t.body_len[dir] += n;
	if (d->at == HTTP1_UNTIL_CLOSE)
		return;
	d->left -= n;
	if (d->left)
		return;
	if (d->at == HTTP1_BODY)
		over(env, h, dir);
	else
		expect(d, HTTP1_CHUNK_END);
}

static bool in_content(const struct http1_dir *d)
{
	return d->at == HTTP1_BODY || d->at == HTTP1_CHUNK || d->at == HTTP1_UNTIL_CLOSE;
}

static void step(struct http1_env *env, struct http1 *h, enum tls_dir dir, struct rd *in)
{
	struct http1_dir *d = &h->dir[dir];
	size_t n = rd_left(in);

	if (!in_content(d)) {
		read_line(env, h, dir, in);
		return;
	}
	if (d->at != HTTP1_UNTIL_CLOSE && n > d->left)
		n = (size_t)d->left;
	if (rd_skip(in, n) == V_OK)
		pass(env, h, dir, n);
}

/*
 * A response whose request was not seen in time: if another one begins where its content should, it
 * answers HEAD.
 */
static bool was_bodiless(const struct http1 *h, enum tls_dir dir, struct rd in)
{
	const struct exchange *x = h->pairs.msg[dir];
	uint8_t at = h->dir[dir].at;

	return dir == S2C && x && at >= HTTP1_BODY && at != HTTP1_LOST && !x->t.body_len[S2C] &&
		(!(x->t.seen >> C2S & 1) || answers_head(x)) && head_whole(dir, in);
}

/* Where do the bytes of a text go on? @return false: they are passed over. */
static bool resume(struct http1_env *env, struct http1 *h, const struct text *t, struct rd in)
{
	enum tls_dir dir = (enum tls_dir)t->dir;
	struct http1_dir *d = &h->dir[dir];

	if (t->after_gap)
		http1_gap(env, h, dir);
	else if (was_bodiless(h, dir, in))
		over(env, h, dir);
	if (d->at == HTTP1_LOST) {
		if (!head_whole(dir, in))
			return false;
		expect(d, HTTP1_START);
	}
	return true;
}

/* Nothing of this protocol can follow. */
static enum verdict stop(struct http1_env *env, struct http1 *h)
{
	for (int d = C2S; d <= S2C; d++)
		pairs_over(&env->pairs, &h->pairs, (enum tls_dir)d);
	pairs_end(&env->pairs, &h->pairs);
	return V_STOPPED;
}

enum verdict http1_text(struct http1_env *env, struct http1 *h, const struct text *t)
{
	enum tls_dir dir = (enum tls_dir)t->dir;
	struct http1_dir *d = &h->dir[dir];
	struct rd in = rd_init(t->data, t->len);
	bool use = resume(env, h, t, in);

	while (use && rd_left(&in) && d->at != HTTP1_LOST && !h->other) {
		if (d->at == HTTP1_START && !d->head_len) {
			d->start_ns = t->ts_ns;
			d->idle_ns = d->last_ns;
		}
		if (dir == S2C && h->pairs.msg[S2C])
			h->pairs.msg[S2C]->t.last_ns = t->ts_ns;
		step(env, h, dir, &in);
		d->last_ns = t->ts_ns;
	}
	d->last_ns = t->ts_ns;
	return h->other ? stop(env, h) : V_OK;
}

void http1_gap(struct http1_env *env, struct http1 *h, enum tls_dir dir)
{
	struct exchange *x = h->pairs.msg[dir];

	if (x && h->dir[dir].at == HTTP1_UNTIL_CLOSE)
		x->t.cut |= (uint8_t)(1 << dir);
	else
		lose(env, h, dir);
}

void http1_free(struct http1_env *env, struct http1 *h, bool closed)
{
	if (h->dir[S2C].at == HTTP1_UNTIL_CLOSE && closed)
		pairs_over(&env->pairs, &h->pairs, S2C);
	pairs_end(&env->pairs, &h->pairs);
	for (int d = C2S; d <= S2C; d++)
		drop_line(env, &h->dir[d]);
	pool_put(&env->conns, h);
}
