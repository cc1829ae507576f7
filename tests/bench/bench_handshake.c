/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Full TLS handshakes with a server on this host, one after the other: how long does each take? In C, so
 * that on few cores most of what is measured is not the client.
 *
 * usage: bench_handshake PORT COUNT
 * Prints milliseconds, a line each, from ClientHello to Finished.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "clock.h"

static void check(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	ERR_print_errors_fp(stderr);
	exit(EXIT_FAILURE);
}

static int dial(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static double handshake(SSL_CTX *ctx, uint16_t port)
{
	int fd = dial(port);
	SSL *ssl = SSL_new(ctx);
	uint64_t start = now_ns(), end;

	check(ssl && SSL_set_fd(ssl, fd) && SSL_connect(ssl) == 1, "handshake");
	end = now_ns();
	check(!SSL_session_reused(ssl), "a session was resumed");
	SSL_free(ssl);
	close(fd);
	return (double)(end - start) / 1e6;
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (argc != 3) {
		fputs("usage: bench_handshake PORT COUNT\n", stderr);
		return 2;
	}
	check(ctx, "TLS");
	for (long n = strtol(argv[2], NULL, 10); n > 0; n--)
		printf("%.3f\n", handshake(ctx, (uint16_t)strtoul(argv[1], NULL, 10)));
	SSL_CTX_free(ctx);
	return 0;
}
