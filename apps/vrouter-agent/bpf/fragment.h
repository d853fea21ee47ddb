/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_FRAGMENT_H
#define VROUTER_FRAGMENT_H

/*
 * Later fragments have no ports: they follow the first one of {zone, sender's VRF, addresses, id,
 * protocol}, which leaves its ports here when it passes. The flow then decides as for any packet.
 */
#include "work.h"

/* How long receivers wait for the rest of a packet: 30 s. */
#define FRAGMENT_LIFETIME (__u32)(30000000000ULL >> 20)

static __always_inline void set_fragment_key(struct fragment_key_v4 *key, const struct work *w)
{
	const struct packet *p = &w->p;
	__u32 hash = mix(mix(mix(0x9e3779b9, p->src), p->dst), p->ip_id | (__u32)p->protocol << 16);

	*key = (struct fragment_key_v4){.zone = w->forward_key.zone,
					.vlan = vlan_of(&w->forward_key),
					.side = w->side,
					.slot = hash % FRAGMENT_SLOTS};
	if (w->side != SIDE_IN)
		return;
	key->sender = p->src;
	key->sender_vrf = w->sender_vrf;
	if (w->hook != HOOK_TUNNEL)
		return;
	/* The zone of the flow hangs on the ports, which later fragments do not have. */
	key->zone = ZONE_VRF | w->vrf;
	key->vlan = 0;
}

/* Precondition: the forward key of the first fragment is set, and its flow lets it pass. */
static __noinline int remember_fragment(const struct work *w, __u8 flags)
{
	const struct packet *p = &w->p;
	struct fragment_v4 value = {.src = p->src,
				    .dst = p->dst,
				    .id = p->ip_id,
				    .protocol = p->protocol,
				    .flags = flags,
				    .sport = p->sport,
				    .dport = p->dport,
				    .time = flow_now(),
				    .end = p->payload_length};
	struct fragment_key_v4 key;

	set_fragment_key(&key, w);
	return bpf_map_update_elem(&fragments_v4, &key, &value, BPF_ANY);
}

/* The first fragment that a later one follows; 0: none passed. Precondition: zone and side are set. */
static __always_inline struct fragment_v4 *find_first_fragment(const struct work *w)
{
	const struct packet *p = &w->p;
	struct fragment_key_v4 key;
	struct fragment_v4 *first;

	set_fragment_key(&key, w);
	first = bpf_map_lookup_elem(&fragments_v4, &key);
	if (!first || first->src != p->src || first->dst != p->dst || first->id != p->ip_id ||
	    first->protocol != p->protocol || flow_now() - first->time > FRAGMENT_LIFETIME)
		return 0;
	return first;
}

#endif
