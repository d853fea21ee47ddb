/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_ASKED_ADDRESS_H
#define VROUTER_ASKED_ADDRESS_H

/*
 * A UDP server that listens on all addresses of a pod answers with the source that its routes choose, which
 * may be another one than the client asked. Such answers get the asked address as source. They take the slow path,
 * each of them: no record has the key of their own source.
 */
#include "fragment.h"
#include "refresh.h"

static __noinline int set_source(struct __sk_buff *skb, struct work *w, __be32 source)
{
	struct tuple to = {.src = source,
			   .dst = w->p.dst,
			   .sport = w->p.sport,
			   .dport = w->p.dport};
	int reason = rewrite(skb, &w->p, &to);

	if (!reason)
		w->p.src = source;
	return reason;
}

/* Does the pod answer with this packet, if its source is `source`, somebody who asked that address? */
static __noinline int is_answer_from(const struct work *w, __be32 source)
{
	struct flow_key_v4 key = w->forward_key;
	struct flow_value_v4 *value;

	key.local = source;
	value = find_flow(&key);
	return value && is_live(value) && serves(value, SIDE_OUT) && !began_locally(value);
}

/* As is_answer_from, for a later fragment: the first one of its packet was such an answer. */
static __noinline int is_fragment_from(struct work *w, __be32 source)
{
	__be32 own = w->p.src;
	int is_found;

	w->p.src = source;
	is_found = find_first_fragment(w) != 0;
	w->p.src = own;
	return is_found;
}

/*
 * STEP_OK: the packet has the source that was asked, and belongs to the flow of that. STEP_ANEW: it
 * answers nobody. Else the reason to drop it. Precondition: the forward key is set, and nothing is there.
 */
__noinline int answer_as_asked(struct __sk_buff *skb)
{
	struct work *w = find_work();
	struct vif *vif;
	__be32 source;

	if (!w || w->hook != HOOK_POD || w->p.protocol != IPPROTO_UDP)
		return STEP_ANEW;
	vif = find_vif(w->zone, w->vlan);
	if (!vif)
		return STEP_ANEW;
	for (int i = 0; i < VIF_ADDRESSES; i++) {
		source = vif->addresses_v4[i];
		if (!source)
			break;
		if (source == w->p.src)
			continue;
		if (w->p.l4 ? is_answer_from(w, source) : is_fragment_from(w, source))
			return set_source(skb, w, source);
	}
	return STEP_ANEW;
}

#endif
