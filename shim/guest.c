/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest: it lives in OpenSSL's callbacks, beside those of its host. Everything here runs inside a
 * call that the host made to OpenSSL, so it must leave behind nothing that the host could notice but
 * time: not errno, not an entry in the error queue, not a signal.
 */
#include "shim/guest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shim/deliver.h"
#include "shim/report.h"
#include "shim/scope_list.h"
#include "shim/shake.h"
#include "shim/tally.h"

/* Beside an SSL_CTX: the host's own callbacks, which ours call. */
struct context {
	SSL_CTX_keylog_cb_func keylog;
	guest_msg_cb msg;
};

/* Beside an SSL. */
struct conn {
	guest_msg_cb msg;      /* the host's own */
	struct shake *shake;   /* while a handshake is under way */
	struct peer peer;      /* of that handshake */
	bool judged, withheld; /* whether it is in scope */
};

/* The last output of HKDF-Extract in this thread; shake_line() finds out whose it is. */
struct extract {
	size_t len;
	uint8_t data[MD_MAX];
};

static const struct guest_host *host;
static struct settings settings;
static struct scope_list only, except;
static int context_index, conn_index;
static bool shut; /* it cannot begin, and is to abort then: no handshake gets through */
static __thread bool busy;
static __thread struct extract extract;

/* What of the host's is kept while the guest is at work. */
struct manners {
	int saved_errno;
	int cancel;
};

static struct manners enter(void)
{
	struct manners m = { .saved_errno = errno };

	busy = true;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &m.cancel);
	ERR_set_mark();
	return m;
}

static void leave(const struct manners *m)
{
	ERR_pop_to_mark();
	pthread_setcancelstate(m->cancel, NULL);
	busy = false;
	errno = m->saved_errno;
}

static bool is_busy(void)
{
	return busy;
}

static void forget_shake(struct conn *c)
{
	if (c->shake) {
		shake_fini(c->shake);
		free(c->shake);
	}
	c->shake = NULL;
}

/* Before a read or a write: it fails, for good. shape: parameters, OpenSSL's */
static long refuse_io(BIO *b, int op, const char *data, size_t len, int argi, long argl, int rc,
	size_t *processed)
{
	if (op != BIO_CB_WRITE && op != BIO_CB_READ)
		return rc;
	BIO_clear_retry_flags(b);
	errno = ECONNABORTED;
	return -1;
}

/*
 * CLEARTAP_ON_FAIL=abort: not one more byte goes through this connection. The flight that was about
 * to be written fails with SSL_ERROR_SYSCALL, and OpenSSL does not get past it to application data,
 * whatever the host tries. A callback, because the host may hold pointers to its BIO.
 */
static void refuse(SSL *ssl)
{
	tally_add(TALLY_aborted, 1);
	if (SSL_get_wbio(ssl))
		BIO_set_callback_ex(SSL_get_wbio(ssl), refuse_io);
	if (SSL_get_rbio(ssl))
		BIO_set_callback_ex(SSL_get_rbio(ssl), refuse_io);
}

static void fail(SSL *ssl)
{
	if (settings.on_fail)
		refuse(ssl);
}

/* Where something is not known, keys stay here. */
static bool in_scope(SSL *ssl, struct conn *c)
{
	const struct peer *p = &c->peer;

	if (c->judged)
		return !c->withheld;
	peer_of(&c->peer, SSL_get_rfd(ssl), SSL_is_server(ssl));
	c->judged = true;
	c->withheld = !scope_permits(&only.scope, &except.scope, p->known ? &p->client : NULL,
		p->known ? &p->server : NULL, c->shake->sni);
	tally_add(c->withheld ? TALLY_withheld : TALLY_handshakes, 1);
	return !c->withheld;
}

static void act(SSL *ssl, struct conn *c, unsigned news)
{
	if (news & SHAKE_DISAGREES) {
		if (!tally_get(TALLY_disagreed))
			report_say("OpenSSL derived other secrets than the shim; its own are used");
		tally_add(TALLY_disagreed, 1);
	}
	if ((news & SHAKE_READY) && in_scope(ssl, c)) {
		if (news & SHAKE_LATE)
			tally_add(TALLY_late, 1);
		if (!deliver(c->shake, &c->peer))
			fail(ssl);
	}
	if (news & SHAKE_DONE)
		forget_shake(c);
}

static bool start(SSL *ssl, struct conn *c)
{
	if (!c->shake)
		c->shake = malloc(sizeof(*c->shake));
	if (!c->shake) {
		tally_add(TALLY_no_memory, 1);
		fail(ssl);
		return false;
	}
	shake_init(c->shake, SSL_is_server(ssl));
	c->judged = false;
	return true;
}

static void follow_message(SSL *ssl, struct conn *c, bool sent, struct rd message)
{
	struct manners m = enter();

	if (!shake_begins(c->shake, message) || start(ssl, c))
		if (c->shake)
			act(ssl, c, shake_message(c->shake, sent, message));
	leave(&m);
}

/* shape: parameters, OpenSSL's */
static void on_message(
	int sent, int version, int type, const void *data, size_t len, SSL *ssl, void *arg)
{
	struct conn *c = SSL_get_ex_data(ssl, conn_index);

	if (c && c->msg)
		c->msg(sent, version, type, data, len, ssl, arg);
	if (type != SSL3_RT_HANDSHAKE || busy || SSL_is_dtls(ssl))
		return;
	if (c && !shut)
		follow_message(ssl, c, sent, rd_init(data, len));
	else
		fail(ssl); /* there was no memory, or the context was attached too late; or shut */
}

static void follow_line(SSL *ssl, struct conn *c, const char *text)
{
	struct manners m = enter();
	struct keylog_line line;

	if (keylog_parse(text, strlen(text), &line) == V_OK &&
		(c->shake || line.label == KEY_MASTER) && (c->shake || start(ssl, c)))
		act(ssl, c, shake_line(c->shake, &line, extract.data, extract.len));
	OPENSSL_cleanse(&line, sizeof(line));
	OPENSSL_cleanse(&extract, sizeof(extract));
	leave(&m);
}

static void on_line(const SSL *ssl, const char *text)
{
	struct context *ctx = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index);
	struct conn *c = SSL_get_ex_data(ssl, conn_index);

	if (ctx && ctx->keylog)
		ctx->keylog(ssl, text);
	if (c && !busy && !shut && !SSL_is_dtls(ssl))
		follow_line((SSL *)(uintptr_t)ssl, c, text);
}

static void derived(const uint8_t *out, size_t len, const OSSL_PARAM params[])
{
	const OSSL_PARAM *mode;
	int value;

	if (busy || !out || !params || len > sizeof(extract.data))
		return;
	mode = OSSL_PARAM_locate_const(params, OSSL_KDF_PARAM_MODE);
	if (!mode || mode->data_type != OSSL_PARAM_INTEGER || !OSSL_PARAM_get_int(mode, &value) ||
		value != EVP_KDF_HKDF_MODE_EXTRACT_ONLY)
		return;
	extract.len = len;
	memcpy(extract.data, out, len);
}

/* Called by SSL_new(). */
static void conn_new(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	SSL_CTX *of = SSL_get_SSL_CTX(parent);
	struct context *ctx = of ? SSL_CTX_get_ex_data(of, context_index) : NULL;
	struct conn *c = ctx && !busy ? calloc(1, sizeof(*c)) : NULL;

	if (c) {
		c->msg = ctx->msg;
		CRYPTO_set_ex_data(ad, index, c);
	}
}

/* SSL_dup() copies the message callback of its model to an SSL that has a conn of its own. */
static int conn_dup(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **ptr, int index,
	long argl, void *argp)
{
	struct conn *c = CRYPTO_get_ex_data(to, index), *model = *ptr;

	if (c && model)
		c->msg = model->msg;
	*ptr = c;
	return 1;
}

static void conn_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	struct conn *c = ptr;

	if (c)
		forget_shake(c);
	free(c);
}

static void context_free(
	void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	free(ptr);
}

static int attach(SSL_CTX *ctx)
{
	struct context *c;

	if (busy || SSL_CTX_get_ex_data(ctx, context_index))
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c || !SSL_CTX_set_ex_data(ctx, context_index, c)) {
		free(c);
		tally_add(TALLY_no_memory, 1);
		return -ENOMEM;
	}
	c->keylog = SSL_CTX_get_keylog_callback(ctx);
	host->set_keylog(ctx, on_line);
	/* Not SSL_CTX_set_msg_callback(), which comes back through the PLT: for the host's own. */
	host->ctx_callback_ctrl(ctx, SSL_CTRL_SET_MSG_CALLBACK, (void (*)(void))on_message);
	return 0;
}

static bool set_keylog(SSL_CTX *ctx, SSL_CTX_keylog_cb_func cb)
{
	struct context *c = ctx ? SSL_CTX_get_ex_data(ctx, context_index) : NULL;

	if (c)
		c->keylog = cb;
	return c;
}

static bool get_keylog(const SSL_CTX *ctx, SSL_CTX_keylog_cb_func *cb)
{
	struct context *c = ctx ? SSL_CTX_get_ex_data(ctx, context_index) : NULL;

	if (c)
		*cb = c->keylog;
	return c;
}

static bool set_ctx_msg(SSL_CTX *ctx, guest_msg_cb cb)
{
	struct context *c = ctx ? SSL_CTX_get_ex_data(ctx, context_index) : NULL;

	if (c)
		c->msg = cb;
	return c;
}

static bool set_msg(SSL *ssl, guest_msg_cb cb)
{
	struct conn *c = ssl ? SSL_get_ex_data(ssl, conn_index) : NULL;

	if (c)
		c->msg = cb;
	return c;
}

static void in_child(void)
{
	tally_reset();
	deliver_after_fork();
}

__attribute__((destructor)) static void end(void)
{
	tally_report();
}

/* Our places beside OpenSSL's objects. */
static int settle_in(char *why, size_t why_size)
{
	int rc;

	context_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, context_free);
	conn_index = SSL_get_ex_new_index(0, NULL, conn_new, conn_dup, conn_free);
	rc = context_index < 0 || conn_index < 0 ? -ENOMEM : -pthread_atfork(NULL, NULL, in_child);
	if (rc < 0)
		snprintf(why, why_size, "out of memory");
	return rc;
}

static int begin(char *why, size_t why_size)
{
	int rc = settings_parse(&settings, host->values, why, why_size);

	if (rc == 0)
		rc = scope_list_parse(&only, settings.only, why, why_size);
	if (rc == 0)
		rc = scope_list_parse(&except, settings.except, why, why_size);
	if (rc == 0)
		rc = deliver_begin(&settings, why, why_size);
	return rc;
}

__attribute__((visibility("default"))) const struct guest *guest_enter(const struct guest_host *h)
{
	static const struct guest guest = {
		.attach = attach,
		.derived = derived,
		.set_keylog = set_keylog,
		.get_keylog = get_keylog,
		.set_ctx_msg = set_ctx_msg,
		.set_msg = set_msg,
		.busy = is_busy,
	};
	char why[256] = "";
	struct manners m = enter();
	int settled, rc;

	host = h;
	report_to(h->values[SETTING_debug]);
	settled = settle_in(why, sizeof(why));
	rc = settled < 0 ? settled : begin(why, sizeof(why));
	leave(&m);
	if (rc < 0) {
		shut = settings_abort(h->values[SETTING_on_fail]);
		settings.on_fail = shut;
		report_say("%s: %s", shut ? "every handshake is refused" : "nothing is sent", why);
	}
	return rc < 0 && (settled < 0 || !shut) ? NULL : &guest;
}
