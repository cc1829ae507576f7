/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

/** A resolver of the test's own: of names in `.test` it says what it is told to, when it is told to. */
static struct {
	atomic_bool held;
	_Atomic(const char *) address; /* NULL: there is no such name */
	atomic_int asked, answered;
	void (*look)(void); /* from inside */
} resolver;

static inline void resolver_hold(bool held)
{
	atomic_store(&resolver.held, held);
}

static inline void resolver_address(const char *address)
{
	atomic_store(&resolver.address, address);
}

static inline int resolver_asked(void)
{
	return atomic_load(&resolver.asked);
}

/* In place of libc's, which is next. */
int getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	__typeof__(getaddrinfo) *real = (__typeof__(getaddrinfo) *)dlsym(RTLD_NEXT, "getaddrinfo");
	size_t n = host ? strlen(host) : 0;
	const char *address;
	int rc;

	ck_assert_ptr_nonnull(real);
	if (hints->ai_flags & AI_NUMERICHOST || n < 5 || strcmp(host + n - 5, ".test") != 0)
		return real(host, port, hints, out);
	atomic_fetch_add(&resolver.asked, 1);
	if (resolver.look)
		resolver.look();
	while (atomic_load(&resolver.held))
		usleep(1000);
	address = atomic_load(&resolver.address);
	rc = address ? real(address, port, hints, out) : EAI_NONAME;
	atomic_fetch_add(&resolver.answered, 1);
	return rc;
}
