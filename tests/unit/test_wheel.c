/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include "base/pool.h"
#include "base/wheel.h"

#define MAX 64
#define SLOTS 16
static uint64_t mem[1024];

static struct wheel fresh(uint32_t now)
{
	struct wheel w;

	ck_assert_uint_le(wheel_bytes(MAX, SLOTS), sizeof(mem));
	memset(mem, 0, sizeof(mem));
	wheel_init(&w, mem, MAX, SLOTS, now);
	return w;
}

START_TEST(comes_up_when_due)
{
	struct wheel w = fresh(100);

	wheel_arm(&w, 7, 105);
	wheel_arm(&w, 8, 103);
	ck_assert_uint_eq(wheel_due(&w, 102), POOL_NONE);
	ck_assert_uint_eq(wheel_due(&w, 104), 8);
	ck_assert_uint_eq(wheel_due(&w, 104), POOL_NONE);
	ck_assert_uint_eq(wheel_due(&w, 200), 7);
	ck_assert_uint_eq(wheel_due(&w, 200), POOL_NONE);
}
END_TEST

START_TEST(disarmed_stays_silent)
{
	struct wheel w = fresh(0);

	for (uint32_t i = 0; i < 5; i++)
		wheel_arm(&w, i, 4);
	wheel_disarm(&w, 2);
	wheel_disarm(&w, 2);
	wheel_disarm(&w, 0);
	wheel_disarm(&w, 4);
	wheel_arm(&w, 3, 9); /* moves */
	ck_assert_uint_eq(wheel_due(&w, 5), 1);
	ck_assert_uint_eq(wheel_due(&w, 5), POOL_NONE);
	ck_assert_uint_eq(wheel_due(&w, 9), 3);
}
END_TEST

START_TEST(clamps_past_and_far)
{
	struct wheel w = fresh(0xfffffffau); /* time wraps */

	wheel_arm(&w, 1, 0xfffffff0u);
	wheel_arm(&w, 2, 0x1000);
	ck_assert_uint_eq(wheel_due(&w, 0xfffffffbu), 1);
	ck_assert_uint_eq(wheel_due(&w, 4), POOL_NONE);
	ck_assert_uint_eq(wheel_due(&w, 0xfffffffau + SLOTS), 2);
	wheel_arm(&w, 3, w.now + 5);
	ck_assert_uint_eq(wheel_due(&w, w.now + 1000000), 3); /* a long silence */
}
END_TEST

UNIT_MAIN("wheel", comes_up_when_due, disarmed_stays_silent, clamps_past_and_far)
