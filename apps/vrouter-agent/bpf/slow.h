/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_SLOW_H
#define VROUTER_SLOW_H

/* First packets, and whatever the fast path did not want to decide. */
#include "arp.h"
#include "asked_address.h"
#include "icmp_error.h"
#include "refresh.h"
#include "reject.h"
#include "known_courses.h"

static __always_inline int drop_work(struct __sk_buff *skb, const struct work *w, __u32 reason)
{
	return drop_rule(skb, &w->p, reason, w->vrf, w->rule);
}

/* The other half of a connection of two records; 0: it is gone, or there is none. */
static __always_inline struct flow_value_v4 *find_live_peer(const struct flow_key_v4 *key,
							    const struct flow_value_v4 *value)
{
	struct flow_value_v4 *peer = 0;
	struct flow_key_v4 other;

	if (peer_key(key, value, &other))
		peer = find_flow(&other);
	return peer && is_live(peer) ? peer : 0;
}

/* Is a connection that a SYN would open again on its way out? */
static __always_inline int is_closing(const struct flow_key_v4 *key,
				      const struct flow_value_v4 *value)
{
	__u8 seen = value->tcp_out | value->tcp_in;
	struct flow_value_v4 *peer;

	if (value->flags & FLOW_PEER) {
		peer = find_live_peer(key, value);
		/* Half a connection is none. */
		if (!peer)
			return 1;
		seen |= peer->tcp_out | peer->tcp_in;
	}
	return (seen & (TCP_SEEN_FIN | TCP_SEEN_RST)) != 0;
}

/* Are both halves of the connection there? */
static __always_inline int is_whole(const struct flow_key_v4 *key, const struct flow_value_v4 *value)
{
	return !(value->flags & FLOW_PEER) || find_live_peer(key, value) != 0;
}

/*
 * Is this a SYN that nobody answered yet, to a backend that its service would not choose today? Who opens
 * a connection to a backend that left repeats the SYN, and is served by another one. Precondition:
 * the flow is at the forward key and whole.
 */
__noinline int is_forsaken(void)
{
	struct globals *g = get_globals();
	struct work *w = find_work();
	struct flow_value_v4 *value;
	struct flow_value_v4 *peer;
	struct service *service = 0;
	struct backend *backend;
	__be32 address;

	if (!g || !w)
		return 0;
	value = find_flow(&w->forward_key);
	if (!value || !value->service || !(value->flags & FLOW_FORWARD))
		return 0;
	peer = find_live_peer(&w->forward_key, value);
	if (!peer || peer->last_out || peer->last_in)
		return 0;
	if (w->hook == HOOK_POD || w->hook == HOOK_HOST)
		service = find_service(w->vrf, w->p.dst, w->p.protocol, w->p.dport);
	if (!service)
		service = find_node_service(g, &w->p, w->hook);
	if (!service || !service->slot_count)
		return 1;
	backend = choose_backend(service, w);
	if (!backend)
		return 1;
	__builtin_memcpy(&address, backend->address, 4);
	return address != value->nat_dst || backend->port != value->nat_dport ||
	       backend->vrf != value->to_vrf;
}

/*
 * The record under w->forward_key, which moves to the key of the other side when the tuple belongs to
 * a connection that serves only the opposite direction: that one is live and stays.
 */
static __always_inline struct flow_value_v4 *find_own_side(struct work *w)
{
	struct flow_value_v4 *first = find_flow(&w->forward_key);
	struct flow_value_v4 *second;
	int is_others = 0;

	if (first && is_live(first)) {
		if (serves(first, w->side))
			return first;
		is_others = is_whole(&w->forward_key, first);
	}
	w->forward_key.vlan |= VLAN_OTHER_SIDE;
	second = find_flow(&w->forward_key);
	if (is_others || (second && is_live(second)))
		return second;
	w->forward_key.vlan &= ~VLAN_OTHER_SIDE;
	return first;
}

static __always_inline int is_sent_by(const struct flow_value_v4 *value, const struct work *w)
{
	struct label_in label = {.sender_vrf = w->sender_vrf, .sender_space = w->remote_space};

	return is_sender(value, &label);
}

/* Who sends from the tunnel says by the label in which VRF it is now. */
static __always_inline void learn_label(struct flow_value_v4 *value, const struct work *w)
{
	value->in_label = w->in_label;
	value->remote_space = w->remote_space;
	if (value->remote_vrf)
		value->remote_vrf = w->sender_vrf;
}

/*
 * 1: an existing flow took the packet, w->verdict says how. 0: the packet begins a new flow. When
 * `exceeded_mtu` is set afterwards the packet is still to be answered.
 */
__noinline int use_flow(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct work *w = find_work();
	struct flow_value_v4 *value;
	__u32 generation;
	enum side side;
	int step;

	if (!g || !w)
		return 0;
	side = w->side;
	value = find_own_side(w);
	if (!value || !is_live(value))
		return 0;
	if (w->hook == HOOK_TUNNEL && !is_sent_by(value, w))
		return 0;
	if (!serves(value, side) ||
	    (is_opening(&w->p) &&
	     (is_closing(&w->forward_key, value) || is_forsaken()))) {
		end_flow(&w->forward_key, value);
		return 0;
	}
	generation = value->generation;
	if (generation != w->generation || (w->in_label && value->in_label != w->in_label)) {
		if (w->in_label)
			learn_label(value, w);
		step = refresh_flow();
		if (step != STEP_OK)
			end_flow(&w->forward_key, value);
		if (step == STEP_ANEW)
			return 0;
		if (step != STEP_OK) {
			w->verdict = drop_work(skb, w, step);
			return 1;
		}
		/* Not when it ended meanwhile. */
		__sync_val_compare_and_swap(&value->generation, generation, w->generation);
	}
	w->exceeded_mtu = exceeded_mtu(skb, &w->p, g, &w->forward_key, value, side, w->hook);
	if (w->exceeded_mtu)
		return 1;
	if (w->p.is_fragment && w->p.l4)
		remember_fragment(w, 0);
	w->verdict = forward(skb, &w->p, g, &w->forward_key, value, side, w->hook);
	return 1;
}

/* What is left to do once a flow took the packet. */
static __always_inline int conclude(struct __sk_buff *skb, struct work *w, const struct globals *g)
{
	return w->exceeded_mtu ? answer_too_big(skb, w, g) : w->verdict;
}

/* Sends on the packet that began the flow in w->forward. Its record needs no look: we have just written it. */
static __always_inline int begin_flow(struct __sk_buff *skb, struct work *w, const struct globals *g)
{
	if (w->exceeded_mtu)
		return answer_too_big(skb, w, g);
	if (w->p.is_fragment && w->p.l4)
		remember_fragment(w, 0);
	return send_on(skb, &w->p, g, &w->forward_key, &w->forward, w->side, w->hook);
}

/* A later fragment: with the ports of the first one it is a packet like any other. */
static __always_inline int follow_first_fragment(struct __sk_buff *skb, struct work *w,
					    const struct globals *g)
{
	struct fragment_v4 *first;
	int step = set_forward_key();

	if (step != STEP_OK)
		return drop_work(skb, w, step);
	first = find_first_fragment(w);
	if (!first && answer_as_asked(skb) == STEP_OK)
		first = find_first_fragment(w);
	/* To the node's own addresses come fragments of others, too. */
	if (!first && (w->hook == HOOK_UPLINK || w->hook == HOOK_LOOPBACK))
		return TC_ACT_OK;
	if (!first)
		return drop_work(skb, w, DROP_LATER_FRAGMENT);
	if (w->p.fragment_offset < first->end)
		return drop_work(skb, w, DROP_FRAGMENT_OVERLAP);
	if (first->flags & FRAGMENT_TO_GATEWAY)
		return answer_echo(skb, w, g);
	w->p.sport = first->sport;
	w->p.dport = first->dport;
	step = set_forward_key();
	if (step == STEP_OK && use_flow(skb))
		return conclude(skb, w, g);
	return drop_work(skb, w, DROP_LATER_FRAGMENT);
}

/* Where a new connection goes, whether it may, and how it is answered; the next one alike need not ask. */
static __always_inline int find_course(struct work *w, const struct globals *g)
{
	int step = resolve();

	if (step == STEP_OK)
		step = judge_work(w);
	if (step == STEP_OK)
		step = resolve_answer(w, g);
	if (step != STEP_OK)
		return step;
	w->network_max_flows = network_limit(paying_network(w));
	learn_course(w);
	return step;
}

/* The whole of a first packet's way; `w` says where it came from. */
static __always_inline int slow_path(struct __sk_buff *skb, struct work *w, const struct globals *g)
{
	int step = set_forward_key();

	if (step == STEP_OK && use_flow(skb))
		return conclude(skb, w, g);
	if (step == STEP_OK) {
		step = answer_as_asked(skb);
		if (step == STEP_OK) {
			/* It has another source now. */
			w->is_known = 0;
			w->is_tuple_bound = 1;
			step = set_forward_key();
		}
		if (step == STEP_OK && use_flow(skb))
			return conclude(skb, w, g);
		if (step == STEP_ANEW)
			step = STEP_OK;
	}
	if (step == STEP_OK && w->is_answer)
		step = judge_answer(w, g);
	if (step == STEP_OK && !w->is_known)
		step = find_course(w, g);
	if (step == STEP_OK)
		step = create_flow(skb);
	switch (step) {
	case STEP_OK:
		return begin_flow(skb, w, g);
	case STEP_RETRY:
		if (use_flow(skb))
			return conclude(skb, w, g);
		return drop_work(skb, w, DROP_FLOW_TABLE_ERROR);
	case STEP_REFUSE:
		return refuse(skb, w, g);
	case STEP_UNTOUCHED:
		return TC_ACT_OK;
	case STEP_ECHO:
		return answer_echo(skb, w, g);
	default:
		return drop_work(skb, w, step);
	}
}

/* `zone` is that of the sending interface, or of the one that the quoted packet came from. */
static __always_inline int slow_icmp_error(struct __sk_buff *skb, struct work *w,
					   const struct globals *g)
{
	struct quoted quoted;
	struct flow_value_v4 *value;
	struct packet *answer = &quoted.as_answer;
	enum side side = SIDE_OUT;
	__u32 zone = w->zone;
	__u16 vlan = w->vlan;
	int reason = parse_quoted(skb, &w->p, &quoted);

	/* About something that no program sent. */
	if (reason && w->hook == HOOK_UPLINK)
		return TC_ACT_OK;
	if (reason)
		return drop_work(skb, w, reason);
	if (w->hook == HOOK_TUNNEL) {
		struct label_in label = {.vrf = w->vrf,
					 .sender_vrf = w->sender_vrf,
					 .sender_space = w->remote_space};
		side = SIDE_IN;
		find_tunnel_flow(g, answer, &label, &w->forward_key);
	} else {
		if (w->hook != HOOK_POD) {
			__u32 local = local_zone(g, w->vrf, answer->dst, &vlan);
			if (w->hook == HOOK_UPLINK || is_pod_zone(g, local))
				side = SIDE_IN;
			if (side == SIDE_IN && w->hook != HOOK_UPLINK)
				zone = local;
		}
		if (side == SIDE_OUT)
			key_out(&w->forward_key, zone, vlan, answer);
		else
			key_in(&w->forward_key, zone, vlan, answer);
	}
	zone = w->forward_key.zone;
	w->side = side;
	value = find_own_side(w);
	if (!value || !is_live(value) || !serves(value, side))
		return w->hook == HOOK_UPLINK ? TC_ACT_OK : drop_work(skb, w, DROP_ICMP_UNRELATED);
	if (w->hook == HOOK_POD && !w->any_mac && w->p.src != answer->src)
		return drop_work(skb, w, DROP_SOURCE_ADDRESS);
	if (side == SIDE_IN && value->flags & FLOW_BOTH) {
		if (zone == g->host_ifindex)
			return to_host(skb, g, w->hook);
		return to_vif(skb, zone, value->vif_mac, w->hook);
	}
	if (value->flags & FLOW_REWRITE) {
		reason = translate_error(skb, &w->p, &quoted, value);
		if (reason)
			return drop_work(skb, w, reason);
	}
	return act(skb, g, value, w->hook);
}

/* 224.0.0.0/4, 240.0.0.0/4 and broadcast; 0.0.0.0/8; 127.0.0.0/8 */
static __always_inline int is_unicast(__be32 address)
{
	__u32 first = bpf_ntohl(address) >> 24;

	return first && first != 127 && first < 224;
}

/* What every hook but the uplink's and lo's does with what is no ordinary packet. */
static __always_inline int slow_by_result(struct __sk_buff *skb, struct work *w,
					  const struct globals *g, int result)
{
	switch (result) {
	case PARSE_ARP:
	case PARSE_OTHER:
		return drop(skb, 0, DROP_ETHERTYPE, w->vrf);
	case PARSE_IPV6:
		return drop(skb, 0, DROP_IPV6, w->vrf);
	case PARSE_MALFORMED:
		return drop(skb, 0, DROP_MALFORMED, w->vrf);
	}
	if (!is_unicast(w->p.dst))
		return drop_work(skb, w, DROP_NOT_UNICAST);
	switch (result) {
	case PARSE_OK:
		return slow_path(skb, w, g);
	case PARSE_FRAGMENT:
		return follow_first_fragment(skb, w, g);
	case PARSE_ICMP_ERROR:
		return slow_icmp_error(skb, w, g);
	case PARSE_ICMP_TYPE:
		return drop_work(skb, w, DROP_ICMP_TYPE);
	case PARSE_TINY:
		return drop_work(skb, w, DROP_FRAGMENT_TINY);
	default:
		return drop_work(skb, w, DROP_IP_OPTIONS);
	}
}

#endif
