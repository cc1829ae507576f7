/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "pipeline.h"

/** Events of the data path, each to every sink that wants it, and to HTTP if transactions are wanted. */

/** Verified application data. */
void tell_text(struct pipeline *pl, const struct conn *c, const struct text *t);

/** The handshake is over, or never will be; its memory is given back. */
void tell_tls(struct pipeline *pl, struct conn *c);

/** Something went wrong in one direction; @p missing bytes were lost, if any. */
void tell_anomaly(
	struct pipeline *pl, const struct conn *c, int end, enum verdict why, uint64_t missing);

/** An HTTP transaction is over, or as much as was seen of it. */
void tell_txn(struct pipeline *pl, const struct conn *c, const struct txn *t);

/** The last word on a connection. */
void tell_end(struct pipeline *pl, const struct conn *c, enum conn_end why);
