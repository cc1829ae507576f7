/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

/** Bytes that pcapng_packet() writes for a frame of @p len bytes. */
#define PCAPNG_PACKET_BYTES(len) (32 + (((size_t)(len) + 3) & ~(size_t)3))

/**
 * Begin a file: Section Header Block that names the application, and one Ethernet interface whose
 * timestamps are nanoseconds. Little-endian on every host. (draft-ietf-opsawg-pcapng)
 *
 * @param app  Name and version of the program; less than 256 bytes.
 *
 * Context: any; no allocation, no lock. What does not fit sets w->full.
 */
void pcapng_begin(struct wr *w, const char *app);

/** One frame on that interface (Enhanced Packet Block), not cut. @param ts_ns  Since 1970. */
void pcapng_packet(struct wr *w, uint64_t ts_ns, const uint8_t *data, uint32_t len);

/** Key-log lines (Decryption Secrets Block, type "TLSK"): they hold for the packets after it. */
void pcapng_secrets(struct wr *w, const char *text, uint32_t len);
