/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_QUOTA_H
#define VROUTER_QUOTA_H

/*
 * Whom a new connection is charged to, and who refuses. An end pays for what it begins, never for what
 * others begin with it: a local pod by its interface, a remote one by {its VRF, its address} up to what
 * the interface that it calls may have, all clients of the underlay together by the interface that
 * they call. The node itself pays nothing. The VRF of the end pays too when it has a limit.
 */
#include "flow_end.h"
#include "work.h"

static __always_inline __u32 payer(const struct work *w, struct owner *owner)
{
	switch (w->hook) {
	case HOOK_POD:
		*owner = (struct owner){.scope = OWNER_VIF | w->vlan, .id = w->zone};
		return w->max_flows;
	case HOOK_TUNNEL:
		*owner = (struct owner){.scope = OWNER_REMOTE | (w->sender_vrf & VRF_BITS),
					.id = w->p.src};
		return w->to_max_flows;
	case HOOK_UPLINK:
		*owner = (struct owner){.scope = OWNER_UNDERLAY | w->oif_vlan, .id = w->oif};
		return w->to_max_flows;
	default:
		*owner = (struct owner){};
		return 0;
	}
}

/* The VRF of the end that begins. */
static __always_inline __u32 paying_network(const struct work *w)
{
	return w->hook == HOOK_TUNNEL ? w->sender_vrf : w->vrf;
}

static __always_inline __u32 network_limit(__u32 id)
{
	struct vrf *vrf = bpf_map_lookup_elem(&vrfs, &id);

	return vrf ? vrf->max_flows : 0;
}

static __always_inline int charge_network(struct work *w, const struct owner *owner, __u32 records)
{
	/* Remote ends without a count of their own are charged as the underlay's are: to the VRF they call. */
	__u32 id = (owner->scope & ~VRF_BITS) == OWNER_REMOTE ? w->sender_vrf : w->vrf;
	__u32 max = id == paying_network(w) ? w->network_max_flows : network_limit(id);
	struct owner network = vrf_owner(id);
	struct usage *usage;

	if (!max)
		return STEP_OK;
	usage = get_usage(&network);
	if (!usage)
		return STEP_OK;
	if (!charge(usage, records, max))
		return DROP_QUOTA_NETWORK;
	w->forward.flags |= FLOW_VRF_COUNTED;
	w->reverse.flags |= FLOW_VRF_COUNTED;
	return STEP_OK;
}

/* STEP_OK, or the reason to refuse. Precondition: where the connection goes is known. */
static __noinline int charge_flow(struct work *w, __u32 records)
{
	struct owner owner;
	__u32 max = payer(w, &owner);
	struct usage *usage;
	int step;

	if (owner.scope == OWNER_NONE)
		return STEP_OK;
	usage = get_usage(&owner);
	if (!usage) {
		/* No room for another remote end: they share what the called interface has for the rest. */
		owner = (struct owner){.scope = OWNER_UNDERLAY | w->oif_vlan, .id = w->oif};
		usage = get_usage(&owner);
	}
	if (!usage)
		return DROP_QUOTA_INTERFACE;
	if (!charge(usage, records, max))
		return DROP_QUOTA_INTERFACE;
	step = charge_network(w, &owner, records);
	if (step != STEP_OK) {
		release(&owner, records);
		return step;
	}
	w->forward.owner = owner;
	w->reverse.owner = owner;
	return STEP_OK;
}

#endif
