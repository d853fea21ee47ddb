/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_TUNNEL_PLACE_H
#define VROUTER_TUNNEL_PLACE_H

/*
 * Where packets of a label to an address belong, remembered by each CPU: one place in memory instead of
 * those of three tables, which on a busy CPU are all cold. An answer is good while the agent has changed
 * no table (globals.epoch).
 */
#include "flow.h"

/* Of each CPU: as many networks as a node has, times its pods, that are busy at one time. */
#define TUNNEL_PLACE_BITS 12

struct tunnel_place {
	__u32 epoch; /* 0: empty */
	__u32 vni;
	__be32 address;
	__u32 zone; /* 0: the address is not here */
	__u16 vlan;
	__u16 pad;
	struct label_in label;
};

TABLE(tunnel_places, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct tunnel_place, 1 << TUNNEL_PLACE_BITS, 0);

/* Asks the tables. Out of the way of packets whose place is known. 1: the label exists. */
static __noinline int learn_place(struct tunnel_place *place, const struct globals *g, __u32 vni,
				  __be32 address)
{
	__u32 epoch = *(volatile const __u32 *)&g->epoch;
	__u32 number = vni & ~VNI_ANSWER;
	struct label_in *label;
	__u16 vlan;

	/* Also a barrier: what the tables say is at least as new as the epoch. */
	__sync_lock_test_and_set(&place->epoch, 0);
	label = bpf_map_lookup_elem(&labels_in, &number);
	if (!label)
		return 0;
	place->label = *label;
	place->zone = local_zone(g, label->vrf, address, &vlan);
	place->vlan = vlan;
	place->vni = vni;
	place->address = address;
	place->epoch = epoch;
	return 1;
}

/* 0: nobody sends under this label. */
static __always_inline struct tunnel_place *find_place(const struct globals *g, __u32 vni,
						       __be32 address)
{
	__u32 epoch = *(volatile const __u32 *)&g->epoch;
	__u32 index = (vni ^ address) * 0x9e3779b1 >> (32 - TUNNEL_PLACE_BITS);
	struct tunnel_place *place = bpf_map_lookup_elem(&tunnel_places, &index);

	if (!place)
		return 0;
	if (epoch && place->epoch == epoch && place->vni == vni && place->address == address)
		return place;
	return learn_place(place, g, vni, address) ? place : 0;
}

#endif
