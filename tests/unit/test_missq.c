/* SPDX-License-Identifier: BSD-3-Clause */
#include "missq.h"

#include <pthread.h>

#include "unit.h"

static struct missq q;

static void push(uint32_t i)
{
	uint8_t random[32];

	for (size_t n = 0; n < sizeof(random); n += sizeof(i))
		memcpy(random + n, &i, sizeof(i));
	missq_push(&q, random);
}

/* @return what push() was given, or -1. */
static int64_t pull(void)
{
	uint8_t random[32];
	uint32_t i;

	if (!missq_pull(&q, random))
		return -1;
	memcpy(&i, random, sizeof(i));
	for (size_t n = 0; n < sizeof(random); n += sizeof(i))
		ck_assert_mem_eq(random + n, &i, sizeof(i));
	return i;
}

START_TEST(bounded)
{
	ck_assert_int_eq(pull(), -1);
	for (int round = 0; round < 5; round++) {
		for (uint32_t i = 0; i < MISSQ_SIZE + 3; i++)
			push(i);
		for (uint32_t i = 0; i < MISSQ_SIZE; i++)
			ck_assert_int_eq(pull(), i);
		ck_assert_int_eq(pull(), -1);
		push(7);
		ck_assert_int_eq(pull(), 7);
	}
	ck_assert_uint_eq(q.dropped, 15);
}
END_TEST

#define MANY 300000

static void *produce(void *arg)
{
	for (uint32_t i = 0; i < MANY; i++)
		push(i);
	return NULL;
}

/* None twice, none torn, in order; what is missing is counted. */
START_TEST(two_threads)
{
	pthread_t t;
	int64_t last = -1, got = 0;
	bool done = false;

	pthread_create(&t, NULL, produce, NULL);
	for (;;) {
		int64_t i = pull();

		if (i < 0 && done)
			break;
		if (i < 0) {
			done = pthread_tryjoin_np(t, NULL) == 0;
			continue;
		}
		ck_assert_int_gt(i, last);
		last = i;
		got++;
	}
	ck_assert_int_eq(got + (int64_t)q.dropped, MANY);
}
END_TEST

UNIT_MAIN("missq", bounded, two_threads)
