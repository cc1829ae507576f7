/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "capture.h"

/* A file under construction, in a chosen byte order. */
struct file {
	uint8_t data[1 << 20];
	size_t len;
	bool swap;
};

static struct file f;
static char path[64];

static void u16(uint16_t v)
{
	v = f.swap ? __builtin_bswap16(v) : v;
	memcpy(f.data + f.len, &v, 2);
	f.len += 2;
}

static void u32(uint32_t v)
{
	v = f.swap ? __builtin_bswap32(v) : v;
	memcpy(f.data + f.len, &v, 4);
	f.len += 4;
}

static void fill(uint8_t byte, size_t n)
{
	memset(f.data + f.len, byte, n);
	f.len += n;
}

static void begin(bool swap)
{
	f.len = 0;
	f.swap = swap;
}

static void pcap_header(uint32_t magic, uint32_t network)
{
	u32(magic);
	u16(2);
	u16(4);
	u32(0);
	u32(0);
	u32(65535);
	u32(network);
}

static void pcap_packet(uint32_t sec, uint32_t frac, uint8_t byte, uint32_t len, uint32_t wire)
{
	u32(sec);
	u32(frac);
	u32(len);
	u32(wire);
	fill(byte, len);
}

/* Blocks: open one, write its body, close it. */
static size_t block(uint32_t type)
{
	u32(type);
	u32(0);
	return f.len;
}

static void end(size_t body)
{
	uint32_t total;

	fill(0, -(f.len - body) & 3);
	total = (uint32_t)(f.len - body + 12);
	u32(total);
	total = f.swap ? __builtin_bswap32(total) : total;
	memcpy(f.data + body - 4, &total, 4);
}

static void section(bool swap)
{
	size_t b;

	f.swap = swap;
	b = block(0x0a0d0d0a);
	u32(0x1a2b3c4d);
	u16(1);
	u16(0);
	u32(0xffffffff);
	u32(0xffffffff);
	end(b);
}

/* @param resol  if_tsresol, or 6 for "no option". */
static void interface(uint16_t link, uint32_t snaplen, uint8_t resol, int64_t offset_s)
{
	size_t b = block(1);

	u16(link);
	u16(0);
	u32(snaplen);
	if (resol != 6) {
		u16(9);
		u16(1);
		fill(resol, 1);
		fill(0, 3);
	}
	if (offset_s) {
		uint64_t v = f.swap ? __builtin_bswap64((uint64_t)offset_s) : (uint64_t)offset_s;

		u16(14);
		u16(8);
		memcpy(f.data + f.len, &v, 8);
		f.len += 8;
	}
	u16(0);
	u16(0);
	end(b);
}

static void enhanced(uint32_t iface, uint64_t ts, uint8_t byte, uint32_t len)
{
	size_t b = block(6);

	u32(iface);
	u32((uint32_t)(ts >> 32));
	u32((uint32_t)ts);
	u32(len);
	u32(len + 5);
	fill(byte, len);
	end(b);
}

static void secrets(uint32_t type, const char *text)
{
	size_t b = block(10);

	u32(type);
	u32((uint32_t)strlen(text));
	memcpy(f.data + f.len, text, strlen(text));
	f.len += strlen(text);
	end(b);
}

static const char *write_bytes(const void *data, size_t len)
{
	int fd;

	strcpy(path, "/tmp/test_capture.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	close(fd);
	return path;
}

static const char *write_file(void)
{
	return write_bytes(f.data, f.len);
}

static char seen[4096];

static void collect(void *arg, const char *text, uint32_t len)
{
	size_t n = strlen(seen);

	memcpy(seen + n, text, len);
	seen[n + len] = '\0';
	++*(int *)arg;
}

struct result {
	struct pkt pkt[64];
	uint8_t first[64]; /* first byte of each */
	int n;
	int secrets;
	int before; /* secrets delivered before the first packet */
	int rc;
	int truncated;
};

static struct result read_path(const char *p)
{
	struct result r = { 0 };
	struct capture *c;
	struct pkt b[7];

	seen[0] = '\0';
	r.rc = capture_open(&c, p, collect, &r.secrets);
	r.before = r.secrets;
	if (r.rc)
		return r;
	while ((r.rc = capture_burst(c, b, 7)) > 0) {
		for (int i = 0; i < r.rc; i++, r.n++) {
			ck_assert_int_lt(r.n, 64);
			r.pkt[r.n] = b[i];
			r.first[r.n] = b[i].len ? b[i].data[0] : 0;
			for (uint32_t k = 0; k < b[i].len; k++)
				ck_assert_uint_eq(b[i].data[k], b[i].data[0]);
		}
	}
	ck_assert_int_eq(capture_burst(c, b, 7), r.rc); /* and stays so */
	r.truncated = capture_truncated(c);
	capture_close(c);
	return r;
}

static struct result read_file(void)
{
	struct result r = read_path(write_file());

	unlink(path);
	return r;
}

START_TEST(pcap_variants)
{
	static const struct {
		uint32_t magic;
		uint64_t ns;
	} v[] = { { 0xa1b2c3d4, 7000 }, { 0xa1b23c4d, 7 }, { 0xa1b2cd34, 7000 } };

	for (int i = 0; i < 6; i++) {
		struct result r;

		begin(i % 2);
		pcap_header(v[i / 2].magic, 0x10000000 | 113); /* FCS bits above the type */
		for (uint8_t k = 1; k <= 9; k++) {
			u32(0xfffffff0); /* far, but no overflow */
			u32(7);
			u32(k * 10u);
			u32(k == 1 ? 3 : 1500);
			if (v[i / 2].magic == 0xa1b2cd34)
				fill(0, 8);
			fill(k, k * 10u);
		}
		r = read_file();
		ck_assert_int_eq(r.rc, 0);
		ck_assert_int_eq(r.n, 9);
		ck_assert_int_eq(r.truncated, 0);
		for (int k = 0; k < 9; k++) {
			ck_assert_uint_eq(r.first[k], k + 1);
			ck_assert_uint_eq(r.pkt[k].len, 10 * (k + 1));
			ck_assert_uint_eq(r.pkt[k].wire_len, k ? 1500 : 10);
			ck_assert_uint_eq(r.pkt[k].link, LINK_SLL);
			ck_assert_uint_eq(
				r.pkt[k].ts_ns, 0xfffffff0u * 1000000000ull + v[i / 2].ns);
		}
	}
}
END_TEST

START_TEST(pcapng_blocks)
{
	for (int swap = 0; swap < 2; swap++) {
		struct result r;
		size_t b;

		begin(swap);
		section(swap);
		interface(LINK_ETHERNET, 20, 6, 0);
		interface(LINK_RAW, 0, 9, 0);
		enhanced(1, 123456789012345678u, 1, 30);
		enhanced(0, 5000000, 2, 0);
		b = block(3); /* simple, longer than the snap length */
		u32(100);
		fill(3, 20);
		end(b);
		b = block(2); /* obsolete */
		u16(1);
		u16(9);
		u32(0);
		u32(77);
		u32(5);
		u32(6);
		fill(4, 5);
		end(b);
		b = block(0x0bad); /* custom */
		fill(9, 300);
		end(b);
		section(!swap); /* another byte order, other interfaces */
		interface(LINK_SLL2, 0, 0x8a, -1);
		enhanced(0, 3 * 1024 + 512, 5, 3);
		r = read_file();
		ck_assert_int_eq(r.rc, 0);
		ck_assert_int_eq(r.n, 5);
		for (int k = 0; k < 5; k++)
			ck_assert_uint_eq(r.first[k], k == 1 ? 0 : k + 1);
		ck_assert_uint_eq(r.pkt[0].link, LINK_RAW);
		ck_assert_uint_eq(r.pkt[0].port, 1);
		ck_assert_uint_eq(r.pkt[0].ts_ns, 123456789012345678u);
		ck_assert_uint_eq(r.pkt[0].wire_len, 35);
		ck_assert_uint_eq(r.pkt[1].ts_ns, 5000000000u);
		ck_assert_uint_eq(r.pkt[2].len, 20);
		ck_assert_uint_eq(r.pkt[2].wire_len, 100);
		ck_assert_uint_eq(r.pkt[2].link, LINK_ETHERNET);
		ck_assert_uint_eq(r.pkt[3].len, 5);
		ck_assert_uint_eq(r.pkt[3].ts_ns, 77);
		ck_assert_uint_eq(r.pkt[4].link, LINK_SLL2);
		ck_assert_uint_eq(r.pkt[4].ts_ns, 2500000000u);
	}
}
END_TEST

static uint64_t time_of(uint8_t resol, int64_t offset_s, uint64_t ts)
{
	struct result r;

	begin(false);
	section(false);
	interface(1, 0, resol, offset_s);
	enhanced(0, ts, 1, 1);
	r = read_file();
	ck_assert_int_eq(r.n, 1);
	return r.pkt[0].ts_ns;
}

START_TEST(pcapng_times)
{
	ck_assert_uint_eq(time_of(0, 0, 3), 3000000000u);
	ck_assert_uint_eq(time_of(3, 0, 3), 3000000u);
	ck_assert_uint_eq(time_of(9, 0, 3), 3);
	ck_assert_uint_eq(time_of(12, 0, 3999), 3);
	ck_assert_uint_eq(time_of(28, 0, UINT64_MAX), 1);
	ck_assert_uint_eq(time_of(29, 0, UINT64_MAX), 0);
	ck_assert_uint_eq(time_of(127, 0, UINT64_MAX), 0);
	ck_assert_uint_eq(time_of(0x80, 0, 2), 2000000000u);
	ck_assert_uint_eq(time_of(0x9e, 0, 3u << 29), 1500000000u);
	ck_assert_uint_eq(time_of(0xff, 0, UINT64_MAX), 0);
	ck_assert_uint_eq(time_of(0, 0, UINT64_MAX), UINT64_MAX);
	ck_assert_uint_eq(time_of(6, -5, 4000000), 0); /* before 1970 */
	ck_assert_uint_eq(time_of(6, 5, 1), 5000001000u);
	ck_assert_uint_eq(time_of(0, INT64_MAX, UINT64_MAX), UINT64_MAX);
	ck_assert_uint_eq(time_of(0, INT64_MIN, 0), 0);
}
END_TEST

/* A capture with 9 packets, secrets before, between and behind them. */
static void with_secrets(bool swap)
{
	begin(swap);
	section(swap);
	secrets(0x544c534b, "one\r\n");
	interface(1, 0, 6, 0);
	for (uint8_t k = 1; k <= 9; k++) {
		enhanced(0, k, k, 100);
		if (k == 5)
			secrets(0x544c534b, "two\n");
	}
	secrets(0x57474b4c, "not tls\n"); /* WireGuard */
	secrets(0x544c534b, "");
	secrets(0x544c534b, "three");
}

static const char *write_gzip(size_t members)
{
	gzFile g;

	for (size_t i = 0; i < members; i++) {
		size_t from = f.len * i / members, to = f.len * (i + 1) / members;

		if (i == 0)
			write_bytes("", 0);
		g = gzopen(path, i ? "ab" : "wb");
		ck_assert_int_eq(
			gzwrite(g, f.data + from, (unsigned)(to - from)), (int)(to - from));
		gzclose(g);
	}
	return path;
}

START_TEST(secrets_come_first)
{
	for (int i = 0; i < 6; i++) {
		struct result r;

		with_secrets(i % 2);
		r = read_path(i < 2 ? write_file() : write_gzip(i < 4 ? 1 : 3));
		unlink(path);
		ck_assert_int_eq(r.rc, 0);
		ck_assert_int_eq(r.n, 9);
		ck_assert_int_eq(r.before, 4);
		ck_assert_int_eq(r.secrets, 4); /* each once */
		ck_assert_str_eq(seen, "one\r\ntwo\nthree");
	}
}
END_TEST

/* Longer than any buffer: every packet straddles some boundary sooner or later. */
/* shape: nesting, three files, bursts, packets, and what is in them */
START_TEST(large)
{
	for (int i = 0; i < 3; i++) {
		int n = 0, delivered = 0, rc;
		struct pkt b[32];
		struct capture *c;

		begin(false);
		section(false);
		interface(1, 0, 6, 0);
		for (; f.len < sizeof(f.data) - 70000; n++)
			enhanced(0, (uint64_t)n, (uint8_t)(n + 1), n % 100 == 99 ? 65535 : 601);
		secrets(0x544c534b, "x");
		ck_assert_int_eq(
			capture_open(&c, i ? write_gzip(i) : write_file(), collect, &delivered), 0);
		unlink(path);
		ck_assert_int_eq(delivered, 1);
		for (int k = 0; (rc = capture_burst(c, b, 32)) > 0;)
			for (int j = 0; j < rc; j++, k++, n--) {
				ck_assert_uint_eq(b[j].ts_ns, k * 1000u);
				for (uint32_t m = 0; m < b[j].len; m++)
					if (b[j].data[m] != (uint8_t)(k + 1))
						ck_abort_msg("packet %d byte %u", k, m);
			}
		ck_assert_int_eq(rc, 0);
		ck_assert_int_eq(n, 0);
		ck_assert_int_eq(delivered, 1);
		ck_assert_uint_eq(capture_tell(c), capture_size(c));
		capture_close(c);
	}
}
END_TEST

/* Cut at every byte: all whole packets, and the truth about the rest. */
static void cut_everywhere(size_t header, const size_t *ends, size_t n_ends)
{
	size_t full = f.len;

	for (size_t len = 0; len <= full; len++) {
		bool whole = len == header;
		int want = 0;
		struct result r;

		for (size_t i = 0; i < n_ends; i++) {
			want += ends[i] <= len;
			whole |= ends[i] == len;
		}
		f.len = len;
		r = read_file();
		ck_assert_int_eq(r.n, want);
		ck_assert_int_eq(r.rc, whole ? 0 : -EBADMSG);
		if (len >= header)
			ck_assert_int_eq(r.truncated, !whole);
	}
	f.len = full;
}

START_TEST(pcap_cut)
{
	size_t ends[3];

	begin(false);
	pcap_header(0xa1b2c3d4, 1);
	for (int i = 0; i < 3; i++) {
		pcap_packet(1, 2, 3, (uint32_t)i * 9, 60);
		ends[i] = f.len;
	}
	cut_everywhere(24, ends, 3);
}
END_TEST

START_TEST(pcapng_cut)
{
	size_t ends[4], header;

	begin(true);
	section(true);
	header = f.len;
	interface(1, 0, 9, 1);
	ends[0] = f.len; /* whole, too, though no packet */
	for (int i = 1; i < 4; i++) {
		enhanced(0, 2, 3, (uint32_t)i * 9);
		ends[i] = f.len;
	}
	for (size_t len = header; len <= f.len; len++) {
		size_t full = f.len;
		struct result r;
		int want = (ends[1] <= len) + (ends[2] <= len) + (ends[3] <= len);
		bool whole = len == header || len == ends[0] || len == ends[1] || len == ends[2] ||
			len == ends[3];

		f.len = len;
		r = read_file();
		f.len = full;
		ck_assert_int_eq(r.n, want);
		ck_assert_int_eq(r.rc, whole ? 0 : -EBADMSG);
		ck_assert_int_eq(r.truncated, !whole);
	}
	for (f.len = 0; f.len < header; f.len++)
		ck_assert_int_eq(read_file().rc, -EBADMSG);
}
END_TEST

START_TEST(gzip_cut)
{
	uint8_t packed[4096];
	size_t len;
	FILE *in;

	with_secrets(false);
	in = fopen(write_gzip(1), "rb");
	len = fread(packed, 1, sizeof(packed), in);
	fclose(in);
	unlink(path);
	for (size_t n = 0; n < len; n++) {
		struct result r = read_path(write_bytes(packed, n));

		unlink(path);
		ck_assert_int_eq(r.rc, -EBADMSG);
		ck_assert_int_le(r.n, 9);
	}
	packed[len - 5] ^= 1; /* checksum */
	ck_assert_int_eq(read_path(write_bytes(packed, len)).rc, -EBADMSG);
	unlink(path);
	packed[len - 5] ^= 1;
	packed[len] = 0; /* padding behind is no damage */
	ck_assert_int_eq(read_path(write_bytes(packed, len + 1)).rc, 0);
	unlink(path);
}
END_TEST

/* The magic of the second member falls on both sides of a boundary between two reads. */
START_TEST(gzip_magic_between_reads)
{
	static uint8_t packed[1 << 20];
	static char name[1 << 19];
	const size_t first = (512u << 10) - 1;
	struct result r;
	size_t at = 0;

	with_secrets(false);
	for (int i = 0; i < 2; i++) {
		z_stream z = { .next_out = packed + at, .avail_out = (uInt)(sizeof(packed) - at) };
		gz_header h = { .name = (Bytef *)name };

		/* A file name of the right length moves the boundary: 18 bytes frame a member. */
		memset(name, 'n', sizeof(name));
		name[i ? 1 : first - 18 - 1 - 5 - f.len / 2] = '\0';
		deflateInit2(&z, 0, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
		deflateSetHeader(&z, &h);
		z.next_in = f.data + (i ? f.len / 2 : 0);
		z.avail_in = (uInt)(i ? f.len - f.len / 2 : f.len / 2);
		ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
		at += z.total_out;
		deflateEnd(&z);
		if (i == 0)
			ck_assert_uint_eq(at, first);
	}
	r = read_path(write_bytes(packed, at));
	unlink(path);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_int_eq(r.n, 9);
}
END_TEST

/* Any byte turned over: never more than a wrong packet, a message, an early end. */
START_TEST(flipped)
{
	for (int format = 0; format < 2; format++) {
		if (format) {
			with_secrets(false);
		} else {
			begin(false);
			pcap_header(0xa1b2c3d4, 1);
			for (uint8_t k = 1; k < 5; k++)
				pcap_packet(1, 1, 0, 60, 60);
		}
		for (size_t i = 0; i < f.len; i++) {
			int delivered = 0, rc;
			struct capture *c;
			struct pkt b[8];

			f.data[i] ^= 0xff;
			seen[0] = '\0';
			if (capture_open(&c, write_file(), collect, &delivered) == 0) {
				while ((rc = capture_burst(c, b, 8)) > 0)
					;
				ck_assert(rc == 0 || rc == -EBADMSG);
				capture_close(c);
			}
			unlink(path);
			f.data[i] ^= 0xff;
		}
	}
}
END_TEST

static void damage(size_t at, uint32_t v, int packets)
{
	uint32_t was;
	struct result r;

	memcpy(&was, f.data + at, 4);
	memcpy(f.data + at, &v, 4);
	r = read_file();
	memcpy(f.data + at, &was, 4);
	ck_assert_int_eq(r.rc, -EBADMSG);
	ck_assert_int_eq(r.n, packets);
	ck_assert_int_eq(r.truncated, 0);
}

START_TEST(damaged)
{
	size_t at;

	begin(false);
	section(false);
	interface(1, 0, 6, 0);
	enhanced(0, 1, 1, 40);
	at = f.len;
	enhanced(0, 2, 2, 40);
	enhanced(0, 3, 3, 40);
	damage(at + 4, 0, 1); /* block lengths */
	damage(at + 4, 11, 1);
	damage(at + 4, 0x7fffffff, 1);
	damage(at + 4, 76, 1);
	damage(at + 68, 76, 1);
	damage(at + 8, 1, 1);   /* interface */
	damage(at + 20, 41, 1); /* captured length */
	damage(at + 20, 0xffffffff, 1);
	begin(false);
	pcap_header(0xa1b2c3d4, 1);
	pcap_packet(1, 1, 1, 262144, 262144); /* the longest there is */
	at = f.len;
	pcap_packet(1, 1, 1, 4, 4);
	damage(at + 8, 262145, 1);
	damage(at + 8, 0xffffffff, 1);
}
END_TEST

START_TEST(no_capture)
{
	struct capture *c;

	ck_assert_int_eq(capture_open(&c, "/nonexistent/x.pcap", NULL, NULL), -ENOENT);
	ck_assert_ptr_null(c);
	ck_assert_int_eq(capture_open(&c, "/tmp", NULL, NULL), -EISDIR);
	ck_assert_int_eq(read_path(write_bytes("", 0)).rc, -EBADMSG);
	unlink(path);
	ck_assert_int_eq(read_path(write_bytes("\xd4\xc3", 2)).rc, -EBADMSG);
	unlink(path);
	ck_assert_int_eq(read_path(write_bytes("hello, this is some text\n", 25)).rc, -EBADMSG);
	unlink(path);
	ck_assert_int_eq(read_path(write_bytes("\x7f"
					       "ELF\2\1\1",
					   7))
				 .rc,
		-EBADMSG);
	unlink(path);
	ck_assert_int_eq(read_path(write_bytes("\x1f\x8b", 2)).rc, -EBADMSG);
	unlink(path);
	ck_assert_int_eq(read_path(write_bytes("\x1f\x8bxxxxxxxxxxx", 13)).rc, -EBADMSG);
	unlink(path);
	if (geteuid() != 0) {
		begin(false);
		pcap_header(0xa1b2c3d4, 1);
		write_file();
		chmod(path, 0);
		ck_assert_int_eq(capture_open(&c, path, NULL, NULL), -EACCES);
		unlink(path);
	}
}
END_TEST

/* The other end of a FIFO: writes a piece, and the next one only when told. */
struct writer {
	int go[2];
	size_t piece[3];
	const uint8_t *data;
};

static void *write_pieces(void *arg)
{
	struct writer *w = arg;
	int fd = open(path, O_WRONLY);
	size_t at = 0;
	char c;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(write(fd, w->data + at, w->piece[i]), (ssize_t)w->piece[i]);
		at += w->piece[i];
		ck_assert_int_eq(read(w->go[0], &c, 1), 1);
	}
	close(fd);
	return NULL;
}

/* shape: lines, one story of two processes */
START_TEST(pipe_as_it_grows)
{
	for (int gzip = 0; gzip < 2; gzip++) {
		static uint8_t data[65536];
		struct writer w = { .data = data };
		int delivered = 0;
		struct capture *c;
		struct pkt b[8];
		pthread_t th;
		z_stream z = { 0 };

		begin(false);
		section(false);
		interface(1, 0, 6, 0);
		enhanced(0, 1, 1, 100);
		enhanced(0, 2, 2, 100);
		w.piece[0] = f.len + 10; /* and the start of the third */
		enhanced(0, 3, 3, 100);
		w.piece[1] = f.len - w.piece[0];
		secrets(0x544c534b, "late");
		enhanced(0, 4, 4, 100);
		w.piece[2] = f.len - w.piece[0] - w.piece[1];
		memcpy(data, f.data, f.len);
		if (gzip) {
			size_t at = 0;

			deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
			z.next_out = data;
			z.avail_out = sizeof(data);
			for (int i = 0; i < 3; i++) {
				uLong before = z.total_out;

				z.next_in = f.data + at;
				z.avail_in = (uInt)w.piece[i];
				at += w.piece[i];
				deflate(&z, i == 2 ? Z_FINISH : Z_SYNC_FLUSH);
				w.piece[i] = z.total_out - before;
			}
			deflateEnd(&z);
		}
		strcpy(path, "/tmp/test_capture.XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(path));
		strcat(path, "/fifo");
		ck_assert_int_eq(mkfifo(path, 0600), 0);
		ck_assert_int_eq(pipe(w.go), 0);
		ck_assert_int_eq(pthread_create(&th, NULL, write_pieces, &w), 0);
		seen[0] = '\0';
		ck_assert_int_eq(capture_open(&c, path, collect, &delivered), 0);
		/* Two packets are there, and the writer waits for us: no waiting for a third. */
		ck_assert_int_eq(capture_burst(c, b, 8), 2);
		ck_assert_uint_eq(b[1].data[99], 2);
		ck_assert_int_eq(write(w.go[1], "x", 1), 1);
		ck_assert_int_eq(capture_burst(c, b, 8), 1);
		ck_assert_uint_eq(b[0].data[99], 3);
		ck_assert_int_eq(delivered, 0);
		ck_assert_int_eq(write(w.go[1], "xx", 2), 2);
		ck_assert_int_eq(capture_burst(c, b, 8), 1);
		ck_assert_int_eq(delivered, 1);
		ck_assert_str_eq(seen, "late");
		ck_assert_int_eq(capture_burst(c, b, 8), 0);
		ck_assert_uint_eq(capture_size(c), 0);
		capture_close(c);
		pthread_join(th, NULL);
		unlink(path);
		*strrchr(path, '/') = '\0';
		rmdir(path);
		close(w.go[0]);
		close(w.go[1]);
	}
}
END_TEST

UNIT_MAIN("capture", pcap_variants, pcapng_blocks, pcapng_times, secrets_come_first, large,
	pcap_cut, pcapng_cut, gzip_cut, gzip_magic_between_reads, flipped, damaged, no_capture,
	pipe_as_it_grows)
