/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_FLOW_CREATE_H
#define VROUTER_FLOW_CREATE_H

/*
 * Makes the records of a connection. Each direction has the key under which its packets will be
 * looked up; when both keys are equal one record serves both (FLOW_BOTH), otherwise two records name
 * each other. Nothing is evicted: a key that is taken, a full table, or a spent quota refuses.
 */
#include "flow_keys.h"
#include "path_mtu.h"
#include "quota.h"

#define PORT_TRIES 32
#define EEXIST 17
#define E2BIG 7
#define ENOMEM 12

static __always_inline void set_common(struct flow_value_v4 *value, const struct work *w)
{
	value->verdict = 1;
	value->generation = w->generation;
	value->rule = w->rule;
	value->vrf = w->vrf;
	value->service = w->service;
	value->to_vrf = w->to_vrf;
	value->remote_identity = w->is_local ? w->identity : w->to_identity;
	value->in_label = w->in_label;
	value->remote_space = w->remote_space;
	if (w->hook == HOOK_HOST || w->hook == HOOK_LOOPBACK)
		value->flags |= FLOW_FROM_NODE;
	if (w->is_self)
		value->flags |= FLOW_SELF;
	if (w->is_to_service)
		value->flags |= FLOW_TO_SERVICE;
}

/* The action towards the target. */
static __always_inline void set_forward_action(struct work *w)
{
	struct flow_value_v4 *value = &w->forward;

	value->kind = w->kind;
	value->flags |= FLOW_FORWARD;
	value->oif = w->oif;
	value->oif_vlan = w->oif_vlan;
	value->label = w->label;
	/* The node that packets of a tunnel must come from, too. */
	__builtin_memcpy(value->remote, w->hook == HOOK_TUNNEL ? &w->tunnel_remote : &w->remote, 4);
	__builtin_memcpy(value->dmac, w->dmac, 6);
	__builtin_memcpy(value->vif_mac, w->mac, 6);
}

/* The action towards the origin. An answer goes back through the tunnel the packet came from. */
static __always_inline int set_reverse_action(struct work *w, const struct globals *g)
{
	struct flow_value_v4 *value = &w->reverse;

	__builtin_memcpy(value->vif_mac, w->dmac, 6);
	__builtin_memcpy(value->dmac, w->mac, 6);
	__builtin_memcpy(value->remote, &w->remote, 4);
	switch (w->hook) {
	case HOOK_POD:
		value->kind = NEXT_HOP_ENCAP;
		value->oif = w->zone;
		value->oif_vlan = w->vlan;
		return STEP_OK;
	case HOOK_HOST:
		value->kind = NEXT_HOP_RECEIVE;
		return STEP_OK;
	case HOOK_LOOPBACK:
		value->kind = NEXT_HOP_LOOPBACK;
		value->oif = w->zone;
		return STEP_OK;
	case HOOK_UPLINK:
		value->kind = NEXT_HOP_FABRIC;
		return STEP_OK;
	case HOOK_TUNNEL:
		value->kind = NEXT_HOP_TUNNEL;
		value->label = w->answer_label | VNI_ANSWER;
		__builtin_memcpy(value->remote, &w->tunnel_remote, 4);
		__builtin_memcpy(value->dmac, gateway_mac, 6);
		return STEP_OK;
	}
	return DROP_FLOW_TABLE_ERROR;
}

/*
 * VRF of the end that is called. Behind a port of another node may be a pod of any VRF, which answers
 * under its own label; only a key with a VRF has to say which.
 */
static __always_inline __u32 called_vrf(const struct work *w)
{
	return w->is_to_node && !(w->answer_zone & ZONE_VRF) ? 0 : w->target_vrf;
}

/* Both keys are one: the record's action is that of packets which the zone's interface sends. */
static __always_inline void merge_records(struct work *w)
{
	int began_here = w->side == SIDE_OUT;

	if (!began_here) {
		__builtin_memcpy(&w->forward, &w->reverse, sizeof(w->forward));
		/* The fields after the action, as the interface sends them. */
		w->forward.nat_src = w->p.dst;
		w->forward.nat_dst = w->p.src;
		w->forward.nat_sport = w->p.dport;
		w->forward.nat_dport = w->p.sport;
	} else {
		w->forward.nat_src = w->to.src;
		w->forward.nat_dst = w->to.dst;
		w->forward.nat_sport = w->to.sport;
		w->forward.nat_dport = w->to.dport;
	}
	w->forward.remote_vrf = began_here ? called_vrf(w) : w->sender_vrf;
	w->forward.flags &= ~FLOW_FORWARD;
	w->forward.flags |= FLOW_BOTH | (began_here ? FLOW_FORWARD : 0);
}

/* Two records: each has the packet as its action leaves it, and the other's place. */
static __always_inline void link_records(struct work *w, int reverse_side)
{
	struct flow_value_v4 *forward = &w->forward;
	struct flow_value_v4 *reverse = &w->reverse;
	__u16 rewrite_flag = is_rewritten(w) ? FLOW_REWRITE : 0;

	forward->nat_src = w->to.src;
	forward->nat_dst = w->to.dst;
	forward->nat_sport = w->to.sport;
	forward->nat_dport = w->to.dport;
	forward->remote_vrf = w->side == SIDE_OUT ? called_vrf(w) : w->sender_vrf;
	forward->peer_zone = w->reverse_key.zone;
	forward->peer_vlan = w->reverse_key.vlan;
	forward->flags &= ~(FLOW_PEER_SWAP | FLOW_REWRITE);
	forward->flags |= FLOW_PEER | rewrite_flag | (w->side == SIDE_OUT ? FLOW_OUT : FLOW_IN);
	/* Sent by the answering side: its local side is our destination. */
	if (reverse_side == FLOW_OUT)
		forward->flags |= FLOW_PEER_SWAP;

	reverse->nat_src = w->p.dst;
	reverse->nat_dst = w->p.src;
	reverse->nat_sport = w->p.dport;
	reverse->nat_dport = w->p.sport;
	reverse->remote_vrf = reverse_side == FLOW_OUT ? w->sender_vrf : called_vrf(w);
	reverse->peer_zone = w->forward_key.zone;
	reverse->peer_vlan = w->forward_key.vlan;
	reverse->flags &= ~(FLOW_OUT | FLOW_IN | FLOW_REWRITE);
	reverse->flags |= FLOW_PEER | rewrite_flag | reverse_side;
	if (w->side == SIDE_OUT)
		reverse->flags |= FLOW_PEER_SWAP;
}

/*
 * Puts a record under a key that is free, or whose record has ended. -EEXIST: another's is there. An
 * ended one is filled in place: whoever still reads it has a packet of the same key in hand.
 */
static __noinline long insert_record(const struct flow_key_v4 *key,
				     const struct flow_value_v4 *value)
{
	const __u32 after = offsetof(struct flow_value_v4, flags);
	long error = bpf_map_update_elem(&flows_v4, key, value, BPF_NOEXIST);
	struct flow_value_v4 *old;

	if (error != -EEXIST)
		return error;
	old = bpf_map_lookup_elem(&flows_v4, key);
	if (!old)
		return bpf_map_update_elem(&flows_v4, key, value, BPF_NOEXIST);
	if (__sync_val_compare_and_swap(&old->generation, FLOW_ENDED, FLOW_IN_WORK) != FLOW_ENDED)
		return -EEXIST;
	__builtin_memcpy((void *)old + after, (const void *)value + after, sizeof(*old) - after);
	__sync_lock_test_and_set(&old->generation, value->generation);
	return 0;
}

/* The record under the reverse key when it is the other half of this very connection, else 0. */
static __noinline struct flow_value_v4 *find_own_reverse(const struct work *w)
{
	struct flow_value_v4 *taken = bpf_map_lookup_elem(&flows_v4, &w->reverse_key);
	struct flow_key_v4 peer;

	return taken && peer_key(&w->reverse_key, taken, &peer) &&
			       is_same_key(&peer, &w->forward_key)
		       ? taken
		       : 0;
}

static __always_inline int insertion_failure(long error)
{
	return error == -E2BIG || error == -ENOMEM ? DROP_FLOW_TABLE_FULL : DROP_FLOW_TABLE_ERROR;
}

/* Writes the answers' record under today's choice of a source port. STEP_TAKEN: try another. */
__noinline int try_reverse(void)
{
	struct globals *g = get_globals();
	struct work *w = find_work();
	struct flow_value_v4 *own;
	long error;

	if (!g || !w)
		return DROP_FLOW_TABLE_ERROR;
	link_records(w, set_reverse_key(w, g));
	/* A flow of another layout holds its port, too. */
	if (get_other_flows())
		find_flow(&w->reverse_key);
	error = insert_record(&w->reverse_key, &w->reverse);
	if (!error)
		return STEP_OK;
	if (error != -EEXIST)
		return insertion_failure(error);
	/* A half whose other half went, or the same packet on another CPU. */
	own = find_own_reverse(w);
	if (!own)
		return STEP_TAKEN;
	end_record(own);
	error = insert_record(&w->reverse_key, &w->reverse);
	if (!error)
		return STEP_OK;
	return error == -EEXIST ? STEP_RETRY : insertion_failure(error);
}

/* Writes the answers' record; a taken key is tried again with another source port. */
static __noinline int insert_reverse(struct work *w, const struct globals *g)
{
	__u32 first = g->snat_port_min;
	__u32 span = g->snat_port_max >= first ? g->snat_port_max - first + 1 : 0;
	__u32 start = bpf_get_prandom_u32() & 0xffff;
	int step;

	for (__u32 i = 0; i <= PORT_TRIES; i++) {
		if (i || w->snat) {
			/* Without a port to change, another try would meet the same key. */
			if (!span || w->p.is_echo_reply || !is_translatable(w->p.protocol))
				break;
			w->to.sport = bpf_htons(first + (start + i) % span);
			w->reverse.flags |= FLOW_SNAT;
		}
		step = try_reverse();
		if (step != STEP_TAKEN)
			return step;
	}
	return w->snat ? DROP_SNAT_PORTS : DROP_TUPLE_COLLISION;
}

/* When another CPU was first its record stands, and our answers' record goes if it is not its. */
static __noinline int insert_forward(struct work *w)
{
	long error = insert_record(&w->forward_key, &w->forward);
	struct flow_value_v4 *winner;
	struct flow_key_v4 peer;

	if (!error)
		return STEP_OK;
	if (error == -EEXIST) {
		winner = bpf_map_lookup_elem(&flows_v4, &w->forward_key);
		if (winner && peer_key(&w->forward_key, winner, &peer) &&
		    is_same_key(&peer, &w->reverse_key))
			return STEP_RETRY;
	}
	if (w->forward.flags & FLOW_PEER)
		end_record(bpf_map_lookup_elem(&flows_v4, &w->reverse_key));
	return error == -EEXIST ? STEP_RETRY : insertion_failure(error);
}

/* Takes back what was charged for records that were not made. */
static __always_inline void discharge(const struct work *w, __u32 records)
{
	struct owner network = network_of(&w->forward);

	release(&w->forward.owner, records);
	release(&network, records);
}

/* What the record has from its first packet, which passes unless it is too big: it is not idle. */
static __always_inline void begin_counting(struct __sk_buff *skb, struct work *w,
					   const struct globals *g)
{
	w->exceeded_mtu =
		exceeded_mtu(skb, &w->p, g, &w->forward_key, &w->forward, w->side, w->hook);
	if (!w->exceeded_mtu)
		account(skb, &w->p, &w->forward, w->side);
	else if (w->side == SIDE_OUT)
		w->forward.last_out = flow_now();
	else
		w->forward.last_in = flow_now();
}

/*
 * STEP_OK: w->forward is what was written, the packet counted in it. STEP_RETRY: another CPU's record is there, without
 * the packet. Precondition: the forward key is set and nothing live is there, and the course is.
 */
__noinline int create_flow(struct __sk_buff *skb)
{
	struct globals *g = get_globals();
	struct work *w = find_work();
	int step;

	if (!g || !w)
		return DROP_FLOW_TABLE_ERROR;
	set_common(&w->forward, w);
	set_common(&w->reverse, w);
	w->forward.flags |= w->any_mac ? FLOW_ANY_MAC : 0;
	w->reverse.flags |= w->to_any_mac ? FLOW_ANY_MAC : 0;
	set_forward_action(w);
	step = set_reverse_action(w, g);
	if (step != STEP_OK)
		return step;
	if (is_rewritten(w) && !is_translatable(w->p.protocol))
		return DROP_PROTOCOL_NAT;
	set_reverse_key(w, g);
	if (!is_rewritten(w) && !w->snat && is_same_key(&w->forward_key, &w->reverse_key)) {
		step = charge_flow(w, 1);
		if (step != STEP_OK)
			return step;
		merge_records(w);
		begin_counting(skb, w, g);
		step = insert_forward(w);
		if (step != STEP_OK)
			discharge(w, 1);
		return step;
	}
	step = charge_flow(w, 2);
	if (step != STEP_OK)
		return step;
	begin_counting(skb, w, g);
	step = insert_reverse(w, g);
	if (step != STEP_OK) {
		discharge(w, 2);
		return step;
	}
	step = insert_forward(w);
	if (step != STEP_OK)
		discharge(w, 1);
	return step;
}

#endif
