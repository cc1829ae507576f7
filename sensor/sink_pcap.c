/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plaintext as a capture file: every decrypted connection retold as a clear one between the same
 * endpoints, for every tool that reads captures and none that reads keys.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "out.h"
#include "sink.h"
#include "write/frames.h"
#include "write/pcapng.h"

struct pcap {
	struct frames *conns; /* by conn_view.index; untouched where there never was text */
	struct out out;
};

static int pcap_open(const char *arg, uint32_t max_conns, void **out)
{
	struct pcap *p = calloc(1, sizeof(*p));
	struct wr w;
	int rc;

	if (!p || !(p->conns = calloc(max_conns, sizeof(*p->conns)))) {
		fprintf(stderr, "cleartap: no memory for a capture of %u connections\n", max_conns);
		free(p);
		return -ENOMEM;
	}
	rc = out_open(&p->out, arg, O_TRUNC);
	if (rc) {
		free(p->conns);
		free(p);
		return rc;
	}
	w = out_room(&p->out, 512);
	pcapng_begin(&w, "cleartap " CLEARTAP_VERSION);
	out_done(&p->out, &w);
	*out = p;
	return 0;
}

static void drain(struct pcap *p, struct frames *f, uint64_t ts_ns)
{
	uint8_t frame[FRAMES_MAX];
	size_t len;

	while ((len = frames_next(f, frame))) {
		struct wr w = out_room(&p->out, PCAPNG_PACKET_BYTES(FRAMES_MAX));

		pcapng_packet(&w, ts_ns, frame, (uint32_t)len);
		out_done(&p->out, &w);
	}
}

static void pcap_text(void *sink, const struct conn_view *v, const struct text *t)
{
	struct pcap *p = sink;
	struct frames *f = &p->conns[v->index];

	if (!t->len)
		return;
	if (!frames_begun(f))
		frames_init(f, &v->conn->key, sink_client(v->conn), v->conn->id, FRAMES_MTU);
	frames_text(f, t->dir, t->data, t->len);
	drain(p, f, v->ts_ns);
}

static void pcap_anomaly(
	void *sink, const struct conn_view *v, int dir, enum verdict why, uint64_t missing)
{
	struct pcap *p = sink;

	if (missing)
		frames_gap(&p->conns[v->index], dir, missing);
}

/* A connection that was only lost sight of is ended with FINs, so that its reader can let it go. */
static void pcap_end(void *sink, const struct conn_view *v, enum conn_end why)
{
	struct pcap *p = sink;
	struct frames *f = &p->conns[v->index];
	uint8_t flag = why == END_RST ? TCP_RST : TCP_FIN;

	if (!frames_begun(f))
		return;
	frames_end(f, v->conn->tcp_flags[sink_client(v->conn)] & flag ? C2S : S2C, why == END_RST);
	drain(p, f, v->ts_ns);
	*f = (struct frames){ 0 };
}

static int pcap_close(void *sink)
{
	struct pcap *p = sink;
	int rc = out_close(&p->out);

	free(p->conns);
	free(p);
	return rc;
}

const struct sink_ops sink_pcap = {
	.scheme = "pcap",
	.arg = "FILE|-",
	.help = "plaintext as clear TCP connections in a pcapng file",
	.open = pcap_open,
	.text = pcap_text,
	.anomaly = pcap_anomaly,
	.end = pcap_end,
	.close = pcap_close,
};
