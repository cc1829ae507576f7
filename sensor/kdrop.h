/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

#define KDROP_MAX 128

/** One queue of the kernel's. */
struct kdrop_source {
	uint16_t port;
	uint8_t kind;     /* of an enum of kdrop.c */
	int fd;           /* the driver's socket; -1: an interface */
	char name[16];    /* of the interface: IF_NAMESIZE */
	uint64_t dropped; /* what the socket said so far: it forgets when it is asked */
};

/**
 * What the kernel drops of packets for ports whose queues are its own, and whose drivers do not say so:
 * net_af_packet, net_af_xdp, net_tap.
 */
struct kdrop {
	int n;
	struct kdrop_source at[KDROP_MAX];
};

/**
 * Find what belongs to a port that has just been started: the ports before it have been found already.
 *
 * Context: control plane.
 */
void kdrop_find(struct kdrop *k, uint16_t port);

/**
 * Packets of a port that the kernel dropped, so far.
 *
 * Context: any thread of the control plane.
 */
uint64_t kdrop_of(struct kdrop *k, uint16_t port);
