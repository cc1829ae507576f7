/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast the whole pipeline is, in one thread or in several that share only the key table. The
 * packets of one connection, preloaded from a capture, are fed as those of many: each is copied into
 * the next of a ring of buffers, as net_pcap does, and the client's address is rewritten there. The
 * client_random stays, so one entry of the key table opens all, and every tag is checked. In the same
 * run, in turn, comes what bounds it: the same source with nothing behind it, and with nothing but the
 * opener.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "capture.h"
#include "decode/frame.h"
#include "keyfile.h"
#include "memory.h"
#include "pipeline.h"
#include "tls/kdf.h"
#include "tls/session.h"

enum { BURST = 32, STRIDE = 2304, PACKETS_MAX = 1 << 14, ROUNDS = 5, WORKERS_MAX = 16 };
/* Where IPv4 over Ethernet has its addresses: the captures of scripts/gen-pcaps. */
enum { SRC_AT = 26, DST_AT = 30 };

/** What is asked for. */
struct plan {
	const char *capture, *keys, *backend;
	uint32_t conns;  /* open at once, a worker */
	uint32_t group;  /* at least so many packets of one connection in a row */
	uint32_t warm;   /* packets of each connection before the clock runs */
	uint32_t mbytes; /* of buffers that packets are copied to */
	uint32_t workers;
	uint32_t ms; /* of one measurement */
};

struct frame {
	const uint8_t *data;
	uint16_t len;
	bool from_client;
	bool boundary;    /* no record is under way after it */
	uint16_t payload; /* where its TCP payload begins; 0: not the server's application data */
	uint32_t seq;     /* of the record that it brings bytes of */
};

/** One direction of the capture, for the records in it. */
struct stream {
	uint8_t *data;
	size_t len;
	uint32_t next; /* sequence number */
};

/** The connection that all others are copies of. */
static struct {
	uint32_t n;
	struct frame frame[PACKETS_MAX];
	uint64_t bytes;
	struct stream stream[2];
	struct keytab *keys;
	struct record_keys server;
} template;

/** One thread and its pipeline. */
struct bench {
	alignas(64) const struct plan *plan;
	struct pipeline pl;
	int cpu;
	enum { PIPELINE, NOTHING, OPENER } to; /* where packets go */
	struct opener *opener;
	uint32_t left; /* bytes of the record that it has begun to open */
	uint8_t *ring; /* buffers */
	uint32_t buffers, next;
	uint64_t now_ns;
	uint32_t at;    /* packet that comes next on every connection */
	uint32_t round; /* how often all connections were replaced by new ones */
	uint64_t packets, bytes, sum;
	uint64_t cycles;
};

static void die(const char *what)
{
	fprintf(stderr, "bench_pipeline: %s\n", what);
	exit(EXIT_FAILURE);
}

static void *reserve(size_t n)
{
	void *p = memory_reserve(n);

	if (!p)
		die("no memory");
	return p;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The capture. */

static bool at_boundary(const struct stream *s)
{
	size_t at = 0;

	while (at + 5 <= s->len)
		at += 5 + get_be16(s->data + at + 3);
	return at == s->len;
}

static void add(const struct pkt *p)
{
	static uint8_t client[4];
	struct frame *f = &template.frame[template.n];
	struct pkt d = *p;
	struct stream *s;
	uint8_t *copy;

	if (frame_decode(&d, NULL) != V_OK || d.addr_len != 4 || p->len > STRIDE)
		return;
	if (!template.n)
		memcpy(client, d.src, 4);
	copy = reserve(STRIDE);
	memcpy(copy, p->data, p->len);
	*f = (struct frame){
		.data = copy, .len = (uint16_t)p->len, .from_client = !memcmp(d.src, client, 4)
	};
	s = &template.stream[!f->from_client];
	if (d.tcp_flags & TCP_SYN)
		s->next = d.seq + 1;
	if (d.payload_len && d.seq == s->next) {
		memcpy(s->data + s->len, d.payload, d.payload_len);
		s->len += d.payload_len;
		s->next += d.payload_len;
		f->payload = (uint16_t)(d.payload - p->data);
	}
	f->boundary = at_boundary(&template.stream[0]) && at_boundary(&template.stream[1]);
	template.bytes += p->len;
	template.n++;
}

static void load(const struct plan *plan)
{
	static struct keytab_cfg cfg = { .max_entries = 1024, .seed = 1 };
	struct pkt pkts[BURST];
	struct capture *c;
	struct keyfile *k;
	int n;

	for (int d = 0; d < 2; d++)
		template.stream[d].data = reserve(64 << 20);
	if (capture_open(&c, plan->capture, NULL, NULL) || keyfile_open(&k, plan->keys, false))
		exit(EXIT_FAILURE);
	while ((n = capture_burst(c, pkts, BURST)) > 0)
		for (int i = 0; i < n && template.n < PACKETS_MAX; i++)
			add(&pkts[i]);
	capture_close(c);
	if (!template.n)
		die("the capture has no TCP over IPv4 over Ethernet");
	template.keys = keytab_init(reserve(keytab_bytes(&cfg)), &cfg);
	if (keyfile_poll(k, template.keys, 0) <= 0)
		die("no secrets in the key log");
	keyfile_close(k);
}

/* The floor: nothing but the records. */

/* Bytes of the server's records, the next in order. @return records opened. */
static uint32_t open_some(struct opener *o, uint32_t *left, uint32_t seq, struct rd in)
{
	static uint8_t out[RECORD_MAX];
	uint32_t records = 0;
	uint8_t type;
	size_t len;

	while (rd_left(&in)) {
		size_t n;

		if (!*left) {
			if (rd_left(&in) < 5)
				die("a record header in two segments");
			opener_begin(o, seq + records, in.p, out);
			*left = get_be16(in.p + 3);
			in.p += 5;
		}
		n = rd_left(&in) < *left ? rd_left(&in) : *left;
		opener_update(o, in.p, n);
		in.p += n;
		*left -= (uint32_t)n;
		if (!*left && opener_finish(o, &len, &type) != V_OK)
			return 0;
		records += !*left;
	}
	return records;
}

/* Is this where the server's application data begins? */
static bool opens_at(struct opener *o, size_t at)
{
	const struct stream *s = &template.stream[S2C];
	size_t n = 5 + get_be16(s->data + at + 3);
	uint32_t left = 0;

	return s->data[at] == 23 && at + n <= s->len &&
		open_some(o, &left, 0, rd_init(s->data + at, n));
}

static size_t first_record(struct opener *o, const struct key_entry *e)
{
	const struct stream *s = &template.stream[S2C];

	for (uint16_t id = 0x1301; id <= 0x1303; id++) {
		kdf_traffic_keys(suite_find(id), TLS13, e->traffic[1].data, &template.server);
		opener_key(o, &template.server);
		for (size_t at = 0; at + 5 <= s->len; at += 5 + get_be16(s->data + at + 3))
			if (opens_at(o, at))
				return at;
	}
	die("no record of the server opens; is it TLS 1.3?");
	return 0;
}

/* Number the records: which one does each of the server's packets bring bytes of? */
static void number(size_t first)
{
	const struct stream *s = &template.stream[S2C];
	size_t at = first, seen = 0;
	uint32_t seq = 0;

	for (uint32_t i = 0; i < template.n; i++) {
		struct frame *f = &template.frame[i];

		if (f->from_client || !f->payload)
			continue;
		seen += f->len - f->payload;
		if (seen - (f->len - f->payload) < first) {
			f->payload = 0;
			continue;
		}
		f->seq = seq;
		while (at + 5 <= s->len && at + 5 + get_be16(s->data + at + 3) <= seen) {
			at += 5 + get_be16(s->data + at + 3);
			seq++;
		}
	}
}

static struct opener *find_keys(const struct plan *plan)
{
	struct opener_env *env = opener_env_init(reserve(opener_env_bytes()), plan->backend);
	struct opener *o = env ? opener_init(reserve(opener_bytes()), env) : NULL;
	struct key_name name = { .id_len = 32 };
	struct key_entry e;

	if (!o)
		die("no such back-end");
	memcpy(name.id, template.stream[C2S].data + 11, 32);
	if (keytab_get(template.keys, &name, &e) != V_OK)
		die("the key log has no secrets of this connection");
	number(first_record(o, &e));
	return o;
}

/* The source. */

static void flush(struct bench *b, struct pkt *pkts, int n)
{
	if (b->to == PIPELINE)
		pipeline_burst(&b->pl, pkts, n);
	for (int i = 0; i < n && b->to != PIPELINE; i++) {
		const struct frame *f = pkts[i].owner;
		bool data = !f->from_client && f->payload;

		b->sum += pkts[i].data[DST_AT];
		if (b->to == OPENER && data)
			b->sum += open_some(b->opener, &b->left, f->seq,
				rd_init(pkts[i].data + f->payload, f->len - f->payload));
	}
}

/* The next packets of one connection. */
static void emit(struct bench *b, uint32_t conn, uint32_t upto)
{
	uint32_t addr = htonl(0x0b000000 + b->round * b->plan->conns + conn);
	struct pkt pkts[BURST];
	int n = 0;

	for (uint32_t i = b->at; i < upto; i++) {
		const struct frame *f = &template.frame[i];
		uint8_t *data = b->ring + (size_t)b->next * STRIDE;

		b->next = b->next + 1 < b->buffers ? b->next + 1 : 0;
		memcpy(data, f->data, f->len);
		memcpy(data + (f->from_client ? SRC_AT : DST_AT), &addr, 4);
		pkts[n].data = data;
		pkts[n].len = pkts[n].wire_len = f->len;
		pkts[n].ts_ns = b->now_ns += 100;
		pkts[n].link = LINK_ETHERNET;
		pkts[n].owner = b->to == PIPELINE ? NULL : (void *)(uintptr_t)f;
		n++;
		b->bytes += f->len;
		if (n == BURST) {
			flush(b, pkts, n);
			n = 0;
		}
	}
	flush(b, pkts, n);
	b->packets += upto - b->at;
}

/* One group of packets on every connection, until the time is up. @return false when it is. */
static bool turn(struct bench *b, uint64_t end)
{
	uint32_t upto = b->at ? b->at + b->plan->group : b->plan->warm;

	upto = upto < template.n ? upto : template.n;
	while (upto < template.n && !template.frame[upto - 1].boundary)
		upto++;
	for (uint32_t c = 0; c < b->plan->conns; c++) {
		emit(b, c, upto);
		if (!(c & 15) && now_ns() >= end) {
			b->at = c + 1 < b->plan->conns ? b->at : upto;
			return false;
		}
	}
	b->at = upto < template.n ? upto : 0;
	b->round += !b->at;
	return true;
}

static void *warm_up(void *arg)
{
	struct bench *b = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(b->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	while (b->at < b->plan->warm && turn(b, UINT64_MAX))
		;
	return NULL;
}

/* The connections of a measurement that was cut short begin anew, under other addresses. */
static void *measure(void *arg)
{
	struct bench *b = arg;
	uint64_t end, start;

	b->packets = b->bytes = 0;
	end = now_ns() + (uint64_t)b->plan->ms * 1000000;
	start = __rdtsc();
	while (turn(b, end))
		;
	b->cycles = __rdtsc() - start;
	return NULL;
}

static void restart(struct bench *b)
{
	pipeline_finish(&b->pl);
	b->at = 0;
	b->round++;
	warm_up(b);
}

static void start(struct bench *b, const struct plan *plan, int cpu)
{
	struct pipeline_cfg cfg = pipeline_live_cfg();

	b->plan = plan;
	b->cpu = cpu;
	b->now_ns = 1000000000000;
	cfg.flow.seed = cfg.tls.seed = cfg.frag.seed = 1;
	cfg.tls.backend = plan->backend;
	if (cfg.flow.max_conns < plan->conns * 2)
		cfg.flow.max_conns = plan->conns * 2;
	if (cfg.tls.max_sessions < plan->conns * 2)
		cfg.tls.max_sessions = plan->conns * 2;
	if (pipeline_init(&b->pl, &cfg, template.keys))
		exit(EXIT_FAILURE);
	b->buffers = (uint32_t)(((uint64_t)plan->mbytes << 20) / STRIDE);
	b->ring = reserve((size_t)b->buffers * STRIDE);
}

static uint64_t resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (uint64_t)pages * (uint64_t)getpagesize();
}

/* The report. */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), by_value);
	return v[ROUNDS / 2];
}

static void prove(const struct bench *b)
{
	uint64_t bad = 0;

	for (int v = 0; v < V_COUNT; v++) {
		if (verdict_stage((enum verdict)v) == STAGE_REC ||
			verdict_stage((enum verdict)v) == STAGE_CONN) {
			bad += b->pl.count.verdict[v];
			if (b->pl.count.verdict[v])
				printf("  %s: %lu\n", verdict_label((enum verdict)v),
					(unsigned long)b->pl.count.verdict[v]);
		}
	}
	printf("  proof: %lu records decrypted, every tag verified; %lu not decrypted%s\n",
		(unsigned long)b->pl.count.records_decrypted, (unsigned long)bad,
		bad || !b->pl.count.records_decrypted ? "  FAILED" : "");
}

/* @return cycles a packet with nothing, or only the opener, behind the source. */
static double floor_cycles(struct bench *b, int to, struct opener *o)
{
	b->to = to;
	b->opener = o;
	b->at = 0;
	warm_up(b);
	b->left = 0;
	measure(b);
	b->left = 0;
	b->to = PIPELINE;
	return (double)b->cycles / (double)b->packets;
}

/** What one round says. */
struct figures {
	double rx, floor, all; /* cycles a packet: source alone, with the opener, with all */
	double gbps, mpps;     /* of all workers */
};

static void run_round(
	struct bench *bs, const struct plan *plan, struct opener *o, double hz, struct figures *f)
{
	pthread_t thread[WORKERS_MAX];
	double seconds = 0;

	*f = (struct figures){ 0 };
	f->rx = floor_cycles(&bs[0], NOTHING, o);
	f->floor = floor_cycles(&bs[0], OPENER, o);
	for (uint32_t w = 0; w < plan->workers; w++)
		restart(&bs[w]);
	warm_up(&bs[0]);
	for (uint32_t w = 1; w < plan->workers; w++)
		pthread_create(&thread[w], NULL, measure, &bs[w]);
	measure(&bs[0]);
	for (uint32_t w = 1; w < plan->workers; w++)
		pthread_join(thread[w], NULL);
	for (uint32_t w = 0; w < plan->workers; w++) {
		seconds = (double)bs[w].cycles / hz;
		f->mpps += (double)bs[w].packets / seconds / 1e6;
		f->gbps += (double)bs[w].bytes * 8 / seconds / 1e9;
		f->all += (double)bs[w].cycles / (double)bs[w].packets / plan->workers;
	}
}

static double tsc_hz(void)
{
	uint64_t start = now_ns(), tsc = __rdtsc();

	while (now_ns() - start < 100000000)
		;
	return (double)(__rdtsc() - tsc) * 1e9 / (double)(now_ns() - start);
}

static void report(const struct plan *plan, struct figures *f)
{
	double rx[ROUNDS], low[ROUNDS], all[ROUNDS], gbps[ROUNDS], mpps[ROUNDS], share[ROUNDS];
	double frame = (double)template.bytes / template.n;

	for (int i = 0; i < ROUNDS; i++) {
		rx[i] = f[i].rx;
		low[i] = f[i].floor;
		all[i] = f[i].all;
		gbps[i] = f[i].gbps;
		mpps[i] = f[i].mpps;
		share[i] = low[i] / all[i];
	}
	printf("  %u worker%s, %u connections each, %.0f bytes a packet on average\n",
		plan->workers, plan->workers == 1 ? "" : "s", plan->conns, frame);
	printf("  cycles a packet: source alone %.0f, source + opening %.0f, pipeline %.0f\n",
		median(rx), median(low), median(all));
	printf("  pipeline %.2f Mpps, %.1f Gbps; %.2f of the floor; all but opening %.0f cycles\n",
		median(mpps), median(gbps), median(share), median(all) - median(low));
}

static bool parse(struct plan *p, int argc, char **argv)
{
	struct option longs[] = { { "conns", 1, NULL, 'c' }, { "group", 1, NULL, 'g' },
		{ "warm", 1, NULL, 'w' }, { "mbytes", 1, NULL, 'm' }, { "workers", 1, NULL, 'n' },
		{ "ms", 1, NULL, 't' }, { "backend", 1, NULL, 'b' }, { 0 } };
	int letter;

	while ((letter = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		uint32_t n = optarg ? (uint32_t)strtoul(optarg, NULL, 10) : 0;

		switch (letter) {
		case 'c':
			p->conns = n;
			break;
		case 'g':
			p->group = n;
			break;
		case 'w':
			p->warm = n;
			break;
		case 'm':
			p->mbytes = n;
			break;
		case 'n':
			p->workers = n;
			break;
		case 't':
			p->ms = n;
			break;
		case 'b':
			p->backend = optarg;
			break;
		default:
			return false;
		}
	}
	if (argc - optind != 2)
		return false;
	p->capture = argv[optind];
	p->keys = argv[optind + 1];
	return p->conns && p->group && p->workers && p->workers <= WORKERS_MAX && p->ms &&
		p->mbytes;
}

int main(int argc, char **argv)
{
	static struct bench bs[WORKERS_MAX];
	static struct plan plan = {
		.conns = 1000, .group = 12, .warm = 12, .mbytes = 8, .workers = 1, .ms = 200
	};
	struct figures f[ROUNDS];
	struct opener *o;
	uint64_t before;
	double hz = tsc_hz();

	if (!parse(&plan, argc, argv)) {
		fputs("usage: bench_pipeline [--conns N] [--group PACKETS] [--warm PACKETS] [--mbytes N]\n"
		      "       [--workers N] [--ms N] [--backend NAME] CAPTURE KEYLOG\n",
			stderr);
		return 2;
	}
	load(&plan);
	o = find_keys(&plan);
	for (uint32_t w = 0; w < plan.workers; w++)
		start(&bs[w], &plan, (int)w);
	before = resident();
	warm_up(&bs[0]);
	printf("%s\n  %.0f bytes of memory a connection, idle\n", plan.capture,
		(double)(resident() - before) / plan.conns);
	for (int i = 0; i < ROUNDS; i++)
		run_round(bs, &plan, o, hz, &f[i]);
	report(&plan, f);
	for (uint32_t w = 0; w < plan.workers; w++)
		prove(&bs[w]);
	return 0;
}
