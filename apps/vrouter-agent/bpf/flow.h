/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_FLOW_H
#define VROUTER_FLOW_H

/* The established packet: one flow lookup, its rewrite, its redirect. */
#include <stddef.h>

#include "drop.h"
#include "nat.h"

/* The nftables rule of the agent lets only marked packets from a Vif into the host's stack. */
#define MARK_TO_HOST 0x0ce00000

enum hook { HOOK_POD, HOOK_TUNNEL, HOOK_UPLINK, HOOK_HOST, HOOK_LOOPBACK };
enum side { SIDE_OUT, SIDE_IN };

static const __u8 gateway_mac[6] = {0x00, 0x00, 0x5e, 0x00, 0x01, 0x00};
static const __u8 no_mac[6];
/* Source of inner frames: a VXLAN device takes frames from its own MAC, the gateway's, for loops. */
static const __u8 tunnel_mac[6] = {0x02, 0x00, 0x5e, 0x00, 0x01, 0x03};

/* Both are aligned to two bytes. */
static __always_inline int is_same_mac(const __u8 *a, const __u8 *b)
{
	const __u16 *x = (const __u16 *)a;
	const __u16 *y = (const __u16 *)b;

	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2])) == 0;
}

/* Time of flows: about a millisecond, wraps after 52 days; compared as a difference. Never 0. */
static __always_inline __u32 flow_now(void)
{
	return (__u32)(bpf_ktime_get_ns() >> 20) | 1;
}

static __always_inline struct globals *get_globals(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&globals, &zero);
}

static __always_inline void key_out(struct flow_key_v4 *key, __u32 zone, __u16 vlan,
				    const struct packet *p)
{
	*key = (struct flow_key_v4){.zone = zone,
				    .vlan = vlan,
				    .protocol = p->protocol,
				    .local_port = p->sport,
				    .remote_port = p->dport,
				    .local = p->src,
				    .remote = p->dst};
}

static __always_inline void key_in(struct flow_key_v4 *key, __u32 zone, __u16 vlan,
				   const struct packet *p)
{
	*key = (struct flow_key_v4){.zone = zone,
				    .vlan = vlan,
				    .protocol = p->protocol,
				    .local_port = p->dport,
				    .remote_port = p->sport,
				    .local = p->dst,
				    .remote = p->src};
}

static __always_inline __u16 vlan_of(const struct flow_key_v4 *key)
{
	return key->vlan & ~VLAN_OTHER_SIDE;
}

/* Key of the record that belongs to this one; false when there is none. */
static __always_inline int peer_key(const struct flow_key_v4 *key, const struct flow_value_v4 *value,
				    struct flow_key_v4 *peer)
{
	int swap = (value->flags & FLOW_PEER_SWAP) != 0;

	if (!(value->flags & FLOW_PEER))
		return 0;
	*peer = (struct flow_key_v4){.zone = value->peer_zone,
				     .vlan = value->peer_vlan,
				     .protocol = key->protocol,
				     .local_port = swap ? value->nat_dport : value->nat_sport,
				     .remote_port = swap ? value->nat_sport : value->nat_dport,
				     .local = swap ? value->nat_dst : value->nat_src,
				     .remote = swap ? value->nat_src : value->nat_dst,
				     .remote_vrf = value->peer_zone & ZONE_VRF ? value->remote_vrf
									       : 0};
	return 1;
}

static __always_inline __u8 tcp_seen(__u8 flags)
{
	__u8 seen = 0;

	if (flags & TCP_SYN)
		seen |= TCP_SEEN_SYN;
	else if (flags & TCP_ACK)
		seen |= TCP_SEEN_ACK;
	if (flags & TCP_FIN)
		seen |= TCP_SEEN_FIN;
	if (flags & TCP_RST)
		seen |= TCP_SEEN_RST;
	return seen;
}

/*
 * Counters are not atomic: one direction of a flow runs on one CPU at a time, nearly always. An end
 * that goes on after a reset did not send it: a forged one shortens nothing for long.
 */
static __always_inline void account(struct __sk_buff *skb, const struct packet *p,
				    struct flow_value_v4 *value, enum side side)
{
	__u8 seen = tcp_seen(p->tcp_flags);

	if (side == SIDE_OUT) {
		value->packets_out += 1;
		value->bytes_out += skb->len;
		value->last_out = flow_now();
		seen |= value->tcp_out & ~TCP_SEEN_RST;
		if (seen != value->tcp_out)
			value->tcp_out = seen;
	} else {
		value->packets_in += 1;
		value->bytes_in += skb->len;
		value->last_in = flow_now();
		seen |= value->tcp_in & ~TCP_SEEN_RST;
		if (seen != value->tcp_in)
			value->tcp_in = seen;
	}
}

static __always_inline int set_macs(struct __sk_buff *skb, const __u8 *dmac, const __u8 *smac)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > end)
		return -1;
	__builtin_memcpy(eth->h_dest, dmac, 6);
	__builtin_memcpy(eth->h_source, smac, 6);
	return 0;
}

/* Into a pod: past the host's side of the pair from ingress hooks, through it elsewhere. */
static __always_inline int to_vif(struct __sk_buff *skb, __u32 ifindex, const __u8 *mac,
				  enum hook hook)
{
	if (set_macs(skb, mac, gateway_mac))
		return TC_ACT_SHOT;
	/* A packet on lo carries the host's route, which only the device itself lets go. */
	if (hook == HOOK_HOST || hook == HOOK_LOOPBACK)
		return bpf_redirect(ifindex, 0);
	if (skb->pkt_type != 0 /* PACKET_HOST */)
		bpf_skb_change_type(skb, 0);
	return bpf_redirect_peer(ifindex, 0);
}

static __always_inline int to_tunnel(struct __sk_buff *skb, const struct globals *g,
				     const struct flow_value_v4 *value)
{
	struct bpf_tunnel_key key = {};
	__be32 remote;

	__builtin_memcpy(&remote, value->remote, 4);
	key.tunnel_id = value->label;
	key.remote_ipv4 = bpf_ntohl(remote);
	key.tunnel_ttl = 64;
	if (set_macs(skb, value->dmac, tunnel_mac))
		return TC_ACT_SHOT;
	/* The size that every kernel since 5.10 knows. */
	if (bpf_skb_set_tunnel_key(skb, &key, offsetof(struct bpf_tunnel_key, local_ipv4),
				   BPF_F_ZERO_CSUM_TX))
		return TC_ACT_SHOT;
	return bpf_redirect(g->tunnel_ifindex, 0);
}

/* Into the node's stack, as from the device that the packet is on, or from the host interface. */
static __always_inline int to_host(struct __sk_buff *skb, const struct globals *g, enum hook hook)
{
	skb->mark = MARK_TO_HOST;
	if (hook == HOOK_HOST)
		return bpf_redirect(g->host_ifindex, BPF_F_INGRESS);
	if (skb->pkt_type != 0)
		bpf_skb_change_type(skb, 0);
	return TC_ACT_OK;
}

/* lo takes frames to its own address, which is zero, and leaves marked ones alone. */
static __always_inline int to_loopback(struct __sk_buff *skb, __u32 ifindex)
{
	if (set_macs(skb, no_mac, no_mac))
		return TC_ACT_SHOT;
	skb->mark = MARK_TO_HOST;
	return bpf_redirect(ifindex, BPF_F_INGRESS);
}

static __always_inline int act(struct __sk_buff *skb, const struct globals *g,
			       const struct flow_value_v4 *value, enum hook hook)
{
	switch (value->kind) {
	case NEXT_HOP_ENCAP:
		return to_vif(skb, value->oif, value->dmac, hook);
	case NEXT_HOP_TUNNEL:
		return to_tunnel(skb, g, value);
	case NEXT_HOP_RECEIVE:
		return to_host(skb, g, hook);
	case NEXT_HOP_FABRIC:
		return bpf_redirect_neigh(g->uplink_ifindex, 0, 0, 0);
	case NEXT_HOP_LOOPBACK:
		return to_loopback(skb, value->oif);
	default:
		return TC_ACT_SHOT;
	}
}

/* Can this record forward a packet that was found on this side of its zone? */
static __always_inline int serves(const struct flow_value_v4 *value, enum side side)
{
	return (value->flags & (side == SIDE_OUT ? FLOW_OUT | FLOW_BOTH : FLOW_IN | FLOW_BOTH)) != 0;
}

/* Rewrites and sends on. Precondition: serves(value, side). */
static __always_inline int send_on(struct __sk_buff *skb, const struct packet *p,
				   const struct globals *g, const struct flow_key_v4 *key,
				   const struct flow_value_v4 *value, enum side side, enum hook hook)
{
	if (side == SIDE_IN && value->flags & FLOW_BOTH) {
		if (key->zone == g->host_ifindex)
			return to_host(skb, g, hook);
		return to_vif(skb, key->zone, value->vif_mac, hook);
	}
	if (value->flags & FLOW_REWRITE) {
		struct tuple to = {.src = value->nat_src,
				   .dst = value->nat_dst,
				   .sport = value->nat_sport,
				   .dport = value->nat_dport};
		int reason = rewrite(skb, p, &to);
		if (reason)
			return drop(skb, p, reason, value->vrf);
	}
	return act(skb, g, value, hook);
}

/* Counts, rewrites and sends on. Precondition: serves(value, side). */
static __always_inline int forward(struct __sk_buff *skb, const struct packet *p,
				   const struct globals *g, const struct flow_key_v4 *key,
				   struct flow_value_v4 *value, enum side side, enum hook hook)
{
	account(skb, p, value, side);
	return send_on(skb, p, g, key, value, side, hook);
}

/*
 * The zone in which packets to an address of a VRF find their flow: that of the local interface the
 * host route leads to, of the host interface when the node itself is meant, or ZONE_VRF when several
 * interfaces have the address. 0: it is not here.
 */
static __always_inline __u32 local_zone(const struct globals *g, __u32 vrf, __be32 address,
					__u16 *vlan)
{
	struct host_route_key_v4 key = {.vrf = vrf, .address = address};
	struct route *route = bpf_map_lookup_elem(&host_routes_v4, &key);
	struct next_hop *hop;

	*vlan = 0;
	if (!route)
		return 0;
	hop = bpf_map_lookup_elem(&next_hops, &route->next_hop);
	if (!hop)
		return 0;
	switch (hop->kind) {
	case NEXT_HOP_ENCAP:
		*vlan = hop->vlan;
		return hop->ifindex;
	case NEXT_HOP_COMPOSITE:
		return ZONE_VRF | vrf;
	case NEXT_HOP_RECEIVE:
		return g->host_ifindex;
	default:
		return 0;
	}
}

/* A pod's interface: one zone, and not the node's. */
static __always_inline int is_pod_zone(const struct globals *g, __u32 zone)
{
	return zone && !(zone & ZONE_VRF) && zone != g->host_ifindex;
}

static __always_inline int is_live(const struct flow_value_v4 *value)
{
	return value->generation != FLOW_ENDED && value->generation != FLOW_IN_WORK;
}

/* Is the end behind the tunnel in this VRF? 0: it is not known which, so it may. */
static __always_inline int is_remote_in(const struct flow_value_v4 *value, __u32 vrf)
{
	return !value->remote_vrf || value->remote_vrf == vrf;
}

/*
 * Is the sender under this label the end behind the tunnel? An end that moves to a VRF which shares its
 * address with the old one is the same: within a space nobody else has that address.
 */
static __always_inline int is_sender(const struct flow_value_v4 *value, const struct label_in *label)
{
	return is_remote_in(value, label->sender_vrf) ||
	       (label->sender_space && value->remote_space == label->sender_space);
}

/*
 * The flow of a packet from a tunnel; `key` is where it is, or where a new one belongs (zone 0: the
 * destination is not here). Ends of two VRFs may have equal addresses and ports and call the same
 * interface: the first has the key of the interface, the others have keys with their VRF.
 */
static __always_inline struct flow_value_v4 *find_flow_in_zone(__u32 zone, __u16 vlan,
							       const struct packet *p,
							       const struct label_in *label,
							       struct flow_key_v4 *key)
{
	struct flow_value_v4 *first = 0;
	struct flow_value_v4 *value;
	int is_taken = 1;

	key_in(key, zone, vlan, p);
	if (!zone)
		return 0;
	if (!(zone & ZONE_VRF)) {
		first = bpf_map_lookup_elem(&flows_v4, key);
		is_taken = first && is_live(first) && !is_sender(first, label);
		if (first && is_live(first) && !is_taken)
			return first;
	}
	key->zone = ZONE_VRF | label->vrf;
	key->vlan = 0;
	key->remote_vrf = label->sender_vrf;
	value = bpf_map_lookup_elem(&flows_v4, key);
	if (is_taken || (value && is_live(value)))
		return value;
	key_in(key, zone, vlan, p);
	return first;
}

/* As `find_flow_in_zone`, in the zone that the routes of today say. */
static __always_inline struct flow_value_v4 *find_tunnel_flow(const struct globals *g,
							      const struct packet *p,
							      const struct label_in *label,
							      struct flow_key_v4 *key)
{
	__u16 vlan;
	__u32 zone = local_zone(g, label->vrf, p->dst, &vlan);

	return find_flow_in_zone(zone, vlan, p, label, key);
}

/* The first packet of a TCP connection: no record forwards it without a look. */
static __always_inline int is_opening(const struct packet *p)
{
	return (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/*
 * True when the fast path may use the record: current policy, right side, and no new connection
 * over an old one. Everything else is for the slow path.
 */
static __always_inline int is_usable(const struct flow_value_v4 *value, const struct packet *p,
				     const struct globals *g, enum side side)
{
	return value->generation == g->generation && serves(value, side) && !is_opening(p);
}

#endif
