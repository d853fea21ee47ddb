/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_USAGE_H
#define VROUTER_USAGE_H

/*
 * How many records an owner has: counted when they are made and when they end, by one atomic addition
 * each, so that the count is exact whatever runs at once. What is lost all the same (a record deleted
 * by hand) the sweep finds: it counts what it sees and corrects owners that were quiet meanwhile.
 */
#include "flow.h"

#define MADE 0x100000001ULL  /* one more record, one more change */
#define ENDED 0x0ffffffffULL /* one record less, one more change */
#define VRF_BITS 0xffffff

static __always_inline __s32 usage_count(__u64 state)
{
	return (__s32)state;
}

static __always_inline struct owner vrf_owner(__u32 vrf)
{
	return (struct owner){.scope = OWNER_VRF | (vrf & VRF_BITS)};
}

/* The entry of an owner, made when there is none. 0: there is no room for another. */
static __noinline struct usage *get_usage(const struct owner *owner)
{
	struct usage *usage = bpf_map_lookup_elem(&usages, owner);
	struct usage none = {};

	if (usage)
		return usage;
	bpf_map_update_elem(&usages, owner, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&usages, owner);
}

static __always_inline void release(const struct owner *owner, __u32 records)
{
	struct usage *usage;

	if (owner->scope == OWNER_NONE)
		return;
	usage = bpf_map_lookup_elem(&usages, owner);
	if (usage)
		__sync_fetch_and_add(&usage->state, records * ENDED);
}

/* Counts records that are about to be made. False: with them the owner would have more than `max`. */
static __always_inline int charge(struct usage *usage, __u32 records, __u32 max)
{
	__u64 before = __sync_fetch_and_add(&usage->state, records * MADE);

	if (!max || usage_count(before) + (__s64)records <= max)
		return 1;
	__sync_fetch_and_add(&usage->state, records * ENDED);
	return 0;
}

/* ---- the recount: before, for each record, after ---- */

struct bpf_map;

static long begin_recount(struct bpf_map *map, const struct owner *owner, struct usage *usage,
			  void *context)
{
	usage->seen = 0;
	usage->state_before = *(volatile __u64 *)&usage->state;
	return 0;
}

static __always_inline void recount(const struct owner *owner)
{
	struct usage *usage;

	if (owner->scope == OWNER_NONE)
		return;
	usage = get_usage(owner);
	if (usage)
		usage->seen += 1;
}

static long end_recount(struct bpf_map *map, const struct owner *owner, struct usage *usage,
			void *context)
{
	__u64 state = usage->state_before;
	struct owner own = *owner;

	if (*(volatile __u64 *)&usage->state != state)
		return 0;
	if (usage_count(state) != (__s32)usage->seen)
		__sync_val_compare_and_swap(&usage->state, state,
					    (state & ~0xffffffffULL) | usage->seen);
	else if (!usage->seen)
		bpf_map_delete_elem(&usages, &own);
	return 0;
}

#endif
