/* SPDX-License-Identifier: BSD-3-Clause */
#include "aeadvecs.h"

START_TEST(published_vectors)
{
	aeads_vectors(&aead_ipsecmb, aeads_gcm, sizeof(aeads_gcm) / sizeof(*aeads_gcm));
	aeads_vectors(&aead_ipsecmb, aeads_chacha, sizeof(aeads_chacha) / sizeof(*aeads_chacha));
}
END_TEST

START_TEST(every_length)
{
	aeads_each(&aead_ipsecmb, aeads_lengths);
}
END_TEST

START_TEST(random_messages)
{
	aeads_each(&aead_ipsecmb, aeads_random);
}
END_TEST

START_TEST(forged_messages)
{
	aeads_each(&aead_ipsecmb, aeads_forged);
}
END_TEST

START_TEST(other_keys)
{
	aeads_each(&aead_ipsecmb, aeads_other_keys);
}
END_TEST

START_TEST(wiped)
{
	aeads_each(&aead_ipsecmb, aeads_wiped);
}
END_TEST

START_TEST(keys_do_not_share)
{
	aeads_do_not_share(&aead_ipsecmb, CIPHER_AES_128_GCM);
}
END_TEST

START_TEST(which_it_can)
{
	for (int alg = 0; alg < CIPHER_COUNT; alg++)
		ck_assert_int_eq(aead_ipsecmb.can(NULL, (enum cipher_alg)alg),
			alg == CIPHER_AES_128_GCM || alg == CIPHER_AES_256_GCM ||
				alg == CIPHER_CHACHA20_POLY1305);
}
END_TEST

static bool on_this_cpu(void)
{
	void *env = aeads_alloc(aead_ipsecmb.env_bytes);
	bool able = aead_ipsecmb.env_init(env);

	free(env);
	return able;
}

int main(void)
{
	const TTest *const tests[] = { published_vectors, every_length, random_messages,
		forged_messages, other_keys, wiped, keys_do_not_share, which_it_can };

	if (!on_this_cpu())
		return 77; /* skipped */
	return unit_main("aead_ipsecmb", tests, sizeof(tests) / sizeof(*tests));
}
