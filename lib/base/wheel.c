/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashed timer wheel with lazy re-arming. Links are kept beside the objects, as indexes plus one, so
 * that zeroed memory is a valid empty wheel and untouched entries cost no page.
 */
#include "base/wheel.h"

#include "base/pool.h"

size_t wheel_bytes(uint32_t max, uint32_t slots)
{
	return (size_t)max * sizeof(struct wheel_link) + (size_t)slots * sizeof(uint32_t);
}

void wheel_init(struct wheel *w, void *mem, uint32_t max, uint32_t slots, uint32_t now)
{
	w->link = mem;
	w->slot = (uint32_t *)(w->link + max);
	w->slots = slots;
	w->now = now;
}

/* In the links 0 means "none" and n + 1 means object or slot n. */
static void unlink_entry(struct wheel *w, uint32_t index)
{
	struct wheel_link *l = &w->link[index];

	if (l->prev)
		w->link[l->prev - 1].next = l->next;
	else
		w->slot[l->slot - 1] = l->next;
	if (l->next)
		w->link[l->next - 1].prev = l->prev;
	*l = (struct wheel_link){ 0 };
}

void wheel_arm(struct wheel *w, uint32_t index, uint32_t deadline)
{
	struct wheel_link *l = &w->link[index];
	uint32_t delay = deadline - w->now, s;

	if ((int32_t)delay < 1)
		delay = 1;
	if (delay > w->slots - 1)
		delay = w->slots - 1;
	wheel_disarm(w, index);
	s = (w->now + delay) & (w->slots - 1);
	*l = (struct wheel_link){ .next = w->slot[s], .slot = s + 1 };
	if (l->next)
		w->link[l->next - 1].prev = index + 1;
	w->slot[s] = index + 1;
}

void wheel_disarm(struct wheel *w, uint32_t index)
{
	if (w->link[index].slot)
		unlink_entry(w, index);
}

uint32_t wheel_due(struct wheel *w, uint32_t now)
{
	/* A jump over the whole span visits every slot once, not every tick. */
	if ((int32_t)(now - w->now) > (int32_t)w->slots)
		w->now = now - w->slots;
	for (;;) {
		uint32_t head = w->slot[w->now & (w->slots - 1)];

		if (head) {
			unlink_entry(w, head - 1);
			return head - 1;
		}
		if ((int32_t)(now - w->now) <= 0)
			return POOL_NONE;
		w->now++;
	}
}
