/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the next record begins. Usually where the last one ended; after a hole any byte may be the first
 * of a header, and is passed by until five of them are what this session would send.
 */
#include "tls/header.h"

#include "tls/chain.h"

static bool fill_header(struct session_dir *dir, struct rd *in)
{
	if (!dir->hdr_len && rd_copy(in, dir->hdr, sizeof(dir->hdr)) == V_OK)
		dir->hdr_len = sizeof(dir->hdr);
	while (dir->hdr_len < sizeof(dir->hdr)) {
		if (rd_u8(in, &dir->hdr[dir->hdr_len]) != V_OK)
			return false;
		dir->hdr_len++;
	}
	dir->body_len = get_be16(dir->hdr + 3);
	dir->body_have = 0;
	return true;
}

/* After a hole, where every offset may be a header: nothing but what this session would send. */
static bool is_likely_header(const struct session *s, const struct session_dir *dir)
{
	const uint8_t *h = dir->hdr;
	uint16_t version = version_is_13(s->version) ? TLS12 : s->version;
	bool first = version_is_13(s->version) ? h[0] == TLS_APPLICATION_DATA :
						 h[0] >= TLS_CCS && h[0] <= TLS_APPLICATION_DATA;

	if (version ? get_be16(h + 1) != version : h[1] != 3 || h[2] > 4)
		return false;
	return first && dir->body_len >= (h[0] == TLS_APPLICATION_DATA ? 16 : 1) &&
		dir->body_len <= RECORD_MAX && (h[0] != TLS_CCS || dir->body_len == 1);
}

/* The 5 bytes at hand, of which the last came from @p in, are no header: begin one byte further on. */
static void shift_header(struct tls_env *env, struct session *s, struct session_dir *dir,
	const uint8_t *start, struct rd *in)
{
	chain_pass(env, s, dir, dir->hdr, 1);
	chain_run_on(s, dir, 1);
	memmove(dir->hdr, dir->hdr + 1, 4);
	dir->hdr_len = 4;
	if (in->p - start < 4)
		return;
	in->p -= 4;
	dir->hdr_len = 0;
	chain_seek(env, s, dir, in);
}

enum verdict header_read(
	struct tls_env *env, struct session *s, struct session_dir *dir, struct rd *in)
{
	const uint8_t *h = dir->hdr, *start = in->p;

	if (dir->lost && !dir->hdr_len)
		chain_seek(env, s, dir, in);
	for (bool fresh = dir->hdr_len < 5; fill_header(dir, in); fresh = true) {
		if (dir->lost && !is_likely_header(s, dir)) {
			shift_header(env, s, dir, start, in);
			continue;
		}
		if (h[0] < TLS_CCS || h[0] > TLS_HEARTBEAT || h[1] != 3)
			return V_TLS_HEADER;
		if (dir->lost && fresh)
			chain_settle(env, s, dir);
		return dir->body_len > RECORD_MAX ? V_TLS_RECORD_LEN : V_OK;
	}
	return V_MORE;
}
