/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink.h"
#include "tls/suite.h"
#include "unit.h"

/** What the tests of the sinks share: a place to write to, and connections to tell of. */

__attribute__((weak)) const struct suite *suite_find(uint16_t id)
{
	static const struct suite aes = { .id = 0x1301, .name = "TLS_AES_128_GCM_SHA256" };

	return id == aes.id ? &aes : NULL;
}

#define MAX_CONNS 256

static char tmp[64];

static inline void tmp_make(void)
{
	strcpy(tmp, "/tmp/cleartap-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tmp));
}

static inline void tmp_remove(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -r %s", tmp);
	ck_assert_int_eq(system(cmd), 0);
}

static inline const char *tmp_path(const char *name)
{
	static char path[4][256];
	static int i;
	char *p = path[i++ & 3];

	snprintf(p, 256, "%s/%s", tmp, name);
	return p;
}

/** The whole file, terminated; checks that nobody else may read it. @return its length. */
static inline size_t slurp(const char *path, char *buf, size_t cap)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	size_t n;

	ck_assert_msg(f != NULL, "%s is not there", path);
	ck_assert_int_eq(fstat(fileno(f), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	n = fread(buf, 1, cap - 1, f);
	buf[n] = '\0';
	fclose(f);
	return n;
}

static inline struct conn closed_conn(void)
{
	return (struct conn){
		.initiator = 1,
		.client = 1,
		.state = CONN_CLOSED,
		.last_ns = 1704164646000000000u,
	};
}

static inline struct conn_view view_of(const struct conn *c, uint64_t id)
{
	return (struct conn_view){ .conn = c,
		.id = id,
		.first_ns = 1704164645123456789u,
		.key = { .addr = { { 192, 0, 2, 1 }, { 198, 51, 100, 7 } },
			.port = { 443, (uint16_t)(50000 + id) },
			.addr_len = 4 },
		.index = (uint32_t)id % MAX_CONNS,
		.ts_ns = 1704164645200000000u,
		.is_tls = true };
}

static inline struct conn_view view_v6(const struct conn *c, uint64_t id)
{
	struct conn_view v = view_of(c, id);

	memset(v.key.addr, 0, sizeof(v.key.addr));
	for (int end = 0; end < 2; end++) {
		memcpy(v.key.addr[end], "\x20\x01\x0d\xb8", 4);
		v.key.addr[end][15] = (uint8_t)(end + 1);
	}
	v.key.addr_len = 16;
	return v;
}

static inline void *sink_start(const struct sink_ops *ops, const char *arg)
{
	void *sink = NULL;

	ck_assert_int_eq(ops->open(arg, MAX_CONNS, &sink), 0);
	return sink;
}

static inline void say(const struct sink_ops *ops, void *sink, struct conn_view *v, int dir,
	const void *data, size_t len)
{
	struct text t = { .data = data,
		.len = (uint32_t)len,
		.dir = (uint8_t)dir,
		.type = TLS_APPLICATION_DATA,
		.protected = true };

	v->text_bytes[dir] += len;
	v->records[dir]++;
	ops->text(sink, v, &t);
}

/** Writing to a full device is told once and returned by close. */
static inline void full_device(const struct sink_ops *ops)
{
	struct conn c = closed_conn();
	struct conn_view v = view_of(&c, 1);
	void *sink = sink_start(ops, "/dev/full");

	ops->end(sink, &v, END_FIN);
	ck_assert_int_eq(ops->close(sink), -ENOSPC);
}

static inline void no_such_directory(const struct sink_ops *ops)
{
	void *sink = NULL;

	ck_assert_int_eq(ops->open("/nonexistent/dir/file", MAX_CONNS, &sink), -ENOENT);
	ck_assert_ptr_null(sink);
}
