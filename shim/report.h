/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * Where messages go: a file named by CLEARTAP_DEBUG.
 * @param path  Kept; NULL: nowhere.
 */
void report_to(const char *path);

/**
 * Append one line. The file is opened for it and closed again: a descriptor that a host does not know
 * of may be closed by it, and its number given to something else. Never a secret in it.
 *
 * Context: any thread; keeps errno.
 */
__attribute__((format(printf, 1, 2))) void report_say(const char *fmt, ...);
