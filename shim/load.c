/* SPDX-License-Identifier: BSD-3-Clause */
/* The way from the preloaded part to the part that needs OpenSSL and hiredis. */
#include "shim/load.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/report.h"

static char path[PATH_MAX];

void load_locate(void)
{
	char shim[PATH_MAX], *slash;
	Dl_info info;

	if (!dladdr(path, &info) || !realpath(info.dli_fname, shim))
		return;
	slash = strrchr(shim, '/');
	if (slash)
		snprintf(
			path, sizeof(path), "%.*s/libcleartap-guest.so", (int)(slash - shim), shim);
}

const struct guest *load_guest(const struct guest_host *host)
{
	void *lib = path[0] ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) : NULL;
	__typeof__(guest_enter) *enter = NULL;

	if (lib)
		enter = (__typeof__(enter))dlsym(lib, "guest_enter");
	if (!enter) {
		const char *why = dlerror();

		report_say("nothing is sent: %s", why ? why : "libcleartap-guest.so is not there");
		return NULL;
	}
	return enter(host);
}
