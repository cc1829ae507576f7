/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "tls/session.h"

/**
 * Collect the 5 bytes of a direction's next record header in dir->hdr.
 *
 * @param in  Advanced by what was used, or passed by.
 * @return V_OK: dir->body_len is that of a record; V_MORE; V_TLS_HEADER, V_TLS_RECORD_LEN: this is no TLS.
 */
enum verdict header_read(
	struct tls_env *env, struct session *s, struct session_dir *dir, struct rd *in);
