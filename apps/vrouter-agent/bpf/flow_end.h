/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_FLOW_END_H
#define VROUTER_FLOW_END_H

/* How records end. Nothing but the sweep deletes them: see FLOW_ENDED. */
#include "usage.h"

/* Milliseconds to the unit of flow times (2^20 ns). */
static __always_inline __u32 to_flow_time(__u64 milliseconds)
{
	return milliseconds * 1000000 >> 20;
}

/* The VRF that a record counts for: that of the end which began. */
static __always_inline struct owner network_of(const struct flow_value_v4 *value)
{
	__u32 scope = value->owner.scope;

	if (!(value->flags & FLOW_VRF_COUNTED))
		return (struct owner){};
	return vrf_owner((scope & ~VRF_BITS) == OWNER_REMOTE ? scope : value->vrf);
}

/* 1: this call ended the record. 0: it had ended, or somebody is at work on it. */
static __noinline int end_record(struct flow_value_v4 *value)
{
	struct owner network;
	__u32 generation;

	if (!value)
		return 0;
	network = network_of(value);
	for (int i = 0; i < 4; i++) {
		generation = *(volatile __u32 *)&value->generation;
		if (generation == FLOW_ENDED || generation == FLOW_IN_WORK)
			return 0;
		value->last_out = flow_now();
		if (__sync_val_compare_and_swap(&value->generation, generation, FLOW_ENDED) ==
		    generation) {
			release(&value->owner, 1);
			release(&network, 1);
			return 1;
		}
	}
	return 0;
}

/* Ends both records of a connection. */
static __noinline void end_flow(const struct flow_key_v4 *key, struct flow_value_v4 *value)
{
	struct flow_key_v4 peer;

	if (!value)
		return;
	if (peer_key(key, value, &peer))
		end_record(bpf_map_lookup_elem(&flows_v4, &peer));
	end_record(value);
}

/* Deletes a record that ended so long ago that no program can still have it in hand. */
static __always_inline int delete_ended(const struct flow_key_v4 *key, struct flow_value_v4 *value,
					__u32 grace_ms)
{
	if ((__s32)(flow_now() - value->last_out) < (__s32)to_flow_time(grace_ms))
		return 0;
	if (__sync_val_compare_and_swap(&value->generation, FLOW_ENDED, FLOW_IN_WORK) != FLOW_ENDED)
		return 0;
	return !bpf_map_delete_elem(&flows_v4, key);
}

#endif
