/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_POLICY_H
#define VROUTER_POLICY_H

/*
 * Verdicts: {policy, direction, peer identity, protocol, port prefix}. The entries of the peer's own
 * identity are asked first, then those of any (0); within one identity the longest match decides.
 * Nothing found means deny. Denied connections make no flow: each packet is judged and counted.
 * Egress through a service is asked for first when that is the way; nothing found there: as egress.
 */
#include "work.h"

struct policy_query {
	__u32 policy;
	__u32 peer_identity;
	__u8 direction;
	__u8 protocol;
	__be16 port;
};

static __always_inline struct policy_verdict *find_verdict(const struct policy_query *query,
							   enum policy_direction direction)
{
	struct policy_key key = {.prefixlen = 96,
				 .policy = query->policy,
				 .peer_identity = query->peer_identity,
				 .direction = direction,
				 .protocol = query->protocol,
				 .port = query->port};
	struct policy_verdict *verdict = bpf_map_lookup_elem(&policies, &key);

	if (verdict || !query->peer_identity)
		return verdict;
	key.peer_identity = 0;
	return bpf_map_lookup_elem(&policies, &key);
}

/* 1: pass. `rule` gets the rule that decided, 0 when none did. */
static __noinline int judge(const struct policy_query *query, __u32 *rule)
{
	struct policy_verdict *verdict = find_verdict(query, query->direction);

	if (!verdict && query->direction == POLICY_EGRESS_TO_SERVICE)
		verdict = find_verdict(query, POLICY_EGRESS);
	*rule = verdict ? verdict->rule : 0;
	return verdict && verdict->verdict;
}

/* Egress of the sending interface, ingress of the receiving one, on the translated destination. */
static __noinline int judge_work(struct work *w)
{
	struct policy_query query = {.protocol = w->p.protocol, .port = w->to.dport};
	__u32 rule = 0;

	if (w->is_self)
		return STEP_OK;
	if (w->hook == HOOK_POD) {
		query.policy = w->policy;
		query.peer_identity = w->to_identity;
		query.direction = w->is_to_service ? POLICY_EGRESS_TO_SERVICE : POLICY_EGRESS;
		if (!judge(&query, &rule)) {
			w->rule = rule;
			return DROP_POLICY_EGRESS;
		}
	}
	/* The kubelet's probes always pass: the node reaches its own pods. */
	if (w->is_local && w->hook != HOOK_HOST && w->hook != HOOK_LOOPBACK) {
		query.policy = w->to_policy;
		query.peer_identity = w->identity;
		query.direction = POLICY_INGRESS;
		if (!judge(&query, &rule)) {
			w->rule = rule;
			return DROP_POLICY_INGRESS;
		}
	}
	w->rule = rule;
	return STEP_OK;
}

#endif
