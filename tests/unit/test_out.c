/* SPDX-License-Identifier: BSD-3-Clause */
#include "sinks.h"

#include "out.h"

static struct out out;
static uint8_t data[3 * OUT_BUF], back[3 * OUT_BUF + 1];

/* Pieces of all sizes around that of the buffer come out as they went in. */
START_TEST(every_size)
{
	static const size_t sizes[] = { 0, 1, OUT_BUF - 1, OUT_BUF, OUT_BUF + 1, 2, 3 * OUT_BUF };

	tmp_make();
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i ^ i >> 8);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		ck_assert_int_eq(out_open(&out, tmp_path("f"), O_TRUNC), 0);
		for (size_t off = 0, n; off < sizeof(data); off += n) {
			n = sizes[i] ? sizes[i] : 4999;
			n = n < sizeof(data) - off ? n : sizeof(data) - off;
			if (sizes[i] == 1 && off > 1000)
				n = sizeof(data) - off;
			out_bytes(&out, data + off, n);
		}
		ck_assert_int_eq(out_close(&out), 0);
		ck_assert_uint_eq(slurp(tmp_path("f"), (char *)back, sizeof(back)), sizeof(data));
		ck_assert_mem_eq(back, data, sizeof(data));
	}
	tmp_remove();
}
END_TEST

START_TEST(built_in_place)
{
	struct wr w;

	tmp_make();
	ck_assert_int_eq(out_open(&out, tmp_path("f"), O_TRUNC), 0);
	out_bytes(&out, data, OUT_BUF - 2);
	w = out_room(&out, 3);
	wr_str(&w, "abc");
	out_done(&out, &w);
	w = out_room(&out, 3);
	wr_str(&w, "ab");
	wr_str(&w, "cd"); /* does not fit: nothing of it stays */
	ck_assert(w.full);
	out_done(&out, &w);
	ck_assert_int_eq(out_close(&out), 0);
	ck_assert_uint_eq(slurp(tmp_path("f"), (char *)back, sizeof(back)), OUT_BUF + 1);
	ck_assert_mem_eq(back + OUT_BUF - 2, "abc", 3);
	ck_assert_int_eq(out_open(&out, tmp_path("f"), O_APPEND), 0);
	out_bytes(&out, "d", 1);
	ck_assert_int_eq(out_close(&out), 0);
	ck_assert_uint_eq(slurp(tmp_path("f"), (char *)back, sizeof(back)), OUT_BUF + 2);
	tmp_remove();
}
END_TEST

START_TEST(first_failure_stays)
{
	ck_assert_int_eq(out_open(&out, "/dev/full", O_TRUNC), 0);
	out_bytes(&out, data, 1);
	ck_assert_int_eq(out.err, 0);
	out_flush(&out);
	ck_assert_int_eq(out.err, -ENOSPC);
	out_bytes(&out, data, sizeof(data));
	ck_assert_int_eq(out_close(&out), -ENOSPC);
	ck_assert_int_eq(out_open(&out, "/", O_TRUNC), -EISDIR);
}
END_TEST

UNIT_MAIN("out", every_size, built_in_place, first_failure_stays)
