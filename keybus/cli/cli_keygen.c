/* SPDX-License-Identifier: BSD-3-Clause */
/* keygen and acl: what has to be there before keys can travel. Nothing that exists is overwritten. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "keybus/cli/cli.h"
#include "keybus/seal.h"

/* A new file of that mode. */
static FILE *create(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f)
		cli_fail("%s: %s", path, strerror(errno));
	return f;
}

static int close_file(FILE *f, const char *path, bool ok)
{
	if (fclose(f) || !ok) {
		unlink(path);
		return cli_fail("%s: cannot be written", path);
	}
	return CLI_OK;
}

static int write_pair(EVP_PKEY *key, const char *path, const char *pub)
{
	FILE *f = create(path, 0600);
	int rc;

	if (!f)
		return CLI_FAILED;
	rc = close_file(f, path, PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
	f = rc ? NULL : create(pub, 0644);
	if (!f)
		return CLI_FAILED;
	return close_file(f, pub, PEM_write_PUBKEY(f, key));
}

int cli_keygen(const struct cli *c)
{
	char pub[PATH_MAX], id[SEAL_ID_LEN + 1];
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	uint8_t pk[32];
	size_t n = sizeof(pk);
	int rc;

	if (snprintf(pub, sizeof(pub), "%s.pub", c->args[0]) >= (int)sizeof(pub))
		rc = cli_fail("the name is too long");
	else if (!key || EVP_PKEY_get_raw_public_key(key, pk, &n) <= 0)
		rc = cli_fail("OpenSSL makes no key");
	else
		rc = write_pair(key, c->args[0], pub);
	EVP_PKEY_free(key);
	if (rc)
		return rc;
	seal_key_id(NULL, pk, id);
	printf("%s: private key %s, for the sensor alone\n%s: public key %s, for those who seal\n",
		c->args[0], id, pub, id);
	return CLI_OK;
}

/* The first line of the file; if there is none, a new password is put into it. */
static int password(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	uint8_t raw[24];

	if (f) {
		bool read = fgets(out, (int)size, f);

		fclose(f);
		out[read ? strcspn(out, "\r\n") : 0] = '\0';
		return *out ? CLI_OK : cli_fail("%s: holds no password", path);
	}
	if (errno != ENOENT)
		return cli_fail("%s: %s", path, strerror(errno));
	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return cli_fail("OpenSSL gives no random bytes");
	b64url_encode(out, raw, sizeof(raw));
	OPENSSL_cleanse(raw, sizeof(raw));
	f = create(path, 0600);
	return f ? close_file(f, path, fprintf(f, "%s\n", out) > 0) : CLI_FAILED;
}

static int print_user(const char *name, const char *file, const char *rights)
{
	char word[512], hex[65];
	uint8_t digest[32];
	size_t n;
	int rc = password(file, word, sizeof(word));

	if (!rc && !EVP_Q_digest(NULL, "SHA256", NULL, word, strlen(word), digest, &n))
		rc = cli_fail("OpenSSL has no SHA-256");
	OPENSSL_cleanse(word, sizeof(word));
	if (rc)
		return rc;
	hex_encode(hex, digest, sizeof(digest));
	printf("user %s on #%s resetchannels -@all %s\n", name, hex, rights);
	return CLI_OK;
}

int cli_acl(const struct cli *c)
{
	int rc;

	puts("# For redis.conf. The passwords are in the files; here are their SHA-256.\n"
	     "user default off");
	rc = print_user("cleartap-shim", c->args[0],
		"+set +publish +blpop +cluster|slots +asking %W~ct:k:* %RW~ct:a:* &ct:keys");
	if (!rc)
		rc = print_user("cleartap-sensor", c->args[1],
			"+subscribe +ping +get +scan +lpush +pexpire +cluster|slots +asking "
			"%R~ct:k:* %W~ct:a:* &ct:keys");
	if (rc)
		return rc;
	puts("# Secrets are not for disks, and Redis must not fill its memory with them:\n"
	     "save \"\"\n"
	     "appendonly no\n"
	     "# maxmemory 512mb\n"
	     "maxmemory-policy volatile-ttl\n"
	     "# From other hosts only by TLS, both sides with certificates:\n"
	     "# port 0\n"
	     "# tls-port 6379\n"
	     "# tls-cert-file /etc/redis/redis.crt\n"
	     "# tls-key-file /etc/redis/redis.key\n"
	     "# tls-ca-cert-file /etc/redis/ca.crt\n"
	     "# tls-auth-clients yes\n"
	     "# tls-protocols \"TLSv1.2 TLSv1.3\"");
	return CLI_OK;
}
