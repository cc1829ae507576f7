/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tls/env.h"
#include "tls/handshake.h"
#include "tls/hello.h"
#include "tls/meta.h"
#include "tls/opener.h"
#include "tls/text.h"

struct negotiation;
struct inflater;

/** Which keys protect a direction's records. */
enum epoch {
	EPOCH_CLEAR,
	EPOCH_EARLY,     /* TLS 1.3: 0-RTT */
	EPOCH_HANDSHAKE, /* TLS 1.3 */
	EPOCH_DATA,      /* TLS 1.3 application traffic; TLS <= 1.2 after ChangeCipherSpec */
};

/** How the record under way is dealt with. */
enum intake { INTAKE_HEADER, INTAKE_DIRECT, INTAKE_COLLECT, INTAKE_STREAM, INTAKE_SKIP };

/**
 * One direction: a cache line, touched with every segment. Indexes are POOL_NONE where there is nothing.
 */
struct session_dir {
	uint64_t seq;   /* record number in this epoch */
	uint32_t buf;   /* record under way, of env->buffers */
	uint32_t lease; /* hint for tls_env_lease() */
	uint32_t tried; /* env->keys version of the last vain look-up, plus 1 */
	struct handshake hs;
	/* for whoever shows the connection; both end at UINT32_MAX */
	uint32_t records;
	uint32_t failed;
	uint16_t generation; /* of the traffic secret (KeyUpdate) */
	uint16_t body_len;
	uint16_t body_have;
	uint16_t trials; /* records that no candidate opened */
	uint16_t suite;  /* that the keys, if known, are for */
	uint16_t version;
	uint8_t hdr[5];
	uint8_t why;        /* enum verdict of a record that is skipped */
	uint8_t missing;    /* enum verdict: which secret of this epoch was looked for in vain */
	uint8_t hellos;     /* ClientHellos or ServerHellos seen, modulo 256 */
	uint8_t ciphers;    /* ChangeCipherSpecs that took effect, modulo 256 */
	uint8_t epoch : 2;  /* enum epoch */
	uint8_t intake : 3; /* enum intake */
	uint8_t hdr_len : 3;
	bool known : 1;      /* the keys are: session.material, suite, version, etm, runs_on */
	bool etm : 1;        /* RFC 7366 */
	bool runs_on : 1;    /* a key stream does: opener_runs_on() */
	bool unchained : 1;  /* chained IV: the ciphertext before the next record was not seen */
	bool stopped : 1;    /* given up */
	bool compressed : 1; /* DEFLATE, since the last ChangeCipherSpec */
	bool lost : 1;    /* a hole swallowed headers: boundary and number have to be found again */
	bool adrift : 1;  /* protected records of this epoch went by unopened */
	bool forced : 1;  /* do not wait any more, for the other direction or for a key */
	bool keyless : 1; /* it waits for a key */
	bool opened : 1;  /* a record of the present epoch was opened */
	bool settled : 1; /* its part of the handshake is over, as far as can be seen */
	bool gapped : 1;  /* text.after_gap of the next */
};

/** What a direction's keys are made from each time it is lent an opener: material.h. A cache line. */
struct material {
	union {
		uint8_t traffic[48]; /* TLS 1.3: the secret, and the key where it fits behind */
		struct {
			union {
				/* TLS <= 1.2: cut from the key block; */
				uint8_t key[32];
				/* until that is known, what it will come from */
				uint8_t server_random[32];
			};
			union {
				uint8_t iv[16];
				uint32_t passed; /* stream ciphers: key stream not yet taken */
			};
		};
	};
	union {
		uint8_t nonce[12]; /* TLS 1.3: the IV */
		uint32_t mac;      /* TLS <= 1.2, where the suite has a MAC: of env->macs */
	};
	uint32_t inflater; /* of env->inflaters, + 1; 0 although compressed: there was none left */
};

/**
 * One TLS connection, seen from outside: both directions of records, the handshake between them and
 * what the keys that open them are made from. Five cache lines, of which a record needs two, and a
 * third where its direction has lost its opener.
 */
struct session {
	struct session_dir dir[2]; /* by enum tls_dir */
	struct negotiation *neg;   /* while a handshake is under way */
	uint16_t suite_id;         /* on the wire, known to us or not; 0: none yet */
	uint16_t version;          /* 0 until a ServerHello was seen */
	uint8_t reason;            /* enum verdict: why the first record failed */
	uint8_t compression : 2;   /* RFC 3749: 0 none, 1 DEFLATE; 2 any other */
	bool told : 1;             /* for the caller: the handshake was reported */
	bool has_random : 1;
	bool by_tuple : 1; /* no ClientHello was seen: client_random holds the tuple's name instead */
	bool etm : 1;
	bool retry : 1;          /* the last ServerHello was a HelloRetryRequest */
	bool early_data : 1;     /* offered */
	bool early_answered : 1; /* EncryptedExtensions were read */
	bool early_accepted : 1; /* and said yes */
	bool renegotiated : 1;
	bool keyed : 1;         /* a secret was found */
	bool deciphered : 1;    /* a protected record was opened */
	bool missed : 1;        /* a secret was looked for in vain */
	bool waited : 1;        /* for a key */
	bool judged : 1;        /* for the caller: whether it is withheld was decided */
	bool withheld : 1;      /* the caller forbids to decrypt it: V_POLICY */
	uint64_t text_bytes[2]; /* for whoever shows the connection */
	uint8_t client_random[32];
	struct material material[2];
};

/** The buffer of the record under way, or of what went by before it: chain.h; NULL: none. */
static inline uint8_t *session_buffer(const struct tls_env *env, const struct session_dir *dir)
{
	return dir->buf == POOL_NONE ? NULL : pool_at(&env->buffers, dir->buf);
}

/** The suite agreed on; NULL: not known, to us or at all. */
static inline const struct suite *session_suite(const struct session *s)
{
	return s->suite_id ? suite_find(s->suite_id) : NULL;
}

/** @return a session, or NULL when the pool is empty. Begin with both directions at a record header. */
struct session *session_new(struct tls_env *env);
void session_free(struct tls_env *env, struct session *s);

/** Start loading what session_next() will touch; some time later, the keys as well. */
static inline void session_prefetch(const struct session *s, enum tls_dir d)
{
	__builtin_prefetch(&s->version);
	__builtin_prefetch(&s->dir[d]);
}

static inline void session_prefetch_keys(
	const struct tls_env *env, const struct session *s, enum tls_dir d)
{
	if (!tls_env_prefetch(env, &s->dir[d], s->dir[d].lease))
		__builtin_prefetch(&s->material[d]);
}

/**
 * Read on in one direction until a record is complete.
 *
 * @param in   Bytes in order; advanced by what was used.
 * @param out  The plaintext, if the verdict is V_OK; borrowed until the next call on this environment.
 * @return V_OK       one verified record;
 *         V_MORE     all bytes are used;
 *         V_WAIT     the rest makes sense only after the other direction went on, or a key has come (if
 *                    env->late_keys): offer it again then, or after session_force();
 *         STAGE_REC  one record was not decrypted, and this is why; go on;
 *         STAGE_CONN this direction is given up; all later bytes are V_STOPPED.
 *
 * Context: worker; no lock; no allocation but what OpenSSL does inside a cipher context.
 */
enum verdict session_next(
	struct tls_env *env, struct session *s, enum tls_dir d, struct rd *in, struct text *out);

/**
 * Take a session up in the middle: its secrets are known by the name of its 5-tuple. Only TLS 1.3 can
 * be; suite, record boundaries and numbers are found by what opens.
 *
 * @param id  32 bytes of a tuple_name().
 */
void session_attach(struct session *s, const uint8_t id[32]);

/** A ClientHello in SSL 2.0 framing: @p in holds it whole (sniff_at() said so). */
enum verdict session_v2_hello(struct tls_env *env, struct session *s, struct rd *in);

/** The other direction, or the key, will not come: read on without it. */
void session_force(struct session *s, enum tls_dir d);

/** Is it a key that this direction waits for? */
static inline bool session_keyless(const struct session *s, enum tls_dir d)
{
	return s->dir[d].keyless;
}

/**
 * @p missing bytes of a direction are lost. If they end inside the record under way, that record is
 * passed over; else the next record that opens is looked for.
 *
 * @return V_GAP; V_CUT: a record whose header was seen is lost too; V_STOPPED: nobody was listening.
 */
enum verdict session_gap(struct tls_env *env, struct session *s, enum tls_dir d, uint64_t missing);

/** No more bytes: @return V_CUT if a record was under way, else V_OK. */
enum verdict session_end(struct tls_env *env, struct session *s, enum tls_dir d);

/** The handshake's facts, while they are kept; else NULL. */
struct tls_meta *session_meta(struct session *s);

/** true once: the handshake is over in both directions, or never will be seen further. */
bool session_settled(const struct session *s);

/** Give the handshake's memory back; its facts are gone. */
void session_release(struct tls_env *env, struct session *s);
