/* SPDX-License-Identifier: BSD-3-Clause */
#include "sinks.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "decode/pkt.h"

static char got[1 << 20];
static uint8_t text[16384];

static uint32_t le32(const char *s)
{
	const uint8_t *p = (const uint8_t *)s;

	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

struct sum {
	uint32_t packets, syn, fin, rst, bytes[2], seq_gap;
};

/* Walk the blocks of the file; IPv4 only. */
static struct sum walk(size_t n, uint64_t ts_ns)
{
	struct sum s = { 0 };
	uint32_t next[2] = { 0 };

	for (size_t at = 0; at < n; at += le32(got + at + 4)) {
		const uint8_t *eth = (uint8_t *)got + at + 28, *tcp = eth + 34;
		int dir = eth[5] == 2 ? C2S : S2C;
		uint32_t len;

		if (le32(got + at) != 6)
			continue;
		ck_assert_uint_eq((uint64_t)le32(got + at + 12) << 32 | le32(got + at + 16), ts_ns);
		len = get_be16(eth + 16) - 20u - (tcp[12] >> 4) * 4u;
		if (next[dir] && get_be32(tcp + 4) != next[dir])
			s.seq_gap += get_be32(tcp + 4) - next[dir];
		next[dir] = get_be32(tcp + 4) + len + !!(tcp[13] & (TCP_SYN | TCP_FIN));
		s.packets++;
		s.bytes[dir] += len;
		s.syn += !!(tcp[13] & TCP_SYN);
		s.fin += !!(tcp[13] & TCP_FIN);
		s.rst += !!(tcp[13] & TCP_RST);
	}
	return s;
}

START_TEST(conversation)
{
	struct conn c = closed_conn(), quiet = closed_conn();
	struct conn_view v = view_of(&c, 1), vq = view_of(&quiet, 2);
	void *sink;
	struct sum s;

	tmp_make();
	sink = sink_start(&sink_pcap, tmp_path("p"));
	sink_pcap.anomaly(sink, &v, C2S, V_GAP, 10); /* before all text: nothing to tell */
	say(&sink_pcap, sink, &vq, C2S, "", 0);
	say(&sink_pcap, sink, &v, C2S, text, 100);
	say(&sink_pcap, sink, &v, S2C, text, sizeof(text));
	sink_pcap.anomaly(sink, &v, S2C, V_GAP, 777);
	say(&sink_pcap, sink, &v, S2C, text, 1);
	sink_pcap.end(sink, &v, END_FIN);
	sink_pcap.end(sink, &vq, END_FIN);
	ck_assert_int_eq(sink_pcap.close(sink), 0);
	s = walk(slurp(tmp_path("p"), got, sizeof(got)), v.ts_ns);
	ck_assert_uint_eq(s.packets, 3 + 2 + 13 + 2 + 3);
	ck_assert_uint_eq(s.bytes[C2S], 100);
	ck_assert_uint_eq(s.bytes[S2C], sizeof(text) + 1);
	ck_assert_uint_eq(s.seq_gap, 777);
	ck_assert(s.syn == 2 && s.fin == 2 && s.rst == 0);
	ck_assert_ptr_nonnull(memmem(got, 200, "cleartap " CLEARTAP_VERSION, 9));
	tmp_remove();
}
END_TEST

START_TEST(reset_and_index_used_again)
{
	struct conn c = closed_conn();
	struct conn_view v = view_of(&c, 1);
	void *sink;
	struct sum s;

	tmp_make();
	sink = sink_start(&sink_pcap, tmp_path("p"));
	for (int i = 0; i < 2; i++) {
		say(&sink_pcap, sink, &v, C2S, text, 100);
		sink_pcap.end(sink, &v, END_RST);
	}
	ck_assert_int_eq(sink_pcap.close(sink), 0);
	s = walk(slurp(tmp_path("p"), got, sizeof(got)), v.ts_ns);
	ck_assert(s.packets == 2 * 6 && s.syn == 4 && s.rst == 2 && s.fin == 0);
	tmp_remove();
}
END_TEST

/* A file that is full is put aside; each has whole frames, and none of an earlier run is lost. */
START_TEST(rotation)
{
	static const char *const names[] = { "p.1", "p.3", "p" };
	struct conn c = closed_conn();
	struct conn_view v = view_of(&c, 1);
	uint64_t bytes = 0;
	struct stat st;
	FILE *earlier;
	void *sink;

	tmp_make();
	earlier = fopen(tmp_path("p.2"), "w");
	ck_assert_ptr_nonnull(earlier);
	fclose(earlier);
	sink = sink_start(&sink_pcap, tmp_path("p,max=2K"));
	for (int i = 0; i < 5; i++)
		say(&sink_pcap, sink, &v, C2S, text, 1000);
	sink_pcap.end(sink, &v, END_FIN);
	ck_assert_int_eq(sink_pcap.close(sink), 0);
	for (int i = 0; i < 3; i++)
		bytes += walk(slurp(tmp_path(names[i]), got, sizeof(got)), v.ts_ns).bytes[C2S];
	ck_assert_uint_eq(bytes, 5000);
	ck_assert_int_eq(stat(tmp_path("p.2"), &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	tmp_remove();
}
END_TEST

START_TEST(sizes_that_are_none)
{
	static const char *const args[] = { "p,max=", "p,max=0", "p,max=1T", "p,max=1KB",
		"-,max=1M" };
	void *sink;

	for (size_t i = 0; i < sizeof(args) / sizeof(*args); i++)
		ck_assert_int_eq(sink_pcap.open(args[i], 1, &sink), -EINVAL);
}
END_TEST

START_TEST(failures)
{
	full_device(&sink_pcap);
	no_such_directory(&sink_pcap);
}
END_TEST

UNIT_MAIN("sink_pcap", conversation, reset_and_index_used_again, rotation, sizes_that_are_none,
	failures)
