/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#define ERRORS_MAX 16 /* what OpenSSL keeps for a thread */

/** The errors of a thread, put aside. */
struct errors {
	int n;
	struct error {
		unsigned long code;
		int line;
		char file[96], func[64], data[160];
	} at[ERRORS_MAX];
};

/**
 * Take the thread's OpenSSL errors off its queue: a TLS handshake clears it, and they are the host's.
 * Long texts are cut.
 */
void errors_save(struct errors *e);

/** Put them back, and nothing else. */
void errors_restore(const struct errors *e);
