/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON out of bytes that strangers chose: host names, certificate fields, protocol names. Whatever
 * they hold, one record stays one line of valid UTF-8 that a terminal does not act on.
 */
#include "write/json.h"

void json_init(struct json *j, struct wr *w)
{
	*j = (struct json){ .w = w };
}

static void begin(struct json *j, const char *key)
{
	if (j->comma)
		wr_u8(j->w, ',');
	j->comma = true;
	if (!key)
		return;
	wr_u8(j->w, '"');
	wr_str(j->w, key);
	wr_str(j->w, "\":");
}

static void open_value(struct json *j, const char *key, bool array)
{
	begin(j, key);
	wr_u8(j->w, array ? '[' : '{');
	j->arrays = j->arrays << 1 | array;
	j->comma = false;
}

void json_object(struct json *j, const char *key)
{
	open_value(j, key, false);
}

void json_array(struct json *j, const char *key)
{
	open_value(j, key, true);
}

void json_end(struct json *j)
{
	wr_u8(j->w, j->arrays & 1 ? ']' : '}');
	j->arrays >>= 1;
	j->comma = true;
}

/*
 * Length of the UTF-8 sequence at the start of s (RFC 3629: no overlong forms, no surrogates), with
 * its code point; 0 if there is none.
 */
static size_t utf8(const uint8_t *s, size_t n, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (len <= 1) {
		*code = s[0];
		return len;
	}
	if (s[0] > 0xf4 || n < len)
		return 0;
	*code = s[0] & (0x7f >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

static void escape(struct wr *w, uint32_t code)
{
	static const char digits[] = "0123456789abcdef";
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const char *p = code ? strchr(plain, (int)code) : NULL;

	wr_u8(w, '\\');
	if (p) {
		wr_u8(w, (uint8_t)letter[p - plain]);
		return;
	}
	wr_str(w, "u00");
	wr_u8(w, (uint8_t)digits[code >> 4]);
	wr_u8(w, (uint8_t)digits[code & 15]);
}

static bool escaped(uint32_t code)
{
	return code < 0x20 || code == '"' || code == '\\' || (code >= 0x7f && code <= 0x9f);
}

void json_strn(struct json *j, const char *key, const void *data, size_t len)
{
	const uint8_t *s = data, *end = s + len, *run = s;

	begin(j, key);
	wr_u8(j->w, '"');
	while (s < end) {
		uint32_t code = 0;
		size_t n = utf8(s, (size_t)(end - s), &code);

		if (n && !escaped(code)) {
			s += n;
			continue;
		}
		wr_bytes(j->w, run, (size_t)(s - run));
		if (n)
			escape(j->w, code);
		else
			wr_str(j->w, "\xef\xbf\xbd");
		s += n ? n : 1;
		run = s;
	}
	wr_bytes(j->w, run, (size_t)(s - run));
	wr_u8(j->w, '"');
}

void json_str(struct json *j, const char *key, const char *s)
{
	json_strn(j, key, s, strlen(s));
}

void json_u64(struct json *j, const char *key, uint64_t v)
{
	char buf[20], *p = buf + sizeof(buf);

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	begin(j, key);
	wr_bytes(j->w, p, (size_t)(buf + sizeof(buf) - p));
}

void json_bool(struct json *j, const char *key, bool v)
{
	begin(j, key);
	wr_str(j->w, v ? "true" : "false");
}
