/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_FLOW_KEYS_H
#define VROUTER_FLOW_KEYS_H

/* Under which key each direction of a connection is looked up. */
#include "route.h"

static __always_inline void set_key(struct flow_key_v4 *key, const struct work *w, __u32 zone,
				    __u16 vlan)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->zone = zone;
	key->vlan = vlan;
	key->protocol = w->p.protocol;
}

/* Sides of the packet as it arrives. */
static __always_inline void set_arriving(struct flow_key_v4 *key, const struct work *w, int is_out)
{
	key->local = is_out ? w->p.src : w->p.dst;
	key->remote = is_out ? w->p.dst : w->p.src;
	key->local_port = is_out ? w->p.sport : w->p.dport;
	key->remote_port = is_out ? w->p.dport : w->p.sport;
}

/* Sides of the packet as it leaves. */
static __always_inline void set_leaving(struct flow_key_v4 *key, const struct work *w,
					int source_is_local)
{
	key->local = source_is_local ? w->to.src : w->to.dst;
	key->remote = source_is_local ? w->to.dst : w->to.src;
	key->local_port = source_is_local ? w->to.sport : w->to.dport;
	key->remote_port = source_is_local ? w->to.dport : w->to.sport;
}

/* Where the next packets of the first direction look, and on which side. */
__noinline int set_forward_key(void)
{
	struct globals *g = get_globals();
	struct work *w = find_work();
	struct label_in label = {};
	__u16 target_vlan = 0;
	__u32 target;
	__u32 zone;
	__u16 vlan;

	if (!g || !w)
		return DROP_NOT_CONFIGURED;
	zone = w->zone;
	vlan = w->vlan;
	label.vrf = w->vrf;
	label.sender_vrf = w->sender_vrf;
	label.sender_space = w->remote_space;
	w->side = SIDE_OUT;
	switch (w->hook) {
	case HOOK_TUNNEL:
		w->side = SIDE_IN;
		if (!w->is_known)
			w->called_zone = local_zone(g, w->vrf, w->p.dst, &w->called_vlan);
		find_flow_in_zone(w->called_zone, w->called_vlan, &w->p, &label, &w->forward_key);
		return w->forward_key.zone ? STEP_OK : DROP_TUNNEL_NOT_LOCAL;
	case HOOK_UPLINK:
		w->side = SIDE_IN;
		break;
	case HOOK_HOST:
		target = local_zone(g, w->vrf, w->p.dst, &target_vlan);
		if (is_pod_zone(g, target)) {
			zone = target;
			vlan = target_vlan;
			w->side = SIDE_IN;
		}
		break;
	default:
		break;
	}
	set_key(&w->forward_key, w, zone, vlan);
	set_arriving(&w->forward_key, w, w->side == SIDE_OUT);
	return STEP_OK;
}

/* The interface at which answers of the node, or through a tunnel, look for their record. */
static __always_inline void set_answer_zone(struct work *w, const struct globals *g)
{
	__u16 vlan = 0;
	__u32 zone;

	w->answer_zone = w->zone;
	w->answer_vlan = w->vlan;
	if (w->kind == NEXT_HOP_TUNNEL) {
		zone = local_zone(g, w->vrf, w->to.src, &vlan);
		if (zone & ZONE_VRF) {
			w->answer_zone = zone;
			w->answer_vlan = 0;
		}
	} else if (w->kind != NEXT_HOP_ENCAP && w->kind != NEXT_HOP_FABRIC) {
		zone = local_zone(g, g->fabric_vrf, w->to.src, &vlan);
		if (zone != w->zone || vlan != w->vlan) {
			w->answer_zone = g->host_ifindex;
			w->answer_vlan = 0;
		}
	}
}

/* How the connection is answered. Precondition: resolved. */
static __noinline int resolve_answer(struct work *w, const struct globals *g)
{
	set_answer_zone(w, g);
	if (w->hook != HOOK_TUNNEL)
		return STEP_OK;
	w->answer_label = find_label(w->sender_vrf, w->to_identity);
	return w->answer_label ? STEP_OK : DROP_NO_LABEL;
}

/* Where the answers look; depends on the source port, so it is made again for each one tried. */
static __always_inline int set_reverse_key(struct work *w, const struct globals *g)
{
	int is_in;

	switch (w->kind) {
	case NEXT_HOP_ENCAP: /* the pod sends it */
		set_key(&w->reverse_key, w, w->oif, w->oif_vlan);
		set_leaving(&w->reverse_key, w, 0);
		return FLOW_OUT;
	case NEXT_HOP_FABRIC:
		set_key(&w->reverse_key, w, g->uplink_ifindex, 0);
		set_leaving(&w->reverse_key, w, 1);
		return FLOW_IN;
	case NEXT_HOP_TUNNEL: /* it comes to the interface that began */
		set_key(&w->reverse_key, w, w->answer_zone, w->answer_vlan);
		if (w->answer_zone & ZONE_VRF)
			w->reverse_key.remote_vrf = w->target_vrf;
		set_leaving(&w->reverse_key, w, 1);
		return FLOW_IN;
	default: /* the node answers through the host interface */
		is_in = w->answer_zone != g->host_ifindex;
		set_key(&w->reverse_key, w, w->answer_zone, w->answer_vlan);
		set_leaving(&w->reverse_key, w, is_in);
		return is_in ? FLOW_IN : FLOW_OUT;
	}
}

static __always_inline int is_same_key(const struct flow_key_v4 *a, const struct flow_key_v4 *b)
{
	return a->zone == b->zone && a->vlan == b->vlan && a->protocol == b->protocol &&
	       a->local == b->local && a->remote == b->remote && a->local_port == b->local_port &&
	       a->remote_port == b->remote_port && a->remote_vrf == b->remote_vrf;
}

#endif
