/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "keybus/access.h"
#include "keybus/uri.h"

#define STREAM_ADDRS 8

/** The addresses of a server. */
struct stream_peer {
	int n;
	int next; /* the one to try next */
	struct {
		struct sockaddr_storage sa;
		socklen_t len;
	} at[STREAM_ADDRS];
};

/**
 * A stream socket, perhaps with TLS on it, that never waits and never raises a signal.
 * Descriptors are close-on-exec. OpenSSL's error queue is left as it was.
 */
struct stream {
	int fd; /* -1: closed */
	ino_t ino;
	SSL *ssl;
	bool connected;
	bool secured; /* the TLS handshake is done, or there is none */
	bool drained; /* the socket gave less than it was asked for: there is no more */
	short wants;  /* what to poll for after -EAGAIN */
};

/**
 * Begin to connect, to the next address of @p peer.
 * @return 0: begun; -errno: not this one.
 */
int stream_open(
	struct stream *s, const struct uri *u, struct stream_peer *peer, const struct access *a);

/** Go on connecting. @return 0: done; -EAGAIN: poll for s->wants; other: it failed. */
int stream_step(struct stream *s);

/**
 * @return bytes, at least 1; -EAGAIN: poll for s->wants; -ECONNRESET at the end; other -errno.
 *
 * What comes just after a read that emptied the socket is had after the next poll(), which says so at
 * once: a call that would nearly always find nothing is saved for each message.
 */
ssize_t stream_read(struct stream *s, void *buf, size_t size);
ssize_t stream_write(struct stream *s, const void *data, size_t len);

/** Whether the descriptor is still that socket: a host may close what it does not know. */
bool stream_is_ours(const struct stream *s);

/** Says nothing to the other end: the connection may be shared with a parent process. */
void stream_close(struct stream *s);

/** The same, when the TLS state may be half-changed: it is left as it is. */
void stream_forget(struct stream *s);
