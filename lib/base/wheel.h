/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * Timer wheel for many coarse timeouts that are nearly always pushed out (idle connections).
 *
 * An object is a dense index below `max`. Arming links it into the slot of its deadline; activity
 * does not move it. When its slot comes up the owner is asked and either lets it go or arms it
 * again: cost per packet is nothing, cost per object is one visit a timeout.
 *
 * Context: one owner; no clock of its own: time is what the caller says, in ticks that only rise.
 */
struct wheel {
	struct wheel_link *link; /* one an object */
	uint32_t *slot;          /* head of each slot's list */
	uint32_t slots;          /* a power of two */
	uint32_t now;            /* tick up to which all slots were visited */
};

struct wheel_link {
	uint32_t next; /* 0: none; else index + 1 */
	uint32_t prev;
	uint32_t slot; /* 0: not armed; else slot + 1 */
};

/** Bytes for @p max objects and @p slots slots (a power of two; the longest delay in ticks + 1). */
size_t wheel_bytes(uint32_t max, uint32_t slots);

/** @param mem  wheel_bytes(max, slots) bytes of zeros; kept until the wheel is no longer used. */
void wheel_init(struct wheel *w, void *mem, uint32_t max, uint32_t slots, uint32_t now);

/** Arm @p index to come up at tick @p deadline (at once if past, clamped to the wheel's span). */
void wheel_arm(struct wheel *w, uint32_t index, uint32_t deadline);

/** Take @p index out; harmless if it is not armed. */
void wheel_disarm(struct wheel *w, uint32_t index);

/**
 * The next object whose slot is due at tick @p now; it is taken out.
 * @return its index, or POOL_NONE when nothing more is due.
 */
uint32_t wheel_due(struct wheel *w, uint32_t now);
