/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_REFRESH_H
#define VROUTER_REFRESH_H

/*
 * A live flow after a change (a new generation, or packets under another label): may its sender still
 * use the source, does its way still lead to the far end, who and where is that, under which label does it
 * hear us, and does today's policy let them talk? Translation and the choice of a backend stay.
 */
#include "policy.h"
#include "way.h"

static __always_inline int is_source(__u32 ifindex, __u16 vlan, __be32 address)
{
	struct source_key_v4 key = {
		.prefixlen = 96, .ifindex = ifindex, .vlan = vlan, .address = address};

	return bpf_map_lookup_elem(&sources_v4, &key) != 0;
}

/* A record by which a pod sends: its address and MAC must still be the pod's. */
__noinline int refresh_source(const struct flow_key_v4 *key, struct flow_value_v4 *value)
{
	struct vif *vif;

	if (!key || !value)
		return DROP_FLOW_TABLE_ERROR;
	if (!(value->flags & (FLOW_OUT | FLOW_BOTH)))
		return STEP_OK;
	vif = find_vif(key->zone, vlan_of(key));
	if (!vif || vif->kind != VIF_POD)
		return STEP_OK;
	if (vif->port_security && !is_source(key->zone, vlan_of(key), key->local))
		return DROP_SOURCE_ADDRESS;
	value->flags = vif->port_security ? value->flags & ~FLOW_ANY_MAC
					  : value->flags | FLOW_ANY_MAC;
	__builtin_memcpy(value->vif_mac, vif->mac, 6);
	return STEP_OK;
}

/* Did the end at this record's interface begin? */
static __always_inline int began_locally(const struct flow_value_v4 *value)
{
	int is_forward = (value->flags & FLOW_FORWARD) != 0;

	return value->flags & FLOW_IN ? !is_forward : is_forward;
}

/* The label under which the far end hears this one. */
static __always_inline int refresh_label(const struct flow_key_v4 *key, struct flow_value_v4 *value,
					 const struct next_hop *hop, const struct globals *g)
{
	struct vif *vif;
	__u32 identity = g->host_identity;
	__u32 vrf = value->remote_vrf;

	if (hop && hop->label) {
		value->label = hop->label;
		return STEP_OK;
	}
	if (hop && is_far_end_in(value, hop->vrf))
		vrf = hop->vrf;
	if (!vrf)
		return STEP_OK;
	if (key->zone != g->host_ifindex) {
		vif = find_vif(key->zone, vlan_of(key));
		identity = vif ? vif->identity : 0;
	}
	value->label = find_label(vrf, identity);
	if (!value->label)
		return DROP_NO_LABEL;
	if (!began_locally(value))
		value->label |= VNI_ANSWER;
	return STEP_OK;
}

/*
 * The route to an end behind the tunnel that the zone's interface did not begin with: in its VRF as the
 * records know it. When it has moved, in ours, or in that of the nodes, which reach everybody: it need not have
 * sent anything since.
 */
static __noinline struct route *route_to_far_end(const struct flow_key_v4 *key,
						 const struct flow_value_v4 *value,
						 const struct globals *g)
{
	__be32 far = value->flags & FLOW_OUT ? value->nat_dst : key->remote;
	struct vif *vif = find_vif(key->zone, vlan_of(key));
	__u32 vrf = began_locally(value) ? value->to_vrf : value->remote_vrf;
	struct next_hop *hop;
	struct route *route;

	for (int i = 0; i < 3; i++) {
		if (i == 1)
			vrf = vif ? vif->vrf : 0;
		if (i == 2)
			vrf = g->fabric_vrf;
		route = vrf ? find_route(vrf, far) : 0;
		hop = route ? bpf_map_lookup_elem(&next_hops, &route->next_hop) : 0;
		if (hop && hop->kind != NEXT_HOP_DISCARD && hop->kind != NEXT_HOP_FABRIC)
			return route;
	}
	return 0;
}

/*
 * The far end behind a tunnel. It is on another node now when the route to its address says so; a
 * route into another VRF speaks of another end. One that came to this node is reached without tunnel.
 */
__noinline int refresh_tunnel(const struct flow_key_v4 *key, struct flow_value_v4 *value)
{
	struct globals *g = get_globals();
	struct label_in *label;
	struct next_hop *hop;
	struct route *route;
	__u32 in_label;

	if (!key || !value || !g)
		return DROP_FLOW_TABLE_ERROR;
	route = route_to_far_end(key, value, g);
	hop = route ? bpf_map_lookup_elem(&next_hops, &route->next_hop) : 0;
	in_label = value->in_label;
	label = in_label ? bpf_map_lookup_elem(&labels_in, &in_label) : 0;
	if (label && label->identity)
		value->remote_identity = label->identity;
	else if (route)
		value->remote_identity = route->identity;
	if (hop && hop->kind == NEXT_HOP_ENCAP && !(value->flags & FLOW_REWRITE))
		return STEP_ANEW;
	if (hop && hop->kind == NEXT_HOP_TUNNEL && hop->remote_length == 4 &&
	    is_far_end_in(value, hop->vrf))
		__builtin_memcpy(value->remote, hop->remote, 4);
	return value->kind == NEXT_HOP_TUNNEL ? refresh_label(key, value, hop, g) : STEP_OK;
}

/* Identities of ends that are neither local pods nor behind a tunnel. */
static __noinline void refresh_identity(struct flow_value_v4 *value, const struct globals *g)
{
	struct route *route;

	if (value->kind == NEXT_HOP_RECEIVE)
		value->remote_identity = g->host_identity;
	if (value->kind != NEXT_HOP_FABRIC || !(value->flags & FLOW_FORWARD))
		return;
	route = find_route(value->to_vrf, value->nat_dst);
	if (route)
		value->remote_identity = route->identity;
}

/* By today's policy. `key` and `value` are those of the connection's first direction. */
__noinline int judge_flow(const struct flow_key_v4 *key, struct flow_value_v4 *value)
{
	struct policy_query query = {};
	struct vif *from = 0;
	struct vif *to = 0;
	int began_here, is_both;
	__u32 rule = 0;

	if (!key || !value)
		return DROP_FLOW_TABLE_ERROR;
	if (value->flags & FLOW_SELF)
		return STEP_OK;
	began_here = (value->flags & FLOW_FORWARD) != 0;
	is_both = (value->flags & FLOW_BOTH) != 0;
	if (is_both ? began_here : (value->flags & FLOW_OUT) != 0)
		from = find_vif(key->zone, vlan_of(key));
	query.protocol = key->protocol;
	query.port = value->nat_dport;
	if (is_both && !began_here) {
		to = find_vif(key->zone, vlan_of(key));
		query.port = key->local_port;
	} else if (value->kind == NEXT_HOP_ENCAP) {
		to = find_vif(value->oif, value->oif_vlan);
	}
	if (from && from->kind == VIF_POD) {
		query.policy = from->policy;
		query.peer_identity = to ? to->identity : value->remote_identity;
		query.direction = value->flags & FLOW_TO_SERVICE ? POLICY_EGRESS_TO_SERVICE
								 : POLICY_EGRESS;
		if (!query.policy || !judge(&query, &rule))
			return DROP_POLICY_EGRESS;
	}
	if (to && to->kind == VIF_POD && !(value->flags & FLOW_FROM_NODE)) {
		query.policy = to->policy;
		query.peer_identity = from ? from->identity : value->remote_identity;
		query.direction = POLICY_INGRESS;
		if (!query.policy || !judge(&query, &rule))
			return DROP_POLICY_INGRESS;
	}
	value->rule = rule;
	return STEP_OK;
}

/* A record of the first direction whose packets the zone's pod sends. */
static __always_inline int is_begun_by_pod(const struct flow_key_v4 *key,
					   const struct flow_value_v4 *value)
{
	struct vif *vif;

	if (!(value->flags & FLOW_FORWARD) || value->flags & FLOW_IN)
		return 0;
	vif = find_vif(key->zone, vlan_of(key));
	return vif && vif->kind == VIF_POD;
}

/*
 * STEP_OK, the reason to end the flow, or STEP_ANEW. Each record is refreshed when it is used; the
 * verdict is that of the connection's first direction. Precondition: the flow is at the forward key.
 * Its steps are global functions: the verifier looks at each alone, not at all of their courses together.
 */
__noinline int refresh_flow(void)
{
	struct globals *g = get_globals();
	struct work *w = find_work();
	const struct flow_key_v4 *key;
	struct flow_value_v4 *value;
	struct flow_value_v4 *first;
	struct flow_key_v4 first_key;
	__be32 node;
	int step;

	if (!g || !w)
		return DROP_FLOW_TABLE_ERROR;
	key = &w->forward_key;
	value = bpf_map_lookup_elem(&flows_v4, key);
	if (!value)
		return STEP_ANEW;
	first = value;
	first_key = *key;
	step = refresh_source(key, value);
	if (step != STEP_OK)
		return step;
	__builtin_memcpy(&node, value->remote, 4);
	if (node && !is_begun_by_pod(key, value))
		step = refresh_tunnel(key, value);
	else
		refresh_identity(value, g);
	if (step != STEP_OK)
		return step;
	if (!(value->flags & (FLOW_FORWARD | FLOW_BOTH))) {
		if (!peer_key(key, value, &first_key))
			return STEP_ANEW;
		first = find_flow(&first_key);
		if (!first || !is_live(first))
			return STEP_ANEW;
		if (node)
			first->remote_identity = value->remote_identity;
	}
	if (is_begun_by_pod(&first_key, first)) {
		step = refresh_way(&first_key, first);
		/* Only a packet of the first direction can begin anew. */
		if (step == STEP_ANEW && (first != value || w->side != SIDE_OUT))
			step = DROP_NO_ROUTE;
		if (step != STEP_OK)
			return step;
	}
	return judge_flow(&first_key, first);
}

#endif
