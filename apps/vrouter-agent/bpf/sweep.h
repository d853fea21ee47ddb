/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_SWEEP_H
#define VROUTER_SWEEP_H

/*
 * Ends flows: those that idled too long, those of an interface that goes, those translated to a
 * backend that went. Runs in the kernel when the agent asks; both records of a connection end as one.
 * Records that ended are deleted by the next sweep that finds them old enough.
 */
#include "flow_end.h"

struct flow_pair {
	struct flow_value_v4 *value;
	struct flow_value_v4 *peer; /* 0: none */
};

/* What was seen one way and the other. A record with a peer counts one direction only. */
static __always_inline __u32 timeout_of(const struct flow_pair *pair, __u8 protocol,
					const struct globals *g)
{
	const struct flow_value_v4 *value = pair->value;
	const struct flow_value_v4 *peer = pair->peer;
	__u8 one = peer ? value->tcp_out | value->tcp_in : value->tcp_out;
	__u8 other = peer ? peer->tcp_out | peer->tcp_in : value->tcp_in;
	int is_answered = peer ? (value->last_out || value->last_in) &&
					 (peer->last_out || peer->last_in)
			       : value->last_out && value->last_in;

	switch (protocol) {
	case IPPROTO_TCP:
		if ((one | other) & TCP_SEEN_RST || one & other & TCP_SEEN_FIN)
			return g->tcp_closing_s;
		if ((one | other) & TCP_SEEN_FIN)
			return g->tcp_half_open_s;
		return one && other && (one | other) & TCP_SEEN_ACK ? g->tcp_established_s
								   : g->tcp_half_open_s;
	case IPPROTO_ICMP:
		return g->icmp_s;
	default:
		return is_answered ? g->udp_stream_s : g->udp_s;
	}
}

#define NEVER_USED 0xffffffff

static __always_inline __u32 since(__u32 last, __u32 now)
{
	/* A packet may have come after `now` was read. */
	return (__s32)(now - last) < 0 ? 0 : now - last;
}

static __always_inline __u32 idle_of(const struct flow_value_v4 *value, __u32 now)
{
	__u32 out = value->last_out ? since(value->last_out, now) : NEVER_USED;
	__u32 in = value->last_in ? since(value->last_in, now) : NEVER_USED;

	return out < in ? out : in;
}

static __always_inline int is_wanted(const struct sweep *sweep, const struct flow_key_v4 *key,
				     const struct flow_pair *pair, const struct globals *g)
{
	const struct flow_value_v4 *value = pair->value;
	__u32 idle;
	__u32 peer_idle;

	switch (sweep->command) {
	case SWEEP_ZONE:
		return key->zone == sweep->zone && vlan_of(key) == sweep->vlan;
	case SWEEP_BACKEND:
		return value->service && value->flags & FLOW_FORWARD &&
		       value->to_vrf == sweep->vrf &&
		       key->protocol == sweep->protocol && value->nat_dst == sweep->address &&
		       value->nat_dport == sweep->port;
	default:
		idle = idle_of(value, flow_now());
		if (pair->peer) {
			peer_idle = idle_of(pair->peer, flow_now());
			if (peer_idle < idle)
				idle = peer_idle;
		}
		return idle > to_flow_time(1000ULL * timeout_of(pair, key->protocol, g));
	}
}

/* Also of a record without its other half: that one may come at this very moment, but not twice. */
static __always_inline int is_lone(struct flow_value_v4 *value)
{
	if (value->flags & FLOW_ALONE)
		return 1;
	value->flags |= FLOW_ALONE;
	return 0;
}

static long sweep_flow(struct bpf_map *map, struct flow_key_v4 *key, struct flow_value_v4 *value,
		       struct sweep *sweep)
{
	struct flow_pair pair = {.value = value};
	struct flow_key_v4 own = *key;
	struct flow_key_v4 other;
	struct globals *g = get_globals();
	struct owner network;
	int has_peer = peer_key(&own, value, &other);
	int ends;

	if (!g)
		return 1;
	if (!is_live(value)) {
		delete_ended(&own, value, sweep->grace_ms);
		return 0;
	}
	if (has_peer) {
		pair.peer = bpf_map_lookup_elem(&flows_v4, &other);
		if (pair.peer && !is_live(pair.peer))
			pair.peer = 0;
	}
	if (sweep->command == SWEEP_EXPIRED && has_peer && !pair.peer)
		ends = is_lone(value);
	else
		ends = is_wanted(sweep, &own, &pair, g);
	if (ends) {
		sweep->removed += end_record(value) + end_record(pair.peer);
		return 0;
	}
	sweep->kept += 1;
	if (sweep->recount) {
		network = network_of(value);
		recount(&value->owner);
		recount(&network);
	}
	return 0;
}

#endif
