/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/suite.h"

/** Inside of the opener: what an AEAD back-end offers, and what it works on. */

struct aead;

/** How good a back-end is on this CPU: a cipher is opened by the best that can. */
enum aead_rank {
	AEAD_UNABLE, /* not on this CPU at all */
	AEAD_PLAIN,
	AEAD_FAST,   /* made for short records */
	AEAD_WIDE,   /* and 256 bits at a time */
	AEAD_WIDEST, /* 512 */
};

/** See opener.h. Read only after opener_env_init(). */
struct opener_env {
	OSSL_LIB_CTX *lib; /* our own: a host's openssl.cnf neither adds nor takes ciphers */
	OSSL_PROVIDER *provider[2];
	EVP_CIPHER *evp[CIPHER_COUNT];         /* NULL: OpenSSL does not have it */
	const struct aead *aead[CIPHER_COUNT]; /* who opens it; NULL: nobody, or it is no AEAD */
	const void *aead_env[CIPHER_COUNT];    /* that back-end's aead.env_bytes */
};

/** A key as a back-end holds it. Secret. */
struct aead_key {
	const struct aead *aead; /* NULL: no key */
	enum cipher_alg alg;
	const void *env;     /* what env_init() filled */
	EVP_CIPHER *cipher;  /* of OpenSSL, if it has one for alg */
	EVP_CIPHER_CTX *evp; /* the opener's only one, for back-ends that want it */
	void *state;         /* aead.key_bytes(), aligned to 64 */
};

/** One message (RFC 5116, section 2.2). Streaming uses only the nonce and the associated data. */
struct aead_msg {
	uint8_t nonce[12];
	uint8_t aad[16]; /* more than TLS ever needs: 13 */
	size_t aad_len;
	const uint8_t *in; /* ciphertext without tag */
	size_t len;
	const uint8_t *tag; /* cipher.tag_len bytes */
	uint8_t *out;       /* len bytes; equal to in, or apart from it */
};

/**
 * A back-end. begin, update and finish open one message in pieces; a key has one message in the
 * works. The ciphers of GCM and ChaCha20 are XOR streams: update() over plaintext gives ciphertext
 * again. A CCM message is opened whole (its length comes first), only by open().
 *
 * Context: the worker that owns the key. No allocation but in set_key().
 */
struct aead {
	const char *name;
	bool evp; /* it works in aead_key.evp */
	size_t env_bytes;
	/** Of one cipher that it can. NULL: it keeps nothing itself. */
	size_t (*key_bytes)(enum cipher_alg alg);
	bool rekeys; /* set_key() over another key of the same cipher leaves nothing of that */
	/** Fill env_bytes bytes. NULL: there are none, and it is AEAD_PLAIN. */
	enum aead_rank (*env_init)(void *mem);
	bool (*can)(const struct opener_env *env, enum cipher_alg alg);
	/** Expand cipher.key_len bytes. @return false: the library failed; the key is unusable. */
	bool (*set_key)(struct aead_key *k, const uint8_t *key);
	/** Forget the key, also after a set_key() that failed. */
	void (*wipe)(struct aead_key *k);
	/** @return true: the tag matched; else out is undefined. */
	bool (*open)(struct aead_key *k, const struct aead_msg *m);
	void (*begin)(struct aead_key *k, const struct aead_msg *m);
	void (*update)(struct aead_key *k, const uint8_t *in, size_t len, uint8_t *out);
	/** @return true: the tag matched. */
	bool (*finish)(struct aead_key *k, const uint8_t *tag);
};

/** Every AEAD of OpenSSL's EVP layer. */
extern const struct aead aead_openssl;
/** Camellia-GCM, which EVP does not have, from the parts that libcrypto has. */
extern const struct aead aead_camellia;
/** AES-GCM by VAES; only in builds for x86-64. */
extern const struct aead aead_vaes;
/** AES-GCM and ChaCha20-Poly1305 by intel-ipsec-mb; only in builds with it. */
extern const struct aead aead_ipsecmb;
