/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_WAY_H
#define VROUTER_WAY_H

/*
 * Does today's forwarding still lead a live flow of a local pod to where it goes? Its VRF, or that of
 * the far end, may be another now. Either a route of the sender's VRF leads there, or a service of that
 * VRF which still has the far end as backend.
 */
#include "flow_create.h"

/* Slots that are looked at: 256 backends or more. */
#define SLOTS_SEARCHED 1024

/*
 * The VRF in which a service has this backend, if there is a choice that of before; 0: it has not. Global:
 * the verifier walks its loop once.
 */
__noinline __u32 vrf_of_backend(__u32 service, __u32 slot_count, const struct flow_value_v4 *value)
{
	struct backend *backend;
	__be32 address;
	__u32 found = 0;

	if (!value)
		return 0;
	for (__u32 slot = 0; slot < SLOTS_SEARCHED && slot < slot_count; slot++) {
		backend = get_backend(service, slot);
		if (!backend || backend->port != value->nat_dport)
			continue;
		__builtin_memcpy(&address, backend->address, 4);
		if (address != value->nat_dst)
			continue;
		found = backend->vrf;
		if (found == value->to_vrf)
			break;
	}
	return found;
}

/* VRF to look the far end up in, by the service that the flow was begun through; 0: none leads there. */
static __always_inline __u32 vrf_by_service(const struct flow_key_v4 *key,
					    const struct flow_value_v4 *value, __u32 vrf,
					    const struct globals *g)
{
	struct service *service = find_service(vrf, key->remote, key->protocol, key->remote_port);

	/* Ports of nodes; other services of the fabric VRF are for the nodes themselves. */
	if (!service) {
		service = find_service(g->fabric_vrf, key->remote, key->protocol, key->remote_port);
		if (!service)
			service = find_service(g->fabric_vrf, 0, key->protocol, key->remote_port);
		if (service && !(service->flags & (SERVICE_HOST_PORT | SERVICE_EXTERNAL)))
			service = 0;
	}
	return service ? vrf_of_backend(service->id, service->slot_count, value) : 0;
}

/* Is an end with the flow's far address in this VRF the flow's far end? */
static __always_inline int is_far_end_in(const struct flow_value_v4 *value, __u32 vrf)
{
	__u32 space;

	if (is_remote_in(value, vrf))
		return 1;
	space = space_of(vrf);
	return space && (space == value->remote_space || space == space_of(value->remote_vrf));
}

static __always_inline int leads_there(const struct flow_value_v4 *value,
				       const struct next_hop *hop)
{
	if (!hop)
		return 0;
	/* One of several ends was chosen when the flow began. */
	if (hop->kind == NEXT_HOP_COMPOSITE)
		return value->kind == NEXT_HOP_ENCAP || value->kind == NEXT_HOP_TUNNEL;
	if (hop->kind != value->kind)
		return 0;
	switch (hop->kind) {
	case NEXT_HOP_ENCAP:
		return hop->ifindex == value->oif && hop->vlan == value->oif_vlan;
	case NEXT_HOP_TUNNEL:
		return hop->remote_length == 4 && is_far_end_in(value, hop->vrf);
	default:
		return 1;
	}
}

/* What the action of a flow through the tunnel has from the way. */
static __always_inline int follow_tunnel(struct flow_value_v4 *value, const struct next_hop *hop,
					 __u32 identity)
{
	__u32 label = hop->label ? hop->label : find_label(hop->vrf, identity);

	if (!label)
		return DROP_NO_LABEL;
	value->label = label;
	__builtin_memcpy(value->remote, hop->remote, 4);
	if (value->remote_vrf)
		value->remote_vrf = hop->vrf;
	return STEP_OK;
}

/*
 * Precondition: the record is that of the first direction, and its zone is a local pod's that began.
 * Global: see refresh_flow().
 */
__noinline int refresh_way(const struct flow_key_v4 *key, struct flow_value_v4 *value)
{
	struct globals *g = get_globals();
	struct next_hop *hop;
	struct route *route;
	struct vif *from;
	__u32 vrf;

	if (!key || !value || !g)
		return DROP_FLOW_TABLE_ERROR;
	from = find_vif(key->zone, vlan_of(key));
	if (!from || value->flags & FLOW_SELF)
		return STEP_OK;
	vrf = from->vrf;
	for (int i = 0; i < 2; i++) {
		if (i)
			vrf = vrf_by_service(key, value, vrf, g);
		route = vrf ? find_route(vrf, value->nat_dst) : 0;
		hop = route ? bpf_map_lookup_elem(&next_hops, &route->next_hop) : 0;
		if (!leads_there(value, hop))
			continue;
		value->to_vrf = vrf;
		if (hop->kind == NEXT_HOP_FABRIC || (hop->kind == NEXT_HOP_TUNNEL && route->identity))
			value->remote_identity = route->identity;
		return hop->kind == NEXT_HOP_TUNNEL ? follow_tunnel(value, hop, from->identity)
						    : STEP_OK;
	}
	return STEP_ANEW;
}

/* The VRF in which the end at this address is: while it moves, routes of the old one still lead to it. */
static __always_inline __u32 vrf_of_end(__u32 vrf, __be32 address)
{
	struct route *route = find_route(vrf, address);
	struct next_hop *hop = route ? bpf_map_lookup_elem(&next_hops, &route->next_hop) : 0;
	struct vif *vif = 0;

	if (hop && hop->kind == NEXT_HOP_ENCAP)
		vif = find_vif(hop->ifindex, hop->vlan);
	return vif ? vif->vrf : vrf;
}

/*
 * An answer to a connection that this node does not know, or that it has cut. Whoever may be called by the end to which
 * it goes may begin one with it; of others the label says only that their calls pass, which this is not.
 */
static __noinline int judge_answer(const struct work *w, const struct globals *g)
{
	struct route *route = find_route(vrf_of_end(w->vrf, w->p.dst), w->p.src);
	struct next_hop *hop = route ? bpf_map_lookup_elem(&next_hops, &route->next_hop) : 0;
	__u32 space;

	if (!hop)
		return DROP_ANSWER_UNRELATED;
	if (hop->kind == NEXT_HOP_COMPOSITE)
		return STEP_OK;
	if (hop->kind != NEXT_HOP_TUNNEL)
		return DROP_ANSWER_UNRELATED;
	/* A port of a node may lead to a pod, which answers with the node's address under its own label. */
	if (hop->vrf == w->sender_vrf || hop->vrf == g->fabric_vrf)
		return STEP_OK;
	space = space_of(hop->vrf);
	return space && space == w->remote_space ? STEP_OK : DROP_ANSWER_UNRELATED;
}

#endif
