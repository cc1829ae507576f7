/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Community ID: a short name of a connection by which the records of different monitors are joined.
 * SHA-1 here is a fingerprint, not a protection.
 */
#define OPENSSL_SUPPRESS_DEPRECATED 1 /* the low-level hash does not allocate */
#include "write/community.h"

#include <string.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/bytes.h"

#define PROTO_TCP 6

/* The endpoint that the definition puts first: the lower address, then the lower port. */
static int lower(const struct flow_key *k)
{
	int c = memcmp(k->addr[0], k->addr[1], k->addr_len);

	return c ? c > 0 : k->port[0] > k->port[1];
}

void community_id(char out[COMMUNITY_LEN], const struct flow_key *key)
{
	uint8_t msg[2 + 16 + 16 + 2 + 4], digest[SHA_DIGEST_LENGTH];
	struct wr w = wr_init(msg, sizeof(msg));
	int a = lower(key);
	SHA_CTX sha;

	wr_u16(&w, 0); /* seed */
	wr_bytes(&w, key->addr[a], key->addr_len);
	wr_bytes(&w, key->addr[!a], key->addr_len);
	wr_u8(&w, PROTO_TCP);
	wr_u8(&w, 0);
	wr_u16(&w, key->port[a]);
	wr_u16(&w, key->port[!a]);
	SHA1_Init(&sha);
	SHA1_Update(&sha, msg, wr_len(&w, msg));
	SHA1_Final(digest, &sha);
	memcpy(out, "1:", 2);
	EVP_EncodeBlock((uint8_t *)out + 2, digest, sizeof(digest));
}
