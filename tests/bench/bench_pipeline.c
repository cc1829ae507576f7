/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast the whole pipeline is, in one thread or in several that share only the key table. The
 * packets of one connection, preloaded from a capture, are fed as those of many: each is copied into
 * the next of a ring of buffers, as net_pcap does, and the client's address is rewritten there. The
 * client_random stays, so one entry of the key table opens all, and every tag is checked. In the same
 * run, in turn, comes what bounds it: the same source with nothing behind it, and with nothing but the
 * opener. With --lost it comes a second time, in turn, and some of the server's packets are missing.
 */
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "clock.h"
#include "keyfile.h"
#include "pipeline.h"
#include "template.h"
#include "tls/kdf.h"
#include "tls/session.h"

enum { ROUNDS_MAX = 99, WORKERS_MAX = 16 };

static struct keytab *keys;

/** What is asked for. */
struct plan {
	const char *capture, *keys, *backend;
	uint32_t conns;  /* open at once, a worker */
	uint32_t group;  /* at least so many packets of one connection in a row */
	uint32_t warm;   /* packets of each connection before the clock runs */
	uint32_t mbytes; /* of buffers that packets are copied to */
	uint32_t workers;
	uint32_t cpu; /* of the first of them */
	uint32_t ms;  /* of one measurement */
	uint32_t rounds;
	uint32_t lost; /* of so many of the server's packets one is missing; 0: none */
	bool prints; /* fingerprints and certificates are made, as for an output that shows them */
	bool cold;   /* packets are in memory and in no cache, as a port may leave them */
};

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
	struct pkt burst[BURST];
	int n;
	uint64_t now_ns;
	uint32_t at;    /* packet that comes next on every connection */
	uint32_t round; /* how often all connections were replaced by new ones */
	uint64_t packets, bytes, sum;
	uint64_t cycles, busy_ns; /* the clock's, this thread's */
	uint32_t lost;            /* in this measurement, as in the plan */
	uint64_t rng;
	uint16_t *refs; /* by buffer: segments in it that wait behind a hole */
	uint32_t held;  /* the sum of these */
};

static uint16_t *refs_of(struct bench *b, const void *owner)
{
	return &b->refs[(size_t)((const uint8_t *)owner - b->ring) / STRIDE];
}

/* As a worker does: by reference. */
static bool keep(void *arg, struct seg *seg)
{
	struct bench *b = arg;

	if (b->held >= b->buffers / 2)
		return false;
	b->held++;
	++*refs_of(b, seg->owner);
	return true;
}

static void drop(void *arg, void *owner)
{
	struct bench *b = arg;

	b->held--;
	--*refs_of(b, owner);
}

static void load_keys(const char *path)
{
	static struct keytab_cfg cfg = { .max_entries = 1024, .seed = 1 };
	struct keyfile *k;

	keys = keytab_init(reserve(keytab_bytes(&cfg)), &cfg);
	if (keyfile_open(&k, path, false))
		exit(EXIT_FAILURE);
	if (keyfile_poll(k, keys, 0) <= 0)
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
	struct record_keys server;

	for (uint16_t id = 0x1301; id <= 0x1303; id++) {
		kdf_traffic_keys(suite_find(id), TLS13, e->traffic[1].data, &server);
		opener_key(o, &server);
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
	struct opener *o = env ? opener_init(reserve(opener_bytes(NULL)), env) : NULL;
	struct key_name name = { .id_len = 32 };
	struct key_entry e;

	if (!o)
		die("no such back-end");
	memcpy(name.id, template.stream[C2S].data + 11, 32);
	if (keytab_get(keys, &name, &e) != V_OK)
		die("the key log has no secrets of this connection");
	number(first_record(o, &e));
	return o;
}

/* The source. */

static void flush(struct bench *b)
{
	for (int i = 0; b->plan->cold && i < b->n; i++)
		__builtin_prefetch(b->burst[i].data); /* as a worker does */
	if (b->to == PIPELINE)
		pipeline_burst(&b->pl, b->burst, b->n);
	for (int i = 0; i < b->n && b->to != PIPELINE; i++) {
		const struct frame *f = b->burst[i].owner;
		bool data = !f->from_client && f->payload;

		b->sum += b->burst[i].data[DST_AT];
		if (b->to == OPENER && data)
			b->sum += open_some(b->opener, &b->left, f->seq,
				rd_init(b->burst[i].data + f->payload, f->len - f->payload));
	}
	b->n = 0;
}

static bool is_lost(struct bench *b, const struct frame *f)
{
	if (!b->lost || b->to != PIPELINE || !f->payload)
		return false;
	b->rng = b->rng * 6364136223846793005u + 1442695040888963407u;
	return !((b->rng >> 33) % b->lost);
}

static uint8_t *next_buffer(struct bench *b)
{
	uint32_t at;

	do {
		at = b->next;
		b->next = at + 1 < b->buffers ? at + 1 : 0;
	} while (b->refs[at]);
	return b->ring + (size_t)at * STRIDE;
}

static void put(struct bench *b, const struct frame *f, uint32_t addr)
{
	uint8_t *data = next_buffer(b);
	struct pkt *p = &b->burst[b->n++];

	template_copy(data, f, addr);
	for (uint32_t i = 0; b->plan->cold && i < f->len; i += 64)
		__builtin_ia32_clflush(data + i);
	p->data = data;
	p->len = p->wire_len = f->len;
	p->ts_ns = b->now_ns += 100;
	p->link = LINK_ETHERNET;
	p->owner = b->to == PIPELINE ? data : (void *)(uintptr_t)f;
	b->bytes += f->len;
	b->packets++;
	if (b->n == BURST)
		flush(b);
}

/* The next packets of one connection; a burst is full before it is looked at, as a port's is. */
static void emit(struct bench *b, uint32_t conn, uint32_t upto)
{
	uint32_t addr = htonl(0x0b000000 + b->round * b->plan->conns + conn);

	for (uint32_t i = b->at; i < upto; i++)
		if (!is_lost(b, &template.frame[i]))
			put(b, &template.frame[i], addr);
}

/* One group of packets on every connection, until the time is up. @return false when it is. */
static bool turn(struct bench *b, uint64_t end)
{
	uint32_t upto = template_group(b->at, b->at ? b->plan->group : b->plan->warm);

	for (uint32_t c = 0; c < b->plan->conns; c++) {
		emit(b, c, upto);
		if (!(c & 63) && now_ns() >= end) {
			flush(b);
			b->at = c + 1 < b->plan->conns ? b->at : upto;
			return false;
		}
	}
	flush(b);
	b->at = upto < template.n ? upto : 0;
	b->round += !b->at;
	return true;
}

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void warm_up(struct bench *b)
{
	while (b->at < b->plan->warm && turn(b, UINT64_MAX))
		;
}

/* The connections of a measurement that was cut short begin anew, under other addresses. */
static void *measure(void *arg)
{
	struct bench *b = arg;
	uint64_t end, start;

	go_to(b->cpu);
	b->packets = b->bytes = 0;
	end = now_ns() + (uint64_t)b->plan->ms * 1000000;
	b->busy_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	start = __rdtsc();
	while (turn(b, end))
		;
	b->cycles = __rdtsc() - start;
	b->busy_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - b->busy_ns;
	return NULL;
}

static void restart(struct bench *b)
{
	pipeline_finish(&b->pl);
	b->at = 0;
	b->lost = 0; /* no handshake is */
	b->round++;
	warm_up(b);
}

static void start(struct bench *b, const struct plan *plan, int cpu)
{
	struct pipeline_cfg cfg = pipeline_live_cfg();
	uint32_t room = plan->conns + plan->conns / 32;

	b->plan = plan;
	b->cpu = cpu;
	b->now_ns = 1000000000000;
	cfg.flow.seed = cfg.tls.seed = cfg.frag.seed = 1;
	cfg.tls.backend = plan->backend;
	if (cfg.flow.max_conns < room)
		cfg.flow.max_conns = room;
	if (cfg.tls.max_sessions < room)
		cfg.tls.max_sessions = room;
	if (pipeline_init(&b->pl, &cfg, keys))
		exit(EXIT_FAILURE);
	b->buffers = (uint32_t)(((uint64_t)plan->mbytes << 20) / STRIDE);
	b->ring = reserve((size_t)b->buffers * STRIDE);
	memset(b->ring, 0, (size_t)b->buffers * STRIDE); /* it is not the connections' memory */
	b->refs = reserve(b->buffers * sizeof(*b->refs));
	pipeline_serve(&b->pl, (struct outputs_wants){ .prints = plan->prints });
	b->pl.keeper.keep = keep;
	b->pl.keeper.drop = drop;
	b->pl.keeper.arg = b;
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

/* Openers go to whoever is busy, and stay with it until another one is: they are not the idle one's. */
static void report_memory(const struct bench *b, uint64_t bytes)
{
	const struct tls_env *env = b->pl.tls;
	uint64_t openers = 0;

	for (uint32_t i = 0; i < env->cfg.max_openers; i++)
		openers += env->lease[i].opener ? env->opener_stride : 0;
	printf("%s\n  %.0f bytes of memory a connection, idle; %u more for a direction with records in flight; "
	       "%.1f MB of these\n",
		b->plan->capture, (double)(bytes - openers) / b->plan->conns, env->opener_stride,
		(double)openers / 1e6);
}

/* The report. */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorted, so that the first is the least. @return the one in the middle. */
static double median(double *v, uint32_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static void prove(const struct bench *b)
{
	uint64_t bad = 0;

	if (b->plan->lost)
		printf("  %lu holes, %lu of them over a header\n", (unsigned long)b->pl.count.gaps,
			(unsigned long)b->pl.count.resyncs);

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
		(bad && !b->plan->lost) || !b->pl.count.records_decrypted ? "  FAILED" : "");
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
	double ns;             /* a packet of the first, when nobody else was on its CPU */
};

static void run_round(
	struct bench *bs, uint32_t lost, struct opener *o, double hz, struct figures *f)
{
	const struct plan *plan = bs[0].plan;
	pthread_t thread[WORKERS_MAX];
	double seconds = 0;

	*f = (struct figures){ 0 };
	f->rx = floor_cycles(&bs[0], NOTHING, o);
	f->floor = o ? floor_cycles(&bs[0], OPENER, o) : f->rx;
	for (uint32_t w = 0; w < plan->workers; w++)
		restart(&bs[w]);
	for (uint32_t w = 0; w < plan->workers; w++)
		bs[w].lost = lost;
	for (uint32_t w = 1; w < plan->workers; w++)
		pthread_create(&thread[w], NULL, measure, &bs[w]);
	measure(&bs[0]);
	for (uint32_t w = 1; w < plan->workers; w++)
		pthread_join(thread[w], NULL);
	f->ns = (double)bs[0].busy_ns / (double)bs[0].packets;
	for (uint32_t w = 0; w < plan->workers; w++) {
		seconds = (double)bs[w].cycles / hz;
		f->gbps += (double)bs[w].bytes * 8 / seconds / 1e9;
		f->mpps += (double)bs[w].packets / seconds / 1e6;
		f->all += (double)bs[w].cycles / (double)bs[w].packets / plan->workers;
	}
}

/* Of all rounds, and of the one in which the other programs on this machine cost least. */
static void report(const struct plan *plan, const struct figures *f)
{
	double rx[ROUNDS_MAX], low[ROUNDS_MAX], all[ROUNDS_MAX], share[ROUNDS_MAX];
	double mpps[ROUNDS_MAX], gbps[ROUNDS_MAX], frame = (double)template.bytes / template.n;
	uint32_t n = plan->rounds;

	for (uint32_t i = 0; i < n; i++) {
		rx[i] = f[i].rx;
		low[i] = f[i].floor;
		all[i] = f[i].all;
		mpps[i] = f[i].mpps;
		gbps[i] = f[i].gbps;
		share[i] = low[i] / all[i];
	}
	printf("  %u worker%s, %u connections each, %.0f bytes a packet on average\n",
		plan->workers, plan->workers == 1 ? "" : "s", plan->conns, frame);
	printf("  cycles a packet: source alone %.0f, source + opening %.0f, pipeline %.0f\n",
		median(rx, n), median(low, n), median(all, n));
	printf("  pipeline %.2f Mpps, %.1f Gbps; %.2f of the floor; all but opening %.0f cycles\n",
		median(mpps, n), median(gbps, n), median(share, n), all[n / 2] - low[n / 2]);
	printf("  least of %u: %.0f, %.0f, %.0f; %.2f Mpps, %.1f Gbps; %.2f; %.0f\n", n, rx[0],
		low[0], all[0], mpps[n - 1], gbps[n - 1], low[0] / all[0], all[0] - low[0]);
}

/* Each round without loss is compared with the one with loss that followed it. */
static void report_loss(const struct plan *plan, const struct figures *f, const struct figures *g)
{
	double ns[ROUNDS_MAX], ratio[ROUNDS_MAX];

	for (uint32_t i = 0; i < plan->rounds; i++) {
		ns[i] = g[i].ns;
		ratio[i] = f[i].ns / g[i].ns;
	}
	printf("  one packet of %u lost: %.0f ns a packet that is there, %.2f of the speed without\n",
		plan->lost, median(ns, plan->rounds), median(ratio, plan->rounds));
}

static bool parse(struct plan *p, int argc, char **argv)
{
	enum { BACKEND = 'b', PRINTS = 'p', COLD = 'c' };
	uint32_t *const number[] = { &p->conns, &p->group, &p->warm, &p->mbytes, &p->workers,
		&p->ms, &p->cpu, &p->lost, &p->rounds };
	const struct option longs[] = { { "conns", 1, NULL, 0 }, { "group", 1, NULL, 1 },
		{ "warm", 1, NULL, 2 }, { "mbytes", 1, NULL, 3 }, { "workers", 1, NULL, 4 },
		{ "ms", 1, NULL, 5 }, { "cpu", 1, NULL, 6 }, { "lost", 1, NULL, 7 },
		{ "rounds", 1, NULL, 8 }, { "backend", 1, NULL, BACKEND },
		{ "prints", 0, NULL, PRINTS }, { "cold", 0, NULL, COLD }, { 0 } };

	for (int at; (at = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		if (at == '?')
			return false;
		if (at == BACKEND)
			p->backend = optarg;
		else if (at == PRINTS)
			p->prints = true;
		else if (at == COLD)
			p->cold = true;
		else
			*number[at] = (uint32_t)strtoul(optarg, NULL, 10);
	}
	if (argc - optind != 2)
		return false;
	p->capture = argv[optind];
	p->keys = argv[optind + 1];
	return p->conns && p->group && p->workers && p->workers <= WORKERS_MAX && p->ms &&
		p->mbytes && p->rounds && p->rounds <= ROUNDS_MAX;
}

int main(int argc, char **argv)
{
	static struct bench bs[WORKERS_MAX];
	static struct plan plan = { .conns = 1000,
		.group = 12,
		.warm = 12,
		.mbytes = 8,
		.workers = 1,
		.ms = 200,
		.rounds = 9 };
	struct figures f[ROUNDS_MAX], g[ROUNDS_MAX];
	struct opener *o = NULL;
	bool foreign;
	uint64_t before;
	double hz = tsc_hz();

	if (!parse(&plan, argc, argv)) {
		fputs("usage: bench_pipeline [--conns N] [--group PACKETS] [--warm PACKETS] [--mbytes N]\n"
		      "       [--workers N] [--cpu N] [--ms N] [--rounds N] [--backend NAME] [--lost ONE-OF] [--prints] [--cold]\n"
		      "       CAPTURE KEYLOG\n"
		      "CAPTURE may be `foreign`: frames of 60 bytes that nobody decrypts.\n",
			stderr);
		return 2;
	}
	foreign = !strcmp(plan.capture, "foreign");
	if (foreign) {
		template_foreign();
		keys = keytab_init(reserve(1 << 20), &(struct keytab_cfg){ .max_entries = 64 });
	} else {
		template_load(plan.capture);
		load_keys(plan.keys);
		o = find_keys(&plan);
	}
	for (uint32_t w = 0; w < plan.workers; w++)
		start(&bs[w], &plan, (int)(plan.cpu + w));
	before = resident();
	warm_up(&bs[0]);
	report_memory(&bs[0], resident() - before);
	for (uint32_t i = 0; i < plan.rounds; i++) {
		run_round(bs, 0, o, hz, &f[i]);
		if (plan.lost)
			run_round(bs, plan.lost, o, hz, &g[i]);
	}
	report(&plan, f);
	if (plan.lost)
		report_loss(&plan, f, g);
	for (uint32_t w = 0; w < plan.workers && !foreign; w++)
		prove(&bs[w]);
	return 0;
}
