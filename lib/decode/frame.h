/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "base/verdict.h"
#include "decode/pkt.h"

struct frag;

/**
 * Find the innermost TCP segment of a frame.
 *
 * Walks link layer, VLAN tags, MPLS, PPPoE, IPv4 and IPv6 with extension headers, fragments, and
 * tunnels (GRE, ERSPAN, VXLAN, GENEVE, IP-in-IP, EtherIP, GTP-U, L2TPv2), one inside another up to
 * eight. A tunnel in UDP is known by its port only: where the content is no such tunnel, the
 * packet is V_NOT_TCP like all UDP.
 * Trailing bytes beyond the IP length (Ethernet padding) are left out; a segment that the capture
 * cut short is accepted with payload_len < payload_wire.
 *
 * @param p      The source's half filled in; the other half is filled here.
 * @param frags  Reassembly state of this worker, or NULL: fragments are then left out (V_FRAGMENT).
 *               A fragment that the capture cut short cannot be used (V_SHORT).
 * @return V_OK, or the reason why there is no TCP segment to be had (a STAGE_PKT verdict);
 *         V_FRAGMENT for a fragment that was kept.
 *
 * Context: worker; no allocation, no lock.
 */
enum verdict frame_decode(struct pkt *p, struct frag *frags);
