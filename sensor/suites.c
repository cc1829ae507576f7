/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of suites as a person reads it. */
#include "suites.h"

#include <stdio.h>

#include "memory.h"
#include "replay.h"
#include "tls/opener.h"

static const char *versions(const struct suite *s)
{
	if (s->id >> 8 == 0x13)
		return "1.3";
	if (suite_cipher(s->cipher)->tag_len || (s->mac != MD_MD5 && s->mac != MD_SHA1))
		return "1.2";
	return "3.0-1.2";
}

int suites_main(int argc, char **argv)
{
	size_t n = opener_env_bytes();
	void *mem = memory_reserve(n);
	struct opener_env *env = mem ? opener_env_init(mem, NULL) : NULL;
	const struct suite *s;
	uint32_t count, open = 0;

	if (!env) {
		perror("cleartap: no memory");
		return EXIT_OTHER;
	}
	s = suite_table(&count);
	printf("%-6s  %-52s %-8s %s\n", "id", "suite", "version", "opened by");
	for (uint32_t i = 0; i < count; i++) {
		const char *by = opener_backend(env, s[i].cipher);

		open += by != NULL;
		printf("0x%04x  %-52s %-8s %s\n", s[i].id, s[i].name, versions(&s[i]),
			by ? by : "-");
	}
	printf("%u of %u suites are opened\n", open, count);
	opener_env_fini(env);
	memory_free(mem, n);
	return fflush(stdout) ? EXIT_OTHER : EXIT_READ;
}
