/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Passwords and TLS settings, in somebody else's process: nothing of the host's OpenSSL configuration
 * is used or changed, and nothing is asked at a terminal.
 */
#include "keybus/access.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	return 0;
}

/* The first line, without its end. */
static int read_password(struct access *a, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, a->password, sizeof(a->password));
	close(fd);
	if (n < 0)
		return -errno;
	if (n == sizeof(a->password))
		return -E2BIG;
	a->password[n] = '\0';
	a->password[strcspn(a->password, "\r\n")] = '\0';
	return *a->password ? 0 : -ENODATA;
}

static int find_password(struct access *a, const struct access_cfg *cfg, char *why, size_t why_size)
{
	const char *path = cfg->password_file;
	const char *env = cfg->password ? cfg->password : secure_getenv("CLEARTAP_REDIS_PASSWORD");
	int rc = 0;

	if (path) {
		rc = read_password(a, path);
		if (rc)
			snprintf(why, why_size,
				"%s: %s; give a file whose first line is the password", path,
				strerror(-rc));
	} else if (env && strlen(env) >= sizeof(a->password)) {
		snprintf(why, why_size, "CLEARTAP_REDIS_PASSWORD is longer than %zu bytes",
			sizeof(a->password) - 1);
		rc = -E2BIG;
	} else if (env) {
		memcpy(a->password, env, strlen(env) + 1);
	}
	a->has_password = *a->password;
	return rc;
}

static int refuse(const char *path, const char *what, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s: %s", path, what);
	return -EINVAL;
}

static int load_tls(SSL_CTX *tls, const struct access_cfg *cfg, char *why, size_t why_size)
{
	if (cfg->ca && SSL_CTX_load_verify_file(tls, cfg->ca) != 1)
		return refuse(cfg->ca, "no CA certificates in PEM", why, why_size);
	if (!cfg->ca && SSL_CTX_set_default_verify_paths(tls) != 1)
		return refuse(
			"CA", "the system has no CA certificates; name a file", why, why_size);
	if (!cfg->cert != !cfg->key)
		return refuse(cfg->cert ? cfg->cert : cfg->key,
			"certificate and key are needed together", why, why_size);
	if (cfg->cert && SSL_CTX_use_certificate_chain_file(tls, cfg->cert) != 1)
		return refuse(cfg->cert, "no certificate in PEM", why, why_size);
	if (cfg->key && SSL_CTX_use_PrivateKey_file(tls, cfg->key, SSL_FILETYPE_PEM) != 1)
		return refuse(cfg->key,
			"no private key in PEM, without a passphrase, for the certificate", why,
			why_size);
	return 0;
}

static int open_tls(struct access *a, const struct access_cfg *cfg, char *why, size_t why_size)
{
	a->tls = SSL_CTX_new_ex(a->lib, NULL, TLS_client_method());
	if (!a->tls) {
		snprintf(why, why_size, "OpenSSL gives no TLS context");
		return -ENOMEM;
	}
	SSL_CTX_set_default_passwd_cb(a->tls, no_passphrase);
	SSL_CTX_set_min_proto_version(a->tls, TLS1_2_VERSION);
	SSL_CTX_set_verify(a->tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(a->tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(
		a->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return load_tls(a->tls, cfg, why, why_size);
}

int access_new(
	struct access **out, const struct access_cfg *cfg, bool tls, char *why, size_t why_size)
{
	struct access *a = calloc(1, sizeof(*a));
	int rc;

	*out = NULL;
	if (a)
		a->lib = OSSL_LIB_CTX_new();
	if (!a || !a->lib) {
		snprintf(why, why_size, "no memory");
		free(a);
		return -ENOMEM;
	}
	ERR_set_mark();
	rc = find_password(a, cfg, why, why_size);
	if (!rc && tls)
		rc = open_tls(a, cfg, why, why_size);
	ERR_pop_to_mark();
	if (rc) {
		access_free(a);
		return rc;
	}
	*out = a;
	return 0;
}

void access_free(struct access *a)
{
	if (!a)
		return;
	SSL_CTX_free(a->tls);
	OSSL_LIB_CTX_free(a->lib);
	OPENSSL_cleanse(a, sizeof(*a));
	free(a);
}
