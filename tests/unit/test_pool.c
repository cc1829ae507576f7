/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "base/pool.h"

START_TEST(hands_out_each_once)
{
	_Alignas(64) static uint8_t mem[4096];
	struct pool p;
	void *obj[5];

	ck_assert_uint_eq(pool_bytes(5, 20), 5 * 24);
	pool_init(&p, mem, 5, 20);
	for (int i = 0; i < 5; i++) {
		obj[i] = pool_get(&p);
		ck_assert_uint_eq(pool_index(&p, obj[i]), i);
		ck_assert_ptr_eq(pool_at(&p, i), obj[i]);
	}
	ck_assert_ptr_null(pool_get(&p));
	pool_put(&p, obj[3]);
	pool_put(&p, obj[1]);
	ck_assert_ptr_eq(pool_get(&p), obj[1]); /* the last back is the first out */
	ck_assert_ptr_eq(pool_get(&p), obj[3]);
	ck_assert_ptr_null(pool_get(&p));
	ck_assert_uint_eq(p.used, 5);
	ck_assert_uint_eq(p.peak, 5);
}
END_TEST

START_TEST(does_not_touch_what_it_never_gave)
{
	_Alignas(64) static uint8_t mem[1024];
	struct pool p;

	memset(mem, 0xa5, sizeof(mem));
	pool_init(&p, mem, 32, 32);
	for (int i = 0; i < 100; i++)
		pool_put(&p, memset(pool_get(&p), 0, 32));
	for (size_t i = 32; i < sizeof(mem); i++)
		ck_assert_uint_eq(mem[i], 0xa5);
	ck_assert_uint_eq(p.peak, 1);
}
END_TEST

UNIT_MAIN("pool", hands_out_each_once, does_not_touch_what_it_never_gave)
