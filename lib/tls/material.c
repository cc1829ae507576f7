/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An idle connection should cost little, and most are idle. So a session keeps of TLS 1.3 only the
 * traffic secret, of TLS <= 1.2 key and IV, and a MAC key only where the suite has one, outside.
 */
#include "tls/material.h"

#include "tls/kdf.h"

void material_put(
	struct tls_env *env, struct session *s, enum tls_dir d, const struct record_keys *k)
{
	struct session_dir *dir = &s->dir[d];
	union material *m = &s->material[d];

	material_drop(env, s, d);
	dir->known = true;
	dir->suite = k->suite->id;
	dir->version = k->version;
	dir->etm = k->etm;
	dir->runs_on = opener_runs_on(k);
	if (version_is_13(k->version)) {
		memcpy(m->traffic, k->secret, sizeof(m->traffic));
		return;
	}
	memcpy(m->key, k->key, sizeof(m->key));
	if (!dir->runs_on)
		memcpy(m->iv, k->iv, sizeof(m->iv));
	if (k->suite->mac != MD_NONE) {
		uint8_t *mac = pool_get(&env->macs); /* there is one for each direction */

		memcpy(mac, k->mac, sizeof(k->mac));
		dir->mac = pool_index(&env->macs, mac);
	}
}

void material_get(
	const struct tls_env *env, const struct session *s, enum tls_dir d, struct record_keys *out)
{
	const struct session_dir *dir = &s->dir[d];
	const union material *m = &s->material[d];
	const struct suite *suite = suite_find(dir->suite);

	if (version_is_13(dir->version)) {
		kdf_traffic_keys(suite, dir->version, m->traffic, out);
		return;
	}
	*out = (struct record_keys){ .suite = suite, .version = dir->version, .etm = dir->etm };
	memcpy(out->key, m->key, sizeof(out->key));
	if (!dir->runs_on)
		memcpy(out->iv, m->iv, sizeof(out->iv));
	if (dir->mac != POOL_NONE)
		memcpy(out->mac, pool_at(&env->macs, dir->mac), sizeof(out->mac));
}

void material_drop(struct tls_env *env, struct session *s, enum tls_dir d)
{
	struct session_dir *dir = &s->dir[d];

	if (!dir->known)
		return;
	key_cleanse(&s->material[d], sizeof(s->material[d]));
	if (dir->mac != POOL_NONE) {
		uint8_t *mac = pool_at(&env->macs, dir->mac);

		key_cleanse(mac, sizeof(((struct record_keys *)0)->mac));
		pool_put(&env->macs, mac);
		dir->mac = POOL_NONE;
	}
	dir->known = dir->runs_on = dir->etm = false;
}
