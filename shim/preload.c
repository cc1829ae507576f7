/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The preloaded part: OpenSSL's functions that have to be met before OpenSSL itself. It is in every
 * process that a service starts, most of which never do TLS, so it does nothing until the first
 * SSL_CTX is made, and needs nothing but libc.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "shim/cleartap-shim.h"
#include "shim/guest.h"
#include "shim/load.h"
#include "shim/report.h"

#define EXPORT __attribute__((visibility("default")))

/* Bytes that OpenSSL collects before it writes: a first flight with most chains of certificates. */
#define FLIGHT 32768

enum real {
#define REAL(name, library) REAL_##name,
#include "shim/real.def"
#undef REAL
	REALS
};

static const struct {
	const char *name, *library;
} reals[REALS] = {
#define REAL(name, library) { #name, library },
#include "shim/real.def"
#undef REAL
};

static _Atomic(void *) found[REALS];
static _Atomic(const struct guest *) guest;
static char *values[SETTINGS];

/*
 * The function behind an interposed one. A library that was opened with dlopen() (Python's ssl module
 * does that to libssl) is not in the scope that RTLD_NEXT searches.
 */
static void *real(enum real which)
{
	const char *name = reals[which].name;
	void *f = atomic_load_explicit(&found[which], memory_order_acquire), *lib;

	if (f)
		return f;
	f = dlvsym(RTLD_NEXT, name, "OPENSSL_3.0.0");
	if (!f && (lib = dlopen(reals[which].library, RTLD_NOLOAD | RTLD_LAZY)))
		f = dlvsym(lib, name, "OPENSSL_3.0.0"); /* kept open: the pointer is kept as well */
	if (f)
		atomic_store_explicit(&found[which], f, memory_order_release);
	return f;
}

#define CALL(name) ((__typeof__(name) *)real(REAL_##name))

static const struct guest *present(void)
{
	return atomic_load_explicit(&guest, memory_order_acquire);
}

/*
 * Hosts rewrite their environment: nginx empties it for its workers, and writes titles over where it
 * lay. So it is copied as soon as the process begins.
 */
static void copy_environment(void)
{
	const char *value = secure_getenv(settings_name(SETTING_redis));

	if (!value || !*value)
		return;
	for (int i = 0; i < SETTINGS; i++) {
		value = secure_getenv(settings_name((enum setting)i));
		values[i] = value ? strdup(value) : NULL;
	}
	report_to(values[SETTING_debug]);
	load_locate();
}

static pthread_once_t environment = PTHREAD_ONCE_INIT, arrival = PTHREAD_ONCE_INIT;

__attribute__((constructor)) static void begin(void)
{
	pthread_once(&environment, copy_environment);
}

static __thread bool arriving; /* the guest makes contexts of its own while it arrives */

static void arrive_once(void)
{
	static struct guest_host host;

	begin(); /* a constructor of another library may be here first */
	if (!values[SETTING_redis])
		return;
	host.values = (const char *const *)values;
	host.set_keylog = CALL(SSL_CTX_set_keylog_callback);
	host.ctx_callback_ctrl = CALL(SSL_CTX_callback_ctrl);
	if (host.set_keylog && host.ctx_callback_ctrl)
		atomic_store_explicit(&guest, load_guest(&host), memory_order_release);
}

static const struct guest *arrive(void)
{
	if (!arriving) {
		arriving = true;
		pthread_once(&arrival, arrive_once);
		arriving = false;
	}
	return present();
}

/* Without its guest a process that is to abort makes no context. */
static SSL_CTX *attach(SSL_CTX *ctx)
{
	const struct guest *g = ctx ? arrive() : NULL;

	if (g)
		g->attach(ctx);
	else if (ctx && !arriving && values[SETTING_redis] &&
		settings_abort(values[SETTING_on_fail])) {
		CALL(SSL_CTX_free)(ctx);
		return NULL;
	}
	return ctx;
}

EXPORT int cleartap_shim_attach(SSL_CTX *ctx)
{
	const struct guest *g = arrive();

	return g ? g->attach(ctx) : -ENOENT;
}

EXPORT SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
	__typeof__(SSL_CTX_new) *f = CALL(SSL_CTX_new);

	return f ? attach(f(method)) : NULL;
}

EXPORT SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *libctx, const char *propq, const SSL_METHOD *method)
{
	__typeof__(SSL_CTX_new_ex) *f = CALL(SSL_CTX_new_ex);

	return f ? attach(f(libctx, propq, method)) : NULL;
}

EXPORT void SSL_CTX_set_keylog_callback(SSL_CTX *ctx, SSL_CTX_keylog_cb_func cb)
{
	__typeof__(SSL_CTX_set_keylog_callback) *f = CALL(SSL_CTX_set_keylog_callback);
	const struct guest *g = present();

	if (!(g && g->set_keylog(ctx, cb)) && f)
		f(ctx, cb);
}

EXPORT SSL_CTX_keylog_cb_func SSL_CTX_get_keylog_callback(const SSL_CTX *ctx)
{
	__typeof__(SSL_CTX_get_keylog_callback) *f = CALL(SSL_CTX_get_keylog_callback);
	const struct guest *g = present();
	SSL_CTX_keylog_cb_func cb;

	if (g && g->get_keylog(ctx, &cb))
		return cb;
	return f ? f(ctx) : NULL;
}

EXPORT void SSL_CTX_set_msg_callback(SSL_CTX *ctx, guest_msg_cb cb)
{
	__typeof__(SSL_CTX_set_msg_callback) *f = CALL(SSL_CTX_set_msg_callback);
	const struct guest *g = present();

	if (!(g && g->set_ctx_msg(ctx, cb)) && f)
		f(ctx, cb);
}

EXPORT void SSL_set_msg_callback(SSL *ssl, guest_msg_cb cb)
{
	__typeof__(SSL_set_msg_callback) *f = CALL(SSL_set_msg_callback);
	const struct guest *g = present();

	if (!(g && g->set_msg(ssl, cb)) && f)
		f(ssl, cb);
}

EXPORT long SSL_CTX_callback_ctrl(SSL_CTX *ctx, int cmd, void (*fp)(void))
{
	__typeof__(SSL_CTX_callback_ctrl) *f = CALL(SSL_CTX_callback_ctrl);
	const struct guest *g = present();

	if (cmd == SSL_CTRL_SET_MSG_CALLBACK && g && g->set_ctx_msg(ctx, (guest_msg_cb)fp))
		return 1;
	return f ? f(ctx, cmd, fp) : 0;
}

EXPORT long SSL_callback_ctrl(SSL *ssl, int cmd, void (*fp)(void))
{
	__typeof__(SSL_callback_ctrl) *f = CALL(SSL_callback_ctrl);
	const struct guest *g = present();

	if (cmd == SSL_CTRL_SET_MSG_CALLBACK && g && g->set_msg(ssl, (guest_msg_cb)fp))
		return 1;
	return f ? f(ssl, cmd, fp) : 0;
}

EXPORT int EVP_KDF_derive(EVP_KDF_CTX *ctx, uint8_t *key, size_t len, const OSSL_PARAM params[])
{
	__typeof__(EVP_KDF_derive) *f = CALL(EVP_KDF_derive);
	const struct guest *g = present();
	int rc = f ? f(ctx, key, len, params) : 0;

	if (rc > 0 && g)
		g->derived(key, len, params);
	return rc;
}

/*
 * OpenSSL collects a flight in a buffer of 4096 bytes and writes whenever it is full: with a long
 * chain of certificates the ServerHello would leave before the keys are there. libssl sets a read
 * buffer of 1 byte on this BIO, and on no other; it gets room for a flight then.
 */
EXPORT long BIO_int_ctrl(BIO *b, int cmd, long larg, int iarg)
{
	__typeof__(BIO_int_ctrl) *f = CALL(BIO_int_ctrl);
	const struct guest *g = present();
	long rc = f ? f(b, cmd, larg, iarg) : 0;

	if (rc > 0 && cmd == BIO_C_SET_BUFF_SIZE && larg == 1 && iarg == 0 && g && !g->busy())
		f(b, cmd, FLIGHT, 1);
	return rc;
}
