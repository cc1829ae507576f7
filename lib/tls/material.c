/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An idle connection should cost little, and most are idle. So a session keeps of TLS <= 1.2 key and IV,
 * and a MAC key only where the suite has one, outside. Of TLS 1.3 it has to keep the traffic secret, for
 * KeyUpdate; the IV fits beside it, and the key of AES-128. A longer one is derived again.
 */
#include "tls/material.h"

#include "tls/kdf.h"

/* Bytes of a traffic secret, and of the key behind it: 0 where that does not fit. */
struct lengths {
	size_t secret, key;
};

static struct lengths lengths_of(const struct suite *suite)
{
	struct lengths n = { md_len(suite->prf), suite_cipher(suite->cipher)->key_len };

	if (n.secret + n.key > sizeof(((struct material *)0)->traffic))
		n.key = 0;
	return n;
}

static bool has_mac(const struct session_dir *dir)
{
	return dir->known && !version_is_13(dir->version) && suite_find(dir->suite)->mac != MD_NONE;
}

static void put_13(struct material *m, const struct record_keys *k)
{
	struct lengths n = lengths_of(k->suite);

	memcpy(m->traffic, k->secret, n.secret);
	memcpy(m->traffic + n.secret, k->key, n.key);
	memcpy(m->nonce, k->iv, sizeof(m->nonce));
}

static void get_13(const struct material *m, struct record_keys *out)
{
	struct lengths n = lengths_of(out->suite);

	memcpy(out->secret, m->traffic, n.secret);
	memcpy(out->iv, m->nonce, sizeof(m->nonce));
	if (n.key)
		memcpy(out->key, m->traffic + n.secret, n.key);
	else
		kdf_traffic_key(out->suite, out->secret, out->key);
}

void material_put(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct record_keys *k)
{
	struct session_dir *dir = &s->dir[d];
	struct material *m = &s->material[d];

	material_drop(env, s, d);
	dir->known = true;
	dir->suite = k->suite->id;
	dir->version = k->version;
	dir->etm = k->etm;
	dir->runs_on = opener_runs_on(k);
	if (version_is_13(k->version)) {
		put_13(m, k);
		return;
	}
	memcpy(m->key, k->key, sizeof(m->key));
	if (!dir->runs_on)
		memcpy(m->iv, k->iv, sizeof(m->iv));
	if (k->suite->mac != MD_NONE) {
		uint8_t *mac = pool_get(&env->macs); /* there is one for each direction */

		memcpy(mac, k->mac, sizeof(k->mac));
		m->mac = pool_index(&env->macs, mac);
	}
}

void material_get(
	const struct tls_env *env, const struct session *s, enum tls_dir d, struct record_keys *out)
{
	const struct session_dir *dir = &s->dir[d];
	const struct material *m = &s->material[d];

	*out = (struct record_keys){
		.suite = suite_find(dir->suite), .version = dir->version, .etm = dir->etm
	};
	if (version_is_13(dir->version)) {
		get_13(m, out);
		return;
	}
	memcpy(out->key, m->key, sizeof(out->key));
	if (!dir->runs_on)
		memcpy(out->iv, m->iv, sizeof(out->iv));
	if (out->suite->mac != MD_NONE)
		memcpy(out->mac, pool_at(&env->macs, m->mac), sizeof(out->mac));
}

void material_drop(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];
	struct material *m = &s->material[d];

	if (!dir->known)
		return;
	if (has_mac(dir)) {
		uint8_t *mac = pool_at(&env->macs, m->mac);

		key_cleanse(mac, sizeof(((struct record_keys *)0)->mac));
		pool_put(&env->macs, mac);
	}
	key_cleanse(m, offsetof(struct material, inflater));
	dir->known = dir->runs_on = dir->etm = false;
}
