/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>

#include "unit.h"

/** A redis-server of the test's own, in a directory of its own. It dies with the test. */
struct redis {
	pid_t pid;
	int port, tls_port; /* of 127.0.0.1; 0: none */
	char dir[32];
	char socket[64];
	char uri[80]; /* unix:... */
};

/* Free now; nobody else is handed it out for a while. */
static inline int redis_free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static inline void redis_dir(struct redis *r)
{
	*r = (struct redis){ 0 };
	strcpy(r->dir, "/tmp/test_redis.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(r->dir));
	snprintf(r->socket, sizeof(r->socket), "%s/sock", r->dir);
	snprintf(r->uri, sizeof(r->uri), "unix:%s", r->socket);
}

static inline redisContext *redis_connect(const struct redis *r)
{
	redisContext *c = redisConnectUnix(r->socket);

	ck_assert_ptr_nonnull(c);
	return c;
}

/** Run the server in r->dir, with more configuration, and wait until it answers. */
static inline void redis_run(struct redis *r, const char *conf)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/conf", r->dir);
	f = fopen(path, "w");
	fprintf(f, "dir %s\nunixsocket %s\nport %d\nbind 127.0.0.1\nsave \"\"\nlogfile log\n%s\n",
		r->dir, r->socket, r->port, conf);
	fclose(f);
	r->pid = fork();
	if (!r->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("redis-server", "redis-server", path, NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000; i++) {
		redisContext *c = redisConnectUnix(r->socket);
		redisReply *reply = c->err ? NULL : redisCommand(c, "PING");
		bool up = reply != NULL;

		freeReplyObject(reply);
		redisFree(c);
		if (up)
			return;
		ck_assert_msg(waitpid(r->pid, NULL, WNOHANG) == 0, "redis-server does not start");
		usleep(10000);
	}
	ck_abort_msg("redis-server does not answer");
}

static inline void redis_start(struct redis *r, const char *conf)
{
	redis_dir(r);
	r->port = redis_free_port();
	redis_run(r, conf);
}

static inline void redis_kill(struct redis *r)
{
	kill(r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	unlink(r->socket);
}

static inline void redis_stop(struct redis *r)
{
	char command[64];

	redis_kill(r);
	snprintf(command, sizeof(command), "rm -rf '%s'", r->dir);
	ck_assert_int_eq(system(command), 0);
}

/** One command, as redisCommand() takes it. */
__attribute__((format(printf, 2, 3))) static inline redisReply *redis_ask(
	const struct redis *r, const char *format, ...)
{
	redisContext *c = redis_connect(r);
	redisReply *reply;
	va_list ap;

	va_start(ap, format);
	reply = redisvCommand(c, format, ap);
	va_end(ap);
	ck_assert_ptr_nonnull(reply);
	redisFree(c);
	return reply;
}

/** Whether redis-server can be run here. */
static inline bool redis_is_there(void)
{
	return system("redis-server --version >/dev/null 2>&1") == 0;
}
