/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_ARP_H
#define VROUTER_ARP_H

/*
 * Pods see every other address behind the gateway's MAC: the datapath routes all their packets. A
 * question about the pod's own address gets no answer, so duplicate detection passes.
 */
#include <linux/if_ether.h>

#include "refresh.h"

#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp_packet {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender_ip[4];
	__u8 target_mac[6];
	__u8 target_ip[4];
};
ASSERT_SIZE(struct arp_packet, 28);

/* 0: nothing to answer; else the reason to drop the question is in `reason`. */
static __always_inline int judge_arp(const struct work *w, const struct arp_packet *arp)
{
	__be32 sender, target;

	__builtin_memcpy(&sender, arp->sender_ip, 4);
	__builtin_memcpy(&target, arp->target_ip, 4);
	if (arp->operation != bpf_htons(ARP_REQUEST) || arp->protocol != bpf_htons(ETH_P_IP) ||
	    arp->protocol_length != 4 || arp->hardware_length != 6)
		return DROP_ARP_IGNORED;
	if (!w->any_mac && !is_same_mac(arp->sender_mac, w->mac))
		return DROP_SOURCE_MAC;
	if (!w->any_mac && sender && !is_source(w->zone, w->vlan, sender))
		return DROP_SOURCE_ADDRESS;
	if (sender == target || (!sender && is_source(w->zone, w->vlan, target)))
		return DROP_ARP_IGNORED;
	return 0;
}

static __noinline int answer_arp(struct __sk_buff *skb, const struct work *w)
{
	struct arp_packet question, answer;
	__u8 ethernet[12];
	int reason;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &question, sizeof(question)))
		return drop(skb, 0, DROP_MALFORMED, w->vrf);
	reason = judge_arp(w, &question);
	if (reason)
		return drop(skb, 0, reason, w->vrf);
	answer = question;
	answer.operation = bpf_htons(ARP_REPLY);
	__builtin_memcpy(answer.sender_mac, gateway_mac, 6);
	__builtin_memcpy(answer.sender_ip, question.target_ip, 4);
	__builtin_memcpy(answer.target_mac, question.sender_mac, 6);
	__builtin_memcpy(answer.target_ip, question.sender_ip, 4);
	__builtin_memcpy(ethernet, question.sender_mac, 6);
	__builtin_memcpy(ethernet + 6, gateway_mac, 6);
	if (bpf_skb_store_bytes(skb, ETH_HLEN, &answer, sizeof(answer), 0) ||
	    bpf_skb_store_bytes(skb, 0, ethernet, sizeof(ethernet), 0))
		return drop(skb, 0, DROP_REWRITE, w->vrf);
	return bpf_redirect(skb->ifindex, 0);
}

#endif
