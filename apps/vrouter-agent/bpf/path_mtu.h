/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_PATH_MTU_H
#define VROUTER_PATH_MTU_H

/*
 * Does a packet fit where its flow leads? Interfaces have different MTUs when that of the underlay was
 * changed. A packet with DF that is too big for the tunnel is answered; without DF the kernel
 * fragments around the tunnel header. What leaves past the stack nobody would fragment: always answered.
 */
#include "flow.h"

/* Bytes of IP in the biggest packet that this one becomes on a wire. */
static __always_inline __u32 wire_length(const struct __sk_buff *skb, const struct packet *p)
{
	if (skb->gso_size)
		return sizeof(struct iphdr) + p->transport_length + skb->gso_size;
	return skb->len - IP_OFFSET;
}

/* Receiving devices drop bigger packets from egress hooks; redirection from ingress hooks skips that. */
static __always_inline __u32 vif_mtu(__u32 ifindex, __u16 vlan, enum hook hook)
{
	struct vif_key key = {.ifindex = ifindex, .vlan = vlan};
	struct vif *vif;

	if (hook != HOOK_HOST && hook != HOOK_LOOPBACK)
		return 0;
	vif = bpf_map_lookup_elem(&vifs, &key);
	return vif ? vif->mtu : 0;
}

/* Every interface takes this much: only bigger packets need a look. */
#define MTU_UNQUESTIONED 1200

/* 0: the packet fits. Else the MTU that it exceeds. */
static __always_inline __u32 exceeded_mtu(struct __sk_buff *skb, const struct packet *p,
					  const struct globals *g, const struct flow_key_v4 *key,
					  const struct flow_value_v4 *value, enum side side,
					  enum hook hook)
{
	__u32 mtu = 0;

	if (skb->len <= IP_OFFSET + MTU_UNQUESTIONED)
		return 0;
	if (side == SIDE_IN && value->flags & FLOW_BOTH)
		mtu = vif_mtu(key->zone, key->vlan, hook);
	else if (value->kind == NEXT_HOP_TUNNEL)
		mtu = p->dont_fragment ? g->tunnel_mtu : 0;
	else if (value->kind == NEXT_HOP_FABRIC)
		mtu = g->uplink_mtu;
	else if (value->kind == NEXT_HOP_ENCAP)
		mtu = vif_mtu(value->oif, value->oif_vlan, hook);
	return mtu && wire_length(skb, p) > mtu ? mtu : 0;
}

/* May the fast path forward it at once? Fragments are remembered, big packets answered elsewhere. */
static __always_inline int is_plain(struct __sk_buff *skb, const struct packet *p,
				    const struct globals *g, const struct flow_key_v4 *key,
				    const struct flow_value_v4 *value, enum side side, enum hook hook)
{
	return is_usable(value, p, g, side) && !p->is_fragment &&
	       !exceeded_mtu(skb, p, g, key, value, side, hook);
}

#endif
