/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "tls/hello.h"

/** Room for a fingerprint and its terminating 0. */
#define JA4_SIZE 48

/**
 * JA4 fingerprint of a TLS client over TCP: "t13d1516h2_8daaf6152771_e5627efa2ab1".
 *
 * @param out  36 characters, all printable ASCII; empty if the hello lists more than 512 suites or
 *             extensions, or as many signature algorithms: no client does, only an attacker who
 *             would have us sort them.
 *
 * Context: any; 8 KiB of stack.
 */
void ja4_client(const struct client_hello *h, char out[JA4_SIZE]);
