/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "tls/aead.h"
#include "tls/opener.h"

/* The published vectors, through each back-end's own functions. */
static const struct vector {
	enum cipher_alg alg;
	const char *source, *key, *nonce, *aad, *text, *sealed, *tag;
} vectors[] = {
	{ CIPHER_AES_128_GCM, "GCM specification, test case 1", "00000000000000000000000000000000",
		"000000000000000000000000", "", "", "", "58e2fccefa7e3061367f1d57a4e7455a" },
	{ CIPHER_AES_128_GCM, "GCM specification, test case 2", "00000000000000000000000000000000",
		"000000000000000000000000", "", "00000000000000000000000000000000",
		"0388dace60b6a392f328c2b971b2fe78", "ab6e47d42cec13bdf53a67b21257bddf" },
	{ CIPHER_AES_128_GCM, "GCM specification, test case 3", "feffe9928665731c6d6a8f9467308308",
		"cafebabefacedbaddecaf888", "",
		"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
		"42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
		"21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
		"4d5c2af327cd64a62cf35abd2ba6fab4" },
	{ CIPHER_AES_256_GCM, "GCM specification, test case 15",
		"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
		"cafebabefacedbaddecaf888", "",
		"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
		"b094dac5d93471bdec1a502270e3cc6c" },
	{ CIPHER_CHACHA20_POLY1305, "RFC 8439, section 2.8.2",
		"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
		"070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
		"4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
		"73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
		"6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
		"637265656e20776f756c642062652069742e",
		"d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
		"3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
		"92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
		"3ff4def08e4b7a9de576d26586cec64b6116",
		"1ae10b594f09e26a7e902ecbd0600691" },
};

static void check(struct aead_key *k, const struct vector *v)
{
	uint8_t key[32], in[128], want[128], tag[16], out[128];
	struct aead_msg m = { .in = in, .tag = tag, .out = out };

	unhex(key, v->key);
	unhex(m.nonce, v->nonce);
	m.aad_len = unhex(m.aad, v->aad);
	m.len = unhex(in, v->sealed);
	unhex(want, v->text);
	unhex(tag, v->tag);
	ck_assert(k->aead->set_key(k, key));
	ck_assert_msg(k->aead->open(k, &m), "%s by %s", v->source, k->aead->name);
	ck_assert_mem_eq(out, want, m.len);
	for (size_t piece = 1; piece <= m.len; piece++) {
		k->aead->begin(k, &m);
		for (size_t i = 0; i < m.len; i += piece)
			k->aead->update(k, in + i, m.len - i < piece ? m.len - i : piece, out + i);
		ck_assert(k->aead->finish(k, tag));
		ck_assert_mem_eq(out, want, m.len);
	}
	tag[15] ^= 1;
	ck_assert(!k->aead->open(k, &m));
	k->aead->wipe(k);
}

START_TEST(published_vectors)
{
	static const char *const backends[] = { "openssl", "ipsec-mb" };
	void *mem = aligned_alloc(64, opener_env_bytes()), *state = aligned_alloc(64, 4096);

	for (int b = 0; b < 2; b++) {
		struct opener_env *env = opener_env_init(mem, backends[b]);
		EVP_CIPHER_CTX *evp = EVP_CIPHER_CTX_new();

		for (size_t i = 0; env && i < sizeof(vectors) / sizeof(*vectors); i++) {
			const enum cipher_alg alg = vectors[i].alg;
			struct aead_key k = { env->aead[alg], alg, env->aead_env[alg],
				env->evp[alg], evp, state };

			ck_assert_str_eq(k.aead->name, backends[b]);
			ck_assert_uint_le(k.aead->key_bytes, 4096);
			check(&k, &vectors[i]);
		}
		EVP_CIPHER_CTX_free(evp);
		if (env)
			opener_env_fini(env);
	}
	free(mem);
	free(state);
}
END_TEST

UNIT_MAIN("aead", published_vectors)
