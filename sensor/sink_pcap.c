/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plaintext as a capture file: every decrypted connection retold as a clear one between the same
 * endpoints, for every tool that reads captures and none that reads keys. A file that is full is put
 * aside under a number and another one begun: connections go on in there.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "out.h"
#include "retell.h"
#include "sink.h"
#include "write/pcapng.h"

struct pcap {
	struct retell retell;
	struct out out;
	char *path;
	uint64_t max;     /* bytes of a file; 0: any number */
	uint64_t written; /* of this one */
	unsigned number;  /* of the file that was put aside last */
};

static void begin(struct pcap *p)
{
	struct wr w = out_room(&p->out, 512);

	pcapng_begin(&w, "cleartap " CLEARTAP_VERSION);
	out_done(&p->out, &w);
	p->written = 0;
}

/* Files of earlier runs stay; what is no file, /dev/null or a FIFO, is not ours to rename. */
static int put_aside(struct pcap *p)
{
	char aside[PATH_MAX];
	struct stat st;
	int rc = lstat(p->path, &st);

	if (!rc && !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		rc = -1;
	}
	if (rc)
		return rc;
	do {
		snprintf(aside, sizeof(aside), "%s.%u", p->path, ++p->number);
		rc = renameat2(AT_FDCWD, p->path, AT_FDCWD, aside, RENAME_NOREPLACE);
	} while (rc && errno == EEXIST);
	return rc;
}

static void rotate(struct pcap *p)
{
	if (put_aside(p)) {
		fprintf(stderr, "cleartap: %s cannot be put aside: %s; it grows on\n", p->path,
			strerror(errno));
		p->max = 0;
	} else if (!out_reopen(&p->out, O_TRUNC)) {
		begin(p);
	}
}

static void emit(void *arg, uint64_t ts_ns, const uint8_t *frame, uint32_t len)
{
	struct pcap *p = arg;
	struct wr w = out_room(&p->out, PCAPNG_PACKET_BYTES(FRAMES_MAX));

	pcapng_packet(&w, ts_ns, frame, len);
	out_done(&p->out, &w);
	p->written += PCAPNG_PACKET_BYTES(len);
	if (p->max && p->written >= p->max)
		rotate(p);
}

/* "FILE,max=SIZE", SIZE with K, M or G. */
static int parse(struct pcap *p, const char *arg)
{
	static const char units[] = "KMG";
	char *comma, *end;
	const char *unit;

	p->path = strdup(arg ? arg : "-");
	comma = p->path ? strrchr(p->path, ',') : NULL;
	if (!comma || strncmp(comma, ",max=", 5) != 0)
		return p->path ? 0 : -ENOMEM;
	*comma = '\0';
	p->max = strtoull(comma + 5, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit)
		p->max <<= 10 * (unit - units + 1);
	if (p->max && !end[unit != NULL] && strcmp(p->path, "-") != 0)
		return 0;
	fprintf(stderr, "cleartap: --out pcap:%s: give max=SIZE of a file, as in max=100M\n", arg);
	return -EINVAL;
}

static int pcap_open(const char *arg, uint32_t max_conns, void **out)
{
	struct pcap *p = calloc(1, sizeof(*p));
	int rc;

	if (!p) {
		fputs("cleartap: no memory for a capture\n", stderr);
		return -ENOMEM;
	}
	p->retell.emit = emit;
	p->retell.arg = p;
	rc = parse(p, arg);
	if (!rc)
		rc = retell_init(&p->retell, max_conns);
	if (!rc)
		rc = out_open(&p->out, p->path, O_TRUNC);
	if (rc) {
		retell_fini(&p->retell);
		free(p->path);
		free(p);
		return rc;
	}
	begin(p);
	*out = p;
	return 0;
}

static void pcap_text(void *sink, const struct conn_view *v, const struct text *t)
{
	struct pcap *p = sink;

	retell_text(&p->retell, v, t);
}

static void pcap_anomaly(
	void *sink, const struct conn_view *v, int dir, enum verdict why, uint64_t missing)
{
	struct pcap *p = sink;

	retell_anomaly(&p->retell, v, dir, missing);
}

static void pcap_missed(void *sink, const struct conn_view *v, int dir, uint64_t bytes)
{
	struct pcap *p = sink;

	retell_anomaly(&p->retell, v, dir, bytes);
}

static void pcap_end(void *sink, const struct conn_view *v, enum conn_end why)
{
	struct pcap *p = sink;

	retell_end(&p->retell, v, why);
}

static void pcap_tick(void *sink)
{
	struct pcap *p = sink;

	out_tick(&p->out);
}

static void pcap_meter(void *sink, uint64_t *lost)
{
	struct pcap *p = sink;

	out_meter(&p->out, lost);
}

/* A file that was not renamed gets another section. */
static int pcap_reopen(void *sink)
{
	struct pcap *p = sink;
	int rc = out_reopen(&p->out, O_APPEND);

	if (!rc)
		begin(p);
	return rc;
}

static int pcap_close(void *sink)
{
	struct pcap *p = sink;
	int rc = out_close(&p->out);

	retell_fini(&p->retell);
	free(p->path);
	free(p);
	return rc;
}

const struct sink_ops sink_pcap = {
	.scheme = "pcap",
	.arg = "FILE|-[,max=SIZE]",
	.help = "plaintext as clear TCP connections in a pcapng file",
	.open = pcap_open,
	.text = pcap_text,
	.anomaly = pcap_anomaly,
	.missed = pcap_missed,
	.end = pcap_end,
	.tick = pcap_tick,
	.meter = pcap_meter,
	.reopen = pcap_reopen,
	.close = pcap_close,
};
