/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "flow/flow.h"

/** "1:", 28 characters of base64 and a terminating 0. */
#define COMMUNITY_LEN 31

/**
 * Community ID v1 of a TCP connection, seed 0: the same text from every monitor that sees it,
 * whichever direction it met first.
 *
 * @param key  Either endpoint may come first.
 *
 * Context: any; no allocation, no lock.
 */
void community_id(char out[COMMUNITY_LEN], const struct flow_key *key);
