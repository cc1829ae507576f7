/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of an HTTP/1 message's head. Two readers of one message must not disagree where it ends, so what
 * frames the body is read strictly, and any doubt is an answer of its own (head.bad).
 */
#include "web/head.h"

#define METHOD_MAX 31

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool is_token(uint8_t c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
		(c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool is_control(uint8_t c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* @param word  In lower case. */
static bool is(struct rd r, const char *word)
{
	if (rd_left(&r) != strlen(word))
		return false;
	for (; r.p < r.end; r.p++, word++)
		if (lower(*r.p) != (uint8_t)*word)
			return false;
	return true;
}

static struct rd trim(struct rd r)
{
	while (r.p < r.end && is_blank(*r.p))
		r.p++;
	while (r.p < r.end && is_blank(r.end[-1]))
		r.end--;
	return r;
}

/* Take what is before the first @p c, and @p c; all if there is none. @return whether there is. */
static bool split(struct rd *r, uint8_t c, struct rd *before)
{
	const uint8_t *at = rd_left(r) ? memchr(r->p, c, rd_left(r)) : NULL;

	*before = (struct rd){ r->p, at ? at : r->end };
	r->p = at ? at + 1 : r->end;
	return at;
}

static struct rd token(struct rd *r)
{
	struct rd t = *r;

	while (r->p < r->end && is_token(*r->p))
		r->p++;
	t.end = r->p;
	return t;
}

static bool version(struct rd *r, uint8_t *minor)
{
	const uint8_t *p;

	if (rd_bytes(r, 8, &p) != V_OK || memcmp(p, "HTTP/1.", 7) != 0 || !is_digit(p[7]))
		return false;
	*minor = p[7] - '0';
	return true;
}

static bool request_line(struct head *h, struct rd line, struct txn *t)
{
	struct rd method = token(&line), target;
	uint8_t blank;

	if (!rd_left(&method) || rd_left(&method) > METHOD_MAX || rd_u8(&line, &blank) != V_OK ||
		blank != ' ' || !split(&line, ' ', &target) || !rd_left(&target))
		return false;
	for (const uint8_t *p = target.p; p < target.end; p++)
		if (is_control(*p) || *p == '\t')
			return false;
	if (!version(&line, &h->minor) || rd_left(&line))
		return false;
	if (t) {
		txn_put(t, TXN_METHOD, method.p, rd_left(&method));
		txn_put(t, TXN_TARGET, target.p, rd_left(&target));
	}
	return true;
}

static bool status_line(struct head *h, struct rd line)
{
	const uint8_t *p;

	if (!version(&line, &h->minor) || rd_bytes(&line, 4, &p) != V_OK || p[0] != ' ' ||
		p[1] < '1' || p[1] > '9' || !is_digit(p[2]) || !is_digit(p[3]))
		return false;
	h->status = (uint16_t)((p[1] - '0') * 100 + (p[2] - '0') * 10 + p[3] - '0');
	return !rd_left(&line) || *line.p == ' ';
}

bool head_start(struct head *h, enum tls_dir d, struct rd line, struct txn *t)
{
	*h = (struct head){ 0 };
	if (!(d == C2S ? request_line(h, line, t) : status_line(h, line)))
		return false;
	if (t) {
		t->minor[d] = h->minor;
		t->status = d == S2C ? h->status : t->status;
	}
	return true;
}

static bool number(struct rd r, uint64_t *n)
{
	*n = 0;
	if (!rd_left(&r) || rd_left(&r) > 18)
		return false;
	for (; r.p < r.end && is_digit(*r.p); r.p++)
		*n = *n * 10 + (*r.p - '0');
	return !rd_left(&r);
}

/* A list of one number, which is what some gateways make of repeated fields, is that number. */
static void content_length(struct head *h, struct rd value)
{
	struct rd one;
	uint64_t n;
	bool more;

	do {
		more = split(&value, ',', &one);
		if (!number(trim(one), &n) || (h->has_len && n != h->len))
			h->bad = true;
		h->len = n;
		h->has_len = true;
	} while (more);
}

/* Chunked is applied once, and last (RFC 9112, section 6.1). */
static void transfer_encoding(struct head *h, struct rd value)
{
	struct rd one;
	bool more;

	h->coded = true;
	do {
		more = split(&value, ',', &one);
		one = trim(one);
		if (!rd_left(&one))
			continue;
		h->bad |= h->chunked;
		h->chunked = is(one, "chunked");
	} while (more);
}

static void keep(struct head *h, enum tls_dir d, struct rd name, struct rd value, struct txn *t)
{
	static const struct {
		const char *name;
		enum tls_dir dir;
		enum txn_value value;
	} kept[] = {
		{ "host", C2S, TXN_HOST },
		{ "user-agent", C2S, TXN_AGENT },
		{ "referer", C2S, TXN_REFERER },
		{ "content-type", S2C, TXN_TYPE },
	};

	for (size_t i = 0; t && i < sizeof(kept) / sizeof(*kept); i++) {
		if (kept[i].dir != d || !is(name, kept[i].name))
			continue;
		txn_put(t, kept[i].value, value.p, rd_left(&value));
		h->value = (uint8_t)(1 + kept[i].value) & 15;
	}
}

/* A line that goes on with the last field's value (obs-fold): of no use, and not there for others. */
static void folded(struct head *h, struct txn *t)
{
	h->bad |= h->framing;
	if (t && h->value)
		t->truncated |= (uint8_t)(1 << (h->value - 1));
}

void head_field(struct head *h, enum tls_dir d, struct rd line, struct txn *t)
{
	struct rd name = token(&line), value;
	bool blank = false;

	if (!rd_left(&name)) {
		if (line.p < line.end && is_blank(*line.p))
			folded(h, t);
		return;
	}
	h->framing = is(name, "content-length") || is(name, "transfer-encoding");
	h->value = 0;
	for (; line.p < line.end && is_blank(*line.p); line.p++)
		blank = true;
	if (line.p == line.end || *line.p != ':' || (blank && h->framing)) {
		h->bad |= h->framing;
		return;
	}
	line.p++;
	value = trim(line);
	if (is(name, "content-length"))
		content_length(h, value);
	else if (h->framing)
		transfer_encoding(h, value);
	else if (is(name, "expect"))
		h->expects = true;
	else
		keep(h, d, name, value, t);
}

/* Take a line that is well-formed and ends with CRLF. */
static bool crlf_line(struct rd *in, struct rd *line)
{
	if (!split(in, '\n', line) || line->p == line->end || line->end[-1] != '\r')
		return false;
	line->end--;
	for (const uint8_t *p = line->p; p < line->end; p++)
		if (is_control(*p))
			return false;
	return true;
}

bool head_whole(enum tls_dir d, struct rd in)
{
	struct head h;
	struct rd line;
	int fields = 0;

	if (!head_likely(d, in) || !crlf_line(&in, &line) || !head_start(&h, d, line, NULL))
		return false;
	for (; crlf_line(&in, &line); fields++) {
		struct rd name = token(&line);

		if (line.p == line.end && !rd_left(&name))
			return fields > 0;
		if (!rd_left(&name) || line.p == line.end || *line.p != ':')
			return false;
	}
	return false;
}

bool head_likely(enum tls_dir d, struct rd in)
{
	size_t n = rd_left(&in) < 7 ? rd_left(&in) : 7;
	struct rd method;

	if (d == S2C)
		return n && !memcmp(in.p, "HTTP/1.", n);
	while (in.p < in.end && (*in.p == '\r' || *in.p == '\n'))
		in.p++;
	method = token(&in);
	return rd_left(&method) <= METHOD_MAX &&
		(in.p == in.end || (rd_left(&method) && *in.p == ' '));
}
