/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

#include "decode/pkt.h"

/** Called with the text of every Decryption Secrets Block of type "TLS Key Log". */
typedef void capture_secrets_fn(void *arg, const char *text, uint32_t len);

struct capture;

/**
 * Open a capture file: pcap (any byte order, micro- or nanoseconds, also the "modified" format) or
 * pcapng, plain or gzip-compressed.
 *
 * @param path     A file, a FIFO, or "-" for standard input.
 * @param secrets  Called for DSBs: for those of a file, wherever they stand, before this returns;
 *                 for those of a pipe, as they are met. The text is borrowed, and cleansed after.
 * @return 0 or -errno (-EBADMSG: not a capture); what is wrong has then been said on stderr.
 */
int capture_open(struct capture **out, const char *path, capture_secrets_fn *secrets, void *arg);

/**
 * The next packets, with the source's half of struct pkt filled in.
 *
 * @param pkts  Room for @p max. Their bytes are borrowed until the next call.
 * @return number of packets; 0 at the end; -EBADMSG when the input is damaged or cut off, another
 *         -errno when it cannot be read: what, where and that the rest is not read has been said
 *         on stderr, once (the packets before it were returned). Further calls return the same.
 *         A pipe with something to read never waits for a full burst.
 */
int capture_burst(struct capture *c, struct pkt *pkts, int max);

/** Bytes of the (compressed) input read so far, and its size or 0 if unknown: for progress. */
uint64_t capture_tell(const struct capture *c);
uint64_t capture_size(const struct capture *c);

/** 1 if the file ended inside its last block (cut off, but all before it was read). */
int capture_truncated(const struct capture *c);

void capture_close(struct capture *c);
