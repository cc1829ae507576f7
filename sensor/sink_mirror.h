/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "sink.h"

/** Plaintext out of a DPDK port; only where the EAL runs. */
extern const struct sink_ops sink_mirror;
