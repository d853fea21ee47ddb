// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The forwarding plane. Each hook has two programs: the attached one finds the packet's flow and
 * forwards; `…_slow`, reached by a tail call, makes flows. docs/datapath.md tells the whole story.
 */
#include "slow.h"
#include "sweep.h"
#include "tunnel_place.h"

/* Numbers are the same in every version: the agent writes ours into the array of another layout. */
enum slow_program { SLOW_POD, SLOW_TUNNEL, SLOW_UPLINK, SLOW_HOST, SLOW_LOOPBACK, SLOW_COUNT };

int pod_slow(struct __sk_buff *skb);
int tunnel_slow(struct __sk_buff *skb);
int uplink_slow(struct __sk_buff *skb);
int host_slow(struct __sk_buff *skb);
int loopback_slow(struct __sk_buff *skb);

/* Pinned like the other maps: the kernel empties it when nobody holds it. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SLOW_COUNT);
	__type(key, __u32);
	__array(values, int(struct __sk_buff *));
} slow_programs SEC(".maps") = {
	.values = {
		[SLOW_POD] = &pod_slow,
		[SLOW_TUNNEL] = &tunnel_slow,
		[SLOW_UPLINK] = &uplink_slow,
		[SLOW_HOST] = &host_slow,
		[SLOW_LOOPBACK] = &loopback_slow,
	},
};

static __always_inline int go_slow(struct __sk_buff *skb, enum slow_program program)
{
	bpf_tail_call(skb, &slow_programs, program);
	/* Without its slow half a hook is closed. */
	return drop(skb, 0, DROP_NOT_CONFIGURED, 0);
}

/* ---- ingress of the host's side of a pod's pair ---- */

SEC("tc")
int pod(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct flow_value_v4 *value;
	struct flow_key_v4 key;
	struct packet p = {};

	if (!g || !g->node_address)
		return drop(skb, 0, DROP_NOT_CONFIGURED, 0);
	if (skb->vlan_present || parse(skb, &p) != PARSE_OK || is_opening(&p))
		return go_slow(skb, SLOW_POD);
	key_out(&key, skb->ifindex, 0, &p);
	value = bpf_map_lookup_elem(&flows_v4, &key);
	if (!value || !is_plain(skb, &p, g, &key, value, SIDE_OUT, HOOK_POD))
		return go_slow(skb, SLOW_POD);
	if (!(value->flags & FLOW_ANY_MAC) && !is_same_mac(p.smac, value->vif_mac))
		return drop(skb, &p, DROP_SOURCE_MAC, value->vrf);
	return forward(skb, &p, g, &key, value, SIDE_OUT, HOOK_POD);
}

SEC("tc")
int pod_slow(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct work *w = get_work(g);
	__u32 vrf = 0;
	int result;

	if (!g || !w)
		return drop(skb, 0, DROP_NOT_CONFIGURED, 0);
	if (skb->vlan_present)
		return drop(skb, 0, DROP_VLAN, 0);
	w->hook = HOOK_POD;
	w->zone = skb->ifindex;
	result = parse(skb, &w->p);
	if ((result != PARSE_OK || !recall_course(w)) && !set_sending_vif(w, &vrf))
		return drop(skb, 0, DROP_NOT_PROGRAMMED, vrf);
	if (result == PARSE_ARP)
		return answer_arp(skb, w);
	if (has_addresses(result)) {
		if (!w->any_mac && !is_same_mac(w->p.smac, w->mac))
			return drop_work(skb, w, DROP_SOURCE_MAC);
		if (!w->is_known && !w->any_mac && !is_source(w->zone, w->vlan, w->p.src))
			return drop_work(skb, w, DROP_SOURCE_ADDRESS);
	}
	return slow_by_result(skb, w, g, result);
}

/* ---- ingress of the VXLAN device ---- */

/* The outer header: who sent it, and under which label. 0: it came past the tunnel. */
static __always_inline int read_tunnel(struct __sk_buff *skb, __be32 *remote, __u32 *vni)
{
	struct bpf_tunnel_key key = {};

	if (bpf_skb_get_tunnel_key(skb, &key, offsetof(struct bpf_tunnel_key, local_ipv4), 0))
		return 0;
	*remote = bpf_htonl(key.remote_ipv4);
	*vni = key.tunnel_id;
	return 1;
}

SEC("tc")
int tunnel(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct tunnel_place *place;
	struct flow_value_v4 *value;
	struct flow_key_v4 key;
	struct packet p = {};
	__be32 remote = 0;
	__u32 vni = 0;

	if (!g || !g->node_address)
		return drop(skb, 0, DROP_NOT_CONFIGURED, 0);
	if (!read_tunnel(skb, &remote, &vni) || parse(skb, &p) != PARSE_OK || is_opening(&p))
		return go_slow(skb, SLOW_TUNNEL);
	place = find_place(g, vni, p.dst);
	if (!place)
		return go_slow(skb, SLOW_TUNNEL);
	value = find_flow_in_zone(place->zone, place->vlan, &p, &place->label, &key);
	if (!value || !is_plain(skb, &p, g, &key, value, SIDE_IN, HOOK_TUNNEL) ||
	    !is_sender(value, &place->label))
		return go_slow(skb, SLOW_TUNNEL);
	/* Another label is another identity; the first one is learned with the first answer. */
	vni &= ~VNI_ANSWER;
	if (value->in_label != vni) {
		if (value->in_label)
			return go_slow(skb, SLOW_TUNNEL);
		value->in_label = vni;
		value->remote_space = place->label.sender_space;
	}
	if (*(__be32 *)value->remote != remote && !is_node(remote))
		return drop(skb, &p, DROP_UNKNOWN_NODE, value->vrf);
	return forward(skb, &p, g, &key, value, SIDE_IN, HOOK_TUNNEL);
}

SEC("tc")
int tunnel_slow(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct work *w = get_work(g);
	struct label_in *label = 0;
	struct route *route;
	__u32 vni = 0;
	int is_tunneled;
	int result;

	if (!g || !w)
		return drop(skb, 0, DROP_NOT_CONFIGURED, 0);
	w->hook = HOOK_TUNNEL;
	w->zone = g->tunnel_ifindex;
	is_tunneled = read_tunnel(skb, &w->tunnel_remote, &vni);
	w->is_answer = (vni & VNI_ANSWER) != 0;
	w->in_label = vni & ~VNI_ANSWER;
	result = parse(skb, &w->p);
	if (is_tunneled && result == PARSE_OK && recall_course(w))
		return slow_by_result(skb, w, g, result);
	if (is_tunneled)
		label = bpf_map_lookup_elem(&labels_in, &w->in_label);
	if (!is_node(w->tunnel_remote))
		return drop_work(skb, w, DROP_UNKNOWN_NODE);
	if (!label)
		return drop_work(skb, w, DROP_UNKNOWN_LABEL);
	if (result == PARSE_ARP)
		return drop(skb, 0, DROP_ARP_FROM_TUNNEL, label->vrf);
	w->vrf = label->vrf;
	w->identity = label->identity;
	w->sender_vrf = label->sender_vrf;
	w->remote_space = label->sender_space;
	if (!w->identity && result == PARSE_OK) {
		route = find_route(label->sender_vrf, w->p.src);
		w->identity = route ? route->identity : 0;
	}
	return slow_by_result(skb, w, g, result);
}

/* ---- ingress of the uplink ---- */

/* Could a packet for the node's own address be the first one to a hostPort? */
static __always_inline int is_for_node_service(const struct packet *p, const struct globals *g,
					       enum hook hook)
{
	if (p->protocol == IPPROTO_TCP) {
		if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
			return 0;
	} else if (p->protocol != IPPROTO_UDP) {
		return 0;
	}
	return find_node_service(g, p, hook) != 0;
}

SEC("tc")
int uplink(struct __sk_buff *skb)
{
	struct globals *g;
	struct flow_value_v4 *value;
	struct flow_key_v4 key;
	struct packet p = {};
	int result;

	if (is_tunnel_packet(skb))
		return TC_ACT_OK;
	g = get_globals();
	if (!g || !g->node_address)
		return TC_ACT_OK;
	result = parse(skb, &p);
	if (result == PARSE_ICMP_ERROR || result == PARSE_FRAGMENT)
		return go_slow(skb, SLOW_UPLINK);
	if (result != PARSE_OK || (p.protocol == IPPROTO_UDP && p.dport == bpf_htons(TUNNEL_PORT)))
		return TC_ACT_OK;
	key_in(&key, g->uplink_ifindex, 0, &p);
	value = bpf_map_lookup_elem(&flows_v4, &key);
	if (value && is_plain(skb, &p, g, &key, value, SIDE_IN, HOOK_UPLINK))
		return forward(skb, &p, g, &key, value, SIDE_IN, HOOK_UPLINK);
	/* While flows of another layout are taken over, only the slow path knows them all. */
	if (value || get_other_flows() || is_for_node_service(&p, g, HOOK_UPLINK))
		return go_slow(skb, SLOW_UPLINK);
	return TC_ACT_OK;
}

/* Neither of a flow nor the first packet of one: the node's own business. */
static __noinline int is_stranger(struct work *w, const struct globals *g)
{
	if (set_forward_key() != STEP_OK)
		return 1;
	return !find_flow(&w->forward_key) && !is_for_node_service(&w->p, g, w->hook);
}

SEC("tc")
int uplink_slow(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct work *w = get_work(g);
	int result;

	if (!g || !w)
		return drop(skb, 0, DROP_NOT_CONFIGURED, 0);
	w->hook = HOOK_UPLINK;
	w->zone = g->uplink_ifindex;
	w->vrf = g->fabric_vrf;
	result = parse(skb, &w->p);
	if (result == PARSE_ICMP_ERROR)
		return slow_icmp_error(skb, w, g);
	if (result == PARSE_FRAGMENT)
		return follow_first_fragment(skb, w, g);
	if (result != PARSE_OK || is_stranger(w, g))
		return TC_ACT_OK;
	return slow_path(skb, w, g);
}

/* ---- egress of the host interface: what the node's own processes send to pods and services ---- */

SEC("tc")
int host(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct flow_value_v4 *value;
	struct flow_key_v4 key;
	struct packet p = {};
	enum side side;
	__u32 zone;
	__u16 vlan;
	int result;

	if (!g || !g->node_address)
		return drop(skb, 0, DROP_NOT_CONFIGURED, 0);
	result = parse(skb, &p);
	/* The device's own IPv6 and ARP go nowhere. */
	if (result == PARSE_IPV6 || result == PARSE_ARP || result == PARSE_OTHER)
		return TC_ACT_OK;
	/* Of others, routed by the node: they must not pass as the node's own, which no policy stops. */
	if (skb->ingress_ifindex)
		return drop(skb, result == PARSE_OK ? &p : 0, DROP_FORWARDED, g->fabric_vrf);
	if (result != PARSE_OK)
		return go_slow(skb, SLOW_HOST);
	zone = local_zone(g, g->fabric_vrf, p.dst, &vlan);
	if (is_pod_zone(g, zone)) {
		side = SIDE_IN;
		key_in(&key, zone, vlan, &p);
	} else {
		side = SIDE_OUT;
		key_out(&key, g->host_ifindex, 0, &p);
	}
	value = bpf_map_lookup_elem(&flows_v4, &key);
	if (!value || !is_plain(skb, &p, g, &key, value, side, HOOK_HOST))
		return go_slow(skb, SLOW_HOST);
	return forward(skb, &p, g, &key, value, side, HOOK_HOST);
}

SEC("tc")
int host_slow(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct work *w = get_work(g);

	if (!g || !w)
		return drop(skb, 0, DROP_NOT_CONFIGURED, 0);
	w->hook = HOOK_HOST;
	w->zone = g->host_ifindex;
	w->vrf = g->fabric_vrf;
	w->sender_vrf = g->fabric_vrf;
	w->identity = g->host_identity;
	w->any_mac = 1;
	return slow_by_result(skb, w, g, parse(skb, &w->p));
}

/* ---- ingress of lo: hostPorts on 127.0.0.1 and on the node's own address ---- */

SEC("tc")
int loopback(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct flow_value_v4 *value;
	struct flow_key_v4 key;
	struct packet p = {};
	int result;

	/* An answer that was just put back here. */
	if (skb->mark == MARK_TO_HOST || !g || !g->node_address)
		return TC_ACT_OK;
	result = parse(skb, &p);
	if (result == PARSE_FRAGMENT)
		return go_slow(skb, SLOW_LOOPBACK);
	if (result != PARSE_OK || (p.protocol != IPPROTO_TCP && p.protocol != IPPROTO_UDP))
		return TC_ACT_OK;
	key_out(&key, skb->ifindex, 0, &p);
	value = bpf_map_lookup_elem(&flows_v4, &key);
	if (value && is_plain(skb, &p, g, &key, value, SIDE_OUT, HOOK_LOOPBACK))
		return forward(skb, &p, g, &key, value, SIDE_OUT, HOOK_LOOPBACK);
	if (value || get_other_flows() || is_for_node_service(&p, g, HOOK_LOOPBACK))
		return go_slow(skb, SLOW_LOOPBACK);
	return TC_ACT_OK;
}

SEC("tc")
int loopback_slow(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct work *w = get_work(g);
	int result;

	if (!g || !w)
		return drop(skb, 0, DROP_NOT_CONFIGURED, 0);
	w->hook = HOOK_LOOPBACK;
	w->zone = skb->ifindex;
	w->vrf = g->fabric_vrf;
	w->sender_vrf = g->fabric_vrf;
	w->identity = g->host_identity;
	w->any_mac = 1;
	result = parse(skb, &w->p);
	if (result == PARSE_FRAGMENT)
		return follow_first_fragment(skb, w, g);
	if (result != PARSE_OK || is_stranger(w, g))
		return TC_ACT_OK;
	return slow_path(skb, w, g);
}

/* ---- run by the agent ---- */

SEC("syscall")
int sweep(void *context)
{
	__u32 zero = 0;
	struct sweep *command = bpf_map_lookup_elem(&sweep_command, &zero);
	struct sweep state;

	if (!command)
		return 1;
	state = *command;
	state.kept = 0;
	state.removed = 0;
	if (state.recount)
		bpf_for_each_map_elem(&usages, begin_recount, 0, 0);
	bpf_for_each_map_elem(&flows_v4, sweep_flow, &state, 0);
	if (state.recount)
		bpf_for_each_map_elem(&usages, end_recount, 0, 0);
	command->kept = state.kept;
	command->removed = state.removed;
	return 0;
}

char license_text[] SEC("license") = "Dual BSD/GPL";
