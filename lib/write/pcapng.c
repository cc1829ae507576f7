/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The few blocks of pcapng that a writer needs. Every block says its length before and after its
 * body, and bodies are padded to 32 bits.
 */
#include "write/pcapng.h"

enum block { BLOCK_IDB = 1, BLOCK_EPB = 6, BLOCK_DSB = 10, BLOCK_SHB = 0x0a0d0d0a };
enum option { OPT_END = 0, SHB_USERAPPL = 4, IF_TSRESOL = 9 };

#define SECRETS_TLS_KEY_LOG 0x544c534b

static void le16(struct wr *w, uint16_t v)
{
	wr_u16(w, (uint16_t)(v >> 8 | v << 8));
}

static void le32(struct wr *w, uint32_t v)
{
	wr_u32(w, __builtin_bswap32(v));
}

static uint32_t padded(uint32_t len)
{
	return (len + 3) & ~3u;
}

static void padded_bytes(struct wr *w, const void *data, uint32_t len)
{
	static const uint8_t zero[3];

	wr_bytes(w, data, len);
	wr_bytes(w, zero, padded(len) - len);
}

static void option(struct wr *w, uint16_t code, const void *data, uint16_t len)
{
	le16(w, code);
	le16(w, len);
	padded_bytes(w, data, len);
}

static void section(struct wr *w, const char *app)
{
	uint32_t app_len = (uint32_t)strlen(app);
	uint32_t total = 28 + 4 + padded(app_len) + 4;

	le32(w, BLOCK_SHB);
	le32(w, total);
	le32(w, 0x1a2b3c4d); /* byte-order magic */
	le16(w, 1);          /* version 1.0 */
	le16(w, 0);
	le32(w, UINT32_MAX); /* length of the section: not known */
	le32(w, UINT32_MAX);
	option(w, SHB_USERAPPL, app, (uint16_t)app_len);
	option(w, OPT_END, NULL, 0);
	le32(w, total);
}

void pcapng_begin(struct wr *w, const char *app)
{
	static const uint8_t nanoseconds = 9;

	section(w, app);
	le32(w, BLOCK_IDB);
	le32(w, 32);
	le16(w, 1); /* LINKTYPE_ETHERNET */
	le16(w, 0);
	le32(w, 0); /* no snapshot length */
	option(w, IF_TSRESOL, &nanoseconds, 1);
	option(w, OPT_END, NULL, 0);
	le32(w, 32);
}

void pcapng_packet(struct wr *w, uint64_t ts_ns, const uint8_t *data, uint32_t len)
{
	uint32_t total = (uint32_t)PCAPNG_PACKET_BYTES(len);

	le32(w, BLOCK_EPB);
	le32(w, total);
	le32(w, 0); /* the only interface */
	le32(w, (uint32_t)(ts_ns >> 32));
	le32(w, (uint32_t)ts_ns);
	le32(w, len);
	le32(w, len);
	padded_bytes(w, data, len);
	le32(w, total);
}

void pcapng_secrets(struct wr *w, const char *text, uint32_t len)
{
	uint32_t total = 20 + padded(len);

	le32(w, BLOCK_DSB);
	le32(w, total);
	le32(w, SECRETS_TLS_KEY_LOG);
	le32(w, len);
	padded_bytes(w, text, len);
	le32(w, total);
}
