/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "shim/guest.h"

/** Find out where the guest's library lies: beside the shim. Before the process changes directory. */
void load_locate(void);

/** Load it and enter. @return as guest_enter(). */
const struct guest *load_guest(const struct guest_host *host);
