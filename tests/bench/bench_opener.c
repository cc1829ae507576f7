/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast TLS 1.3 records are opened, tag checked: each back-end of tls/opener.h against the two
 * loops that one would write by hand, with OpenSSL's EVP and with intel-ipsec-mb. All take turns in
 * one run, so that a change of the CPU's clock hits all alike; the median of the rounds is printed.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tls/opener.h"

enum { ROUNDS = 7, ROUND_MS = 20, TAG = 16, SEQ = 7, AHEAD = 512, CHUNK = 1448 };

/** One record, and the keys that open it. */
struct job {
	const char *name;
	enum cipher_alg alg;
	uint16_t suite;
	const EVP_CIPHER *(*evp)(void);
	size_t plain_len;
	size_t chunk; /* bytes that come at a time; 0: the whole record */
	uint8_t key[32], iv[12], nonce[12], hdr[5];
	size_t len; /* of the body: plaintext, content type, tag */
	uint8_t body[RECORD_MAX + AHEAD], out[RECORD_MAX + AHEAD];
};

/** Somebody who opens records. open() does all that one more record costs, the nonce included. */
struct contestant {
	const char *name;
	const char *backend; /* of opener_env_init() */
	bool (*setup)(struct contestant *c, const struct job *j);
	bool (*open)(struct contestant *c, struct job *j);
	void (*done)(struct contestant *c);
	void *state[2];
};

static void die(const char *what)
{
	fprintf(stderr, "bench_opener: %s\n", what);
	exit(EXIT_FAILURE);
}

static void *aligned(size_t n)
{
	void *p = aligned_alloc(64, (n + 63) & ~(size_t)63);

	if (!p)
		die("no memory");
	memset(p, 0, n);
	return p;
}

static void nonce_of(struct job *j, uint64_t seq)
{
	memcpy(j->nonce, j->iv, sizeof(j->nonce));
	for (int i = 0; i < 8; i++)
		j->nonce[11 - i] ^= (uint8_t)(seq >> (8 * i));
}

/** Next piece of the ciphertext, which is @p len bytes long. */
static size_t piece(const struct job *j, size_t at, size_t len)
{
	return j->chunk && j->chunk < len - at ? j->chunk : len - at;
}

/* The EVP loop. */

static bool evp_setup(struct contestant *c, const struct job *j)
{
	c->state[0] = EVP_CIPHER_CTX_new();
	return c->state[0] && EVP_DecryptInit_ex(c->state[0], j->evp(), NULL, j->key, NULL);
}

static bool evp_open(struct contestant *c, struct job *j)
{
	EVP_CIPHER_CTX *ctx = c->state[0];
	size_t len = j->len - TAG;
	int n;

	nonce_of(j, SEQ);
	if (!EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, j->nonce) ||
		!EVP_DecryptUpdate(ctx, NULL, &n, j->hdr, sizeof(j->hdr)))
		return false;
	for (size_t at = 0, k; at < len; at += k) {
		k = piece(j, at, len);
		if (!EVP_DecryptUpdate(ctx, j->out + at, &n, j->body + at, (int)k))
			return false;
	}
	return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, j->body + len) &&
		EVP_DecryptFinal_ex(ctx, j->out + len, &n) > 0;
}

static void evp_done(struct contestant *c)
{
	EVP_CIPHER_CTX_free(c->state[0]);
}

/* The opener. */

static bool opener_setup(struct contestant *c, const struct job *j)
{
	struct record_keys keys = { .suite = suite_find(j->suite), .version = TLS13 };
	void *mem = aligned(opener_env_bytes());
	const char *backend;

	memcpy(keys.key, j->key, sizeof(keys.key));
	memcpy(keys.iv, j->iv, sizeof(j->iv));
	c->state[0] = opener_env_init(mem, c->backend);
	if (!c->state[0]) {
		free(mem);
		return false;
	}
	backend = opener_backend(c->state[0], j->alg);
	c->state[1] = opener_init(aligned(opener_bytes(NULL)), c->state[0]);
	if (c->backend && (!backend || strcmp(backend, c->backend)))
		return false; /* it would fall back to another */
	return opener_key(c->state[1], &keys) == V_OK && (!j->chunk || opener_streams(c->state[1]));
}

static bool opener_open_job(struct contestant *c, struct job *j)
{
	const struct opener_record r = { SEQ, j->hdr, j->body, j->len, j->out, 0 };
	struct opener *o = c->state[1];
	uint8_t type = 0;
	size_t n = 0;

	if (!j->chunk)
		return opener_open(o, &r, &n, &type) == V_OK && n == j->plain_len && type == 23;
	opener_begin(o, SEQ, j->hdr, j->out);
	for (size_t at = 0, k; at < j->len; at += k) {
		k = piece(j, at, j->len);
		opener_update(o, j->body + at, k);
	}
	return opener_finish(o, &n, &type) == V_OK && n == j->plain_len && type == 23;
}

static void opener_done(struct contestant *c)
{
	if (c->state[1])
		opener_fini(c->state[1]);
	if (c->state[0])
		opener_env_fini(c->state[0]);
	free(c->state[1]);
	free(c->state[0]);
}

/* The ipsec-mb loop. */

#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>

struct mb {
	struct gcm_key_data gcm;
	struct gcm_context_data gcm_ctx;
	struct chacha20_poly1305_context_data chacha_ctx;
	uint8_t key[32];
};

static bool mb_setup(struct contestant *c, const struct job *j)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);
	struct mb *mb = aligned(sizeof(*mb));

	if (!mgr)
		die("ipsec-mb has no manager");
	init_mb_mgr_auto(mgr, NULL);
	c->state[0] = mgr;
	c->state[1] = mb;
	memcpy(mb->key, j->key, sizeof(mb->key));
	if (j->alg == CIPHER_AES_128_GCM)
		IMB_AES128_GCM_PRE(mgr, j->key, &mb->gcm);
	else if (j->alg == CIPHER_AES_256_GCM)
		IMB_AES256_GCM_PRE(mgr, j->key, &mb->gcm);
	return true;
}

static void mb_chacha(IMB_MGR *mgr, struct mb *mb, struct job *j, uint8_t tag[TAG])
{
	size_t len = j->len - TAG;

	IMB_CHACHA20_POLY1305_INIT(mgr, mb->key, &mb->chacha_ctx, j->nonce, j->hdr, sizeof(j->hdr));
	for (size_t at = 0, k; at < len; at += k) {
		k = piece(j, at, len);
		IMB_CHACHA20_POLY1305_DEC_UPDATE(
			mgr, mb->key, &mb->chacha_ctx, j->out + at, j->body + at, k);
	}
	IMB_CHACHA20_POLY1305_DEC_FINALIZE(mgr, &mb->chacha_ctx, tag, TAG);
}

static void mb_gcm(IMB_MGR *mgr, struct mb *mb, struct job *j, uint8_t tag[TAG])
{
	bool is_128 = j->alg == CIPHER_AES_128_GCM;
	aes_gcm_init_t init = is_128 ? mgr->gcm128_init : mgr->gcm256_init;
	aes_gcm_enc_dec_update_t update = is_128 ? mgr->gcm128_dec_update : mgr->gcm256_dec_update;
	aes_gcm_enc_dec_finalize_t final =
		is_128 ? mgr->gcm128_dec_finalize : mgr->gcm256_dec_finalize;
	aes_gcm_enc_dec_t whole = is_128 ? mgr->gcm128_dec : mgr->gcm256_dec;
	size_t len = j->len - TAG;

	if (!j->chunk) {
		whole(&mb->gcm, &mb->gcm_ctx, j->out, j->body, len, j->nonce, j->hdr,
			sizeof(j->hdr), tag, TAG);
		return;
	}
	init(&mb->gcm, &mb->gcm_ctx, j->nonce, j->hdr, sizeof(j->hdr));
	for (size_t at = 0, k; at < len; at += k) {
		k = piece(j, at, len);
		update(&mb->gcm, &mb->gcm_ctx, j->out + at, j->body + at, k);
	}
	final(&mb->gcm, &mb->gcm_ctx, tag, TAG);
}

static bool mb_open(struct contestant *c, struct job *j)
{
	uint8_t tag[TAG];

	nonce_of(j, SEQ);
	if (j->alg == CIPHER_CHACHA20_POLY1305)
		mb_chacha(c->state[0], c->state[1], j, tag);
	else
		mb_gcm(c->state[0], c->state[1], j, tag);
	return !CRYPTO_memcmp(tag, j->body + j->len - TAG, TAG);
}

static void mb_done(struct contestant *c)
{
	free_mb_mgr(c->state[0]);
	free(c->state[1]);
}
#endif

static const struct contestant contestants[] = {
	{ .name = "EVP loop", .setup = evp_setup, .open = evp_open, .done = evp_done },
#ifdef HAVE_IPSEC_MB
	{ .name = "ipsec-mb loop", .setup = mb_setup, .open = mb_open, .done = mb_done },
#endif
	{ .name = "opener:openssl",
		.backend = "openssl",
		.setup = opener_setup,
		.open = opener_open_job,
		.done = opener_done },
	{ .name = "opener:ipsec-mb",
		.backend = "ipsec-mb",
		.setup = opener_setup,
		.open = opener_open_job,
		.done = opener_done },
	{ .name = "opener:vaes",
		.backend = "vaes",
		.setup = opener_setup,
		.open = opener_open_job,
		.done = opener_done },
	{ .name = "opener", .setup = opener_setup, .open = opener_open_job, .done = opener_done },
};
enum { N = sizeof(contestants) / sizeof(*contestants) };

static void seal(struct job *j)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	memset(j->key, 0x11, sizeof(j->key));
	memset(j->iv, 0x22, sizeof(j->iv));
	nonce_of(j, SEQ);
	j->len = j->plain_len + 1 + TAG;
	memcpy(j->hdr, (uint8_t[]){ 23, 3, 3, (uint8_t)(j->len >> 8), (uint8_t)j->len }, 5);
	for (size_t i = 0; i < j->plain_len; i++)
		j->body[i] = (uint8_t)(i * 7);
	j->body[j->plain_len] = 23;
	if (!ctx || !EVP_EncryptInit_ex(ctx, j->evp(), NULL, j->key, j->nonce) ||
		!EVP_EncryptUpdate(ctx, NULL, &n, j->hdr, sizeof(j->hdr)) ||
		!EVP_EncryptUpdate(ctx, j->body, &n, j->body, (int)j->plain_len + 1) ||
		!EVP_EncryptFinal_ex(ctx, j->body + n, &n) ||
		!EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, j->body + j->len - TAG))
		die("cannot seal");
	EVP_CIPHER_CTX_free(ctx);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/** It opens the record, the plaintext is right, and a wrong tag is seen. */
static bool honest(struct contestant *c, struct job *j)
{
	bool ok = c->open(c, j);

	for (size_t i = 0; i < j->plain_len; i++)
		ok = ok && j->out[i] == (uint8_t)(i * 7);
	j->body[j->len - 1] ^= 1;
	ok = ok && !c->open(c, j);
	j->body[j->len - 1] ^= 1;
	return ok;
}

/** @return plaintext in GB/s of CPU time. */
static double round_of(struct contestant *c, struct job *j)
{
	double start = now(), seconds;
	size_t records = 0;

	do {
		for (int i = 0; i < 64; i++)
			if (!c->open(c, j))
				die(c->name);
		records += 64;
		seconds = now() - start;
	} while (seconds < ROUND_MS * 1e-3);
	return (double)(records * j->plain_len) / seconds * 1e-9;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void compete(struct job *j)
{
	struct contestant c[N];
	double speed[N][ROUNDS] = { 0 };
	bool in[N];

	seal(j);
	memcpy(c, contestants, sizeof(c));
	for (int i = 0; i < N; i++) {
		in[i] = c[i].setup(&c[i], j);
		if (in[i] && !honest(&c[i], j))
			die(c[i].name);
	}
	for (int r = 0; r < ROUNDS; r++)
		for (int i = 0; i < N; i++)
			if (in[i])
				speed[i][r] = round_of(&c[i], j);
	for (int i = 0; i < N; i++) {
		qsort(speed[i], ROUNDS, sizeof(double), ascending);
		printf("%-18s %6zu %6zu  %-16s", j->name, j->plain_len, j->chunk, c[i].name);
		if (in[i])
			printf(" %7.3f %6.2f\n", speed[i][ROUNDS / 2],
				speed[i][ROUNDS / 2] / speed[0][ROUNDS / 2]);
		else
			printf("       -      -\n");
		c[i].done(&c[i]);
	}
}

int main(void)
{
	static const struct job ciphers[] = {
		{ .name = "AES-128-GCM",
			.alg = CIPHER_AES_128_GCM,
			.suite = 0x1301,
			.evp = EVP_aes_128_gcm },
		{ .name = "AES-256-GCM",
			.alg = CIPHER_AES_256_GCM,
			.suite = 0x1302,
			.evp = EVP_aes_256_gcm },
		{ .name = "ChaCha20-Poly1305",
			.alg = CIPHER_CHACHA20_POLY1305,
			.suite = 0x1303,
			.evp = EVP_chacha20_poly1305 },
	};
	static const size_t shapes[][2] = {
		{ 64, 0 },
		{ 256, 0 },
		{ 1400, 0 },
		{ 16384, 0 },
		{ 16384, CHUNK },
	};
	static struct job j;

	printf("%-18s %6s %6s  %-16s %7s %6s\n", "cipher", "bytes", "chunk", "who", "GB/s",
		"x EVP");
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(*ciphers); i++) {
		for (size_t k = 0; k < sizeof(shapes) / sizeof(*shapes); k++) {
			j = ciphers[i];
			j.plain_len = shapes[k][0];
			j.chunk = shapes[k][1];
			compete(&j);
		}
	}
	return EXIT_SUCCESS;
}
