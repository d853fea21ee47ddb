/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_ROUTE_H
#define VROUTER_ROUTE_H

/* From a destination in a VRF to the place where the packet goes. */
#include "service.h"

static __always_inline struct route *find_route(__u32 vrf, __be32 address)
{
	struct host_route_key_v4 host = {.vrf = vrf, .address = address};
	struct prefix_route_key_v4 prefix = {.prefixlen = 64, .vrf = vrf, .address = address};
	struct route *route = bpf_map_lookup_elem(&host_routes_v4, &host);

	if (route)
		return route;
	return bpf_map_lookup_elem(&prefix_routes_v4, &prefix);
}

/* ECMP members are chosen by the 5-tuple; a member is never composite itself. */
static __always_inline struct next_hop *find_next_hop(struct work *w, __u32 id)
{
	struct next_hop *hop = bpf_map_lookup_elem(&next_hops, &id);
	struct composite_key key = {.next_hop = id};
	struct route *member;

	if (!hop || hop->kind != NEXT_HOP_COMPOSITE)
		return hop;
	if (!hop->member_count)
		return 0;
	w->is_tuple_bound = 1;
	key.slot = hash_tuple(&w->p) % hop->member_count;
	member = bpf_map_lookup_elem(&composites, &key);
	if (!member)
		return 0;
	hop = bpf_map_lookup_elem(&next_hops, &member->next_hop);
	return hop && hop->kind != NEXT_HOP_COMPOSITE ? hop : 0;
}

static __always_inline __u32 find_label(__u32 vrf, __u32 identity)
{
	struct label_out_key key = {.vrf = vrf, .identity = identity};
	__u32 *label = bpf_map_lookup_elem(&labels_out, &key);

	return label ? *label : 0;
}

static __always_inline __u32 space_of(__u32 id)
{
	struct vrf *vrf = bpf_map_lookup_elem(&vrfs, &id);

	return vrf ? vrf->space : 0;
}

static __always_inline int to_local_vif(struct work *w, const struct next_hop *hop,
					const struct globals *g)
{
	struct vif_key key = {.ifindex = hop->ifindex, .vlan = hop->vlan};
	struct vif *vif = bpf_map_lookup_elem(&vifs, &key);

	if (!vif || !vif->policy)
		return DROP_DESTINATION_NOT_PROGRAMMED;
	w->is_local = 1;
	w->oif = hop->ifindex;
	w->oif_vlan = hop->vlan;
	w->to_identity = vif->identity;
	w->to_policy = vif->policy;
	w->to_max_flows = vif->max_flows;
	w->target_vrf = vif->vrf;
	w->to_any_mac = !vif->port_security;
	__builtin_memcpy(w->dmac, vif->mac, 6);
	w->is_self = w->hook == HOOK_POD && w->oif == w->zone && w->oif_vlan == w->vlan;
	/* A pod takes packets from its own address, or from 127.0.0.1, for spoofed. */
	if (!w->is_self && w->hook != HOOK_LOOPBACK)
		return STEP_OK;
	if (!g->hairpin_address)
		return DROP_NO_HAIRPIN_ADDRESS;
	w->to.src = g->hairpin_address;
	return STEP_OK;
}

static __always_inline int to_remote(struct work *w, const struct next_hop *hop,
				     const struct globals *g)
{
	/* Nothing that came from the underlay is sent back into it: no loops, no transit. */
	if (w->hook == HOOK_TUNNEL || w->hook == HOOK_UPLINK || w->hook == HOOK_LOOPBACK)
		return DROP_TUNNEL_NOT_LOCAL;
	if (hop->remote_length != 4)
		return DROP_NO_NEXT_HOP;
	__builtin_memcpy(&w->remote, hop->remote, 4);
	w->target_vrf = hop->vrf;
	w->remote_space = space_of(hop->vrf);
	w->is_to_node = hop->vrf == g->fabric_vrf;
	w->label = hop->label ? hop->label : find_label(hop->vrf, w->identity);
	if (!w->label)
		return DROP_NO_LABEL;
	if (!is_same_mac(hop->mac, no_mac))
		__builtin_memcpy(w->dmac, hop->mac, 6);
	else
		__builtin_memcpy(w->dmac, gateway_mac, 6);
	return STEP_OK;
}

static __always_inline int to_underlay(struct work *w, const struct next_hop *hop,
				       const struct globals *g)
{
	if (w->hook == HOOK_TUNNEL || w->hook == HOOK_UPLINK || w->hook == HOOK_LOOPBACK)
		return DROP_TUNNEL_NOT_LOCAL;
	/* The node's own packets would be answered past us: their source is translated, too. */
	if (hop->snat || w->hook == HOOK_HOST) {
		w->snat = 1;
		w->to.src = g->node_address;
	}
	w->oif = g->uplink_ifindex;
	return STEP_OK;
}

/* The node answers in the fabric VRF: do the answers to this source go back to where it is? */
static __always_inline int is_answered_by_node(const struct work *w, const struct globals *g)
{
	struct host_route_key_v4 key = {.vrf = g->fabric_vrf, .address = w->p.src};
	struct route *route = bpf_map_lookup_elem(&host_routes_v4, &key);
	struct next_hop *hop = route ? bpf_map_lookup_elem(&next_hops, &route->next_hop) : 0;

	if (!hop)
		return 0;
	if (w->hook == HOOK_POD)
		return hop->kind == NEXT_HOP_ENCAP && hop->ifindex == w->zone &&
		       hop->vlan == w->vlan;
	return hop->kind == NEXT_HOP_TUNNEL;
}

/*
 * The node's own stack. Whoever it could not answer gets the hairpin address as source: ends whose
 * address is another's in the fabric VRF, or unknown there, and the node itself (which comes here with
 * a service that has the node as backend), so that the answer passes the host interface.
 */
static __always_inline int to_node(struct work *w, const struct globals *g)
{
	struct vif_key key = {.ifindex = g->host_ifindex};
	struct vif *vif;

	w->to_identity = g->host_identity;
	w->target_vrf = g->fabric_vrf;
	w->oif = g->host_ifindex;
	if (w->hook == HOOK_LOOPBACK || w->hook == HOOK_UPLINK)
		return STEP_UNTOUCHED;
	if (w->hook == HOOK_TUNNEL) {
		vif = bpf_map_lookup_elem(&vifs, &key);
		w->to_max_flows = vif ? vif->max_flows : 0;
	}
	if (w->hook != HOOK_HOST && is_answered_by_node(w, g))
		return STEP_OK;
	if (!g->hairpin_address)
		return DROP_NO_HAIRPIN_ADDRESS;
	w->snat = w->hook != HOOK_HOST;
	w->to.src = g->hairpin_address;
	return STEP_OK;
}

static __always_inline int is_node(__be32 address)
{
	struct node_key_v4 key = {.address = address};

	return bpf_map_lookup_elem(&nodes_v4, &key) != 0;
}

static __always_inline int is_forged_tunnel(const struct work *w)
{
	return w->hook == HOOK_POD && w->p.protocol == IPPROTO_UDP &&
	       w->to.dport == bpf_htons(TUNNEL_PORT) &&
	       (w->kind == NEXT_HOP_RECEIVE || w->kind == NEXT_HOP_FABRIC || is_node(w->to.dst));
}

/* Routes `to.dst` in `to_vrf`; fills what the action needs. */
static __noinline int resolve_route(struct work *w, const struct globals *g)
{
	struct route *route = find_route(w->to_vrf, w->to.dst);
	struct next_hop *hop;

	if (!route)
		return DROP_NO_ROUTE;
	hop = find_next_hop(w, route->next_hop);
	if (!hop)
		return DROP_NO_NEXT_HOP;
	w->kind = hop->kind;
	w->to_identity = route->identity;
	if (is_forged_tunnel(w))
		return DROP_FORGED_TUNNEL;
	/* Another node answers the node over the underlay, whatever the route says. */
	if (w->hook == HOOK_HOST && w->kind == NEXT_HOP_TUNNEL && is_node(w->to.dst))
		w->kind = NEXT_HOP_FABRIC;
	switch (w->kind) {
	case NEXT_HOP_ENCAP:
		return to_local_vif(w, hop, g);
	case NEXT_HOP_TUNNEL:
		return to_remote(w, hop, g);
	case NEXT_HOP_RECEIVE:
		return to_node(w, g);
	case NEXT_HOP_FABRIC:
		return to_underlay(w, hop, g);
	case NEXT_HOP_GATEWAY:
		if (w->p.protocol == IPPROTO_ICMP && !w->p.is_echo_reply)
			return STEP_ECHO;
		return DROP_GATEWAY;
	case NEXT_HOP_DISCARD:
		return DROP_DISCARD;
	default:
		return DROP_NO_NEXT_HOP;
	}
}

/* A packet that reached the node's own address, or lo: a hostPort, or none of our business. */
static __always_inline int resolve_node_service(struct work *w, const struct globals *g)
{
	struct service *service = find_node_service(g, &w->p, w->hook);
	int step;

	if (!service)
		return STEP_UNTOUCHED;
	w->to.src = w->p.src;
	w->snat = 0;
	step = translate_service(w, service);
	return step == STEP_OK ? resolve_route(w, g) : step;
}

/* Service, then route. */
__noinline int resolve(void)
{
	struct globals *g = get_globals();
	struct work *w = find_work();
	int step = STEP_OK;

	if (!g || !w)
		return DROP_NOT_CONFIGURED;
	w->to = (struct tuple){.src = w->p.src,
			       .dst = w->p.dst,
			       .sport = w->p.sport,
			       .dport = w->p.dport};
	w->to_vrf = w->vrf;
	if (w->hook == HOOK_UPLINK || w->hook == HOOK_LOOPBACK) {
		step = resolve_node_service(w, g);
		/* The node's stack refuses for itself. */
		return step == STEP_REFUSE ? STEP_UNTOUCHED : step;
	}
	if (w->hook != HOOK_TUNNEL)
		step = resolve_service(w);
	if (step != STEP_OK)
		return step;
	step = resolve_route(w, g);
	if (step != STEP_OK || w->kind != NEXT_HOP_RECEIVE || w->service)
		return step;
	step = resolve_node_service(w, g);
	return step == STEP_UNTOUCHED ? STEP_OK : step;
}

#endif
