/* SPDX-License-Identifier: BSD-3-Clause */
/* The hold: a handshake stands still here until its keys are where they are needed. */
#include "shim/deliver.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "keybus/push.h"
#include "shim/report.h"
#include "shim/tally.h"

static const struct {
	enum tally tally;
	const char *text;
} results[] = {
	[PUSH_ACKED] = { TALLY_acked, "keys are acknowledged by the sensor" },
	[PUSH_STORED] = { TALLY_stored, "keys are stored" },
	[PUSH_TIMEOUT] = { TALLY_timeout, "nobody acknowledges keys in time" },
	[PUSH_DOWN] = { TALLY_down, "Redis cannot be reached" },
	[PUSH_REFUSED] = { TALLY_refused, "Redis refuses keys: see its log and ACL" },
};

static struct push *push;
static enum push_ack wanted;
static char host[65];
static atomic_int last = -1;

/* CHOICE() numbers the words in the order of enum push_ack. */
_Static_assert(PUSH_ACK_SENSOR == 0 && PUSH_ACK_CACHE == 1 && PUSH_ACK_NONE == 2,
	"sensor|cache|none of settings.def");

int deliver_begin(const struct settings *s, char *why, size_t why_size)
{
	const struct push_cfg cfg = {
		.servers = s->redis,
		.ca = s->redis_ca,
		.cert = s->redis_cert,
		.key = s->redis_key,
		.password_file = s->redis_password_file,
		.password = s->redis_password,
		.seal = s->seal,
		.ack = (enum push_ack)s->ack,
		.acks = s->acks,
		.hold_ms = s->hold_ms,
		.ttl_s = s->ttl_s,
	};

	wanted = cfg.ack;
	if (gethostname(host, sizeof(host) - 1) < 0)
		snprintf(host, sizeof(host), "localhost");
	return push_new(&push, &cfg, why, why_size);
}

void deliver_after_fork(void)
{
	if (push)
		push_after_fork(push);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void count(enum push_result result, uint64_t us)
{
	tally_add(results[result].tally, 1);
	tally_add(TALLY_hold_us, us);
	tally_max(TALLY_hold_max_us, us);
	if (atomic_exchange(&last, (int)result) != (int)result)
		report_say("%s", results[result].text);
}

bool deliver(const struct shake *s, const struct peer *peer)
{
	char origin[sizeof(host) + 16], text[SHAKE_TEXT_MAX];
	uint64_t start = now_us();
	enum push_result result;
	size_t len;

	snprintf(origin, sizeof(origin), "%s/%d", host, (int)getpid());
	len = shake_text(s, peer, origin, text);
	result = len ? push_send(push, s->random, text, len) : PUSH_REFUSED;
	OPENSSL_cleanse(text, sizeof(text));
	count(result, now_us() - start);
	return result == PUSH_ACKED || (result == PUSH_STORED && wanted != PUSH_ACK_SENSOR);
}
