/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_ICMP_ANSWER_H
#define VROUTER_ICMP_ANSWER_H

/*
 * ICMP errors that the datapath sends itself, about a packet of a local interface: new headers are
 * put before the packet, which is cut behind its transport header.
 */
#include "work.h"

#define ANSWER_TTL 64
/* Of one interface; what is above is dropped without an answer. Linux allows a host 1000. */
#define ICMP_ANSWERS_PER_SECOND 100

struct icmp_answer {
	__be32 source;
	__u8 code; /* of destination unreachable */
	__u8 pad;
	__u16 mtu; /* of ICMP_FRAG_NEEDED, else 0 */
};

/* Back to where the packet came from. */
static __always_inline int send_back(struct __sk_buff *skb, const struct work *w,
				     const struct globals *g)
{
	if (w->hook == HOOK_LOOPBACK)
		return to_loopback(skb, skb->ifindex);
	if (set_macs(skb, w->p.smac, gateway_mac))
		return TC_ACT_SHOT;
	switch (w->hook) {
	case HOOK_POD:
		return bpf_redirect(skb->ifindex, 0);
	case HOOK_HOST:
		skb->mark = MARK_TO_HOST;
		return bpf_redirect(g->host_ifindex, BPF_F_INGRESS);
	default:
		return TC_ACT_SHOT;
	}
}

static __always_inline int may_answer(__u32 zone)
{
	struct answer_window *window = bpf_map_lookup_elem(&answer_windows, &zone);
	struct answer_window first = {.second = bpf_ktime_get_ns() / 1000000000, .answers = 1};

	if (!window) {
		bpf_map_update_elem(&answer_windows, &zone, &first, BPF_ANY);
		return 1;
	}
	if (window->second != first.second) {
		window->second = first.second;
		window->answers = 0;
	}
	return __sync_fetch_and_add(&window->answers, 1) < ICMP_ANSWERS_PER_SECOND;
}

/*
 * Is the transport checksum left to the device (CHECKSUM_PARTIAL)? Then the field holds the sum of the
 * pseudo header, and a change of the payload does not touch it, which is what shows it.
 */
static __always_inline int is_checksum_partial(struct __sk_buff *skb, __u32 field)
{
	__u16 before, after;

	if (bpf_skb_load_bytes(skb, field, &before, 2) ||
	    bpf_l4_csum_replace(skb, field, 0, 1, 2) || bpf_skb_load_bytes(skb, field, &after, 2))
		return 0;
	if (before == after)
		return 1;
	bpf_skb_store_bytes(skb, field, &before, 2, 0);
	return 0;
}

/* Source and destination of an answer are those of the packet, exchanged, unless it has its own. */
static __always_inline void fill_ip(struct iphdr *ip, const struct work *w, __u16 length,
				    __u8 protocol)
{
	*ip = (struct iphdr){.version = 4,
			     .ihl = 5,
			     .tot_len = bpf_htons(length),
			     .ttl = ANSWER_TTL,
			     .protocol = protocol,
			     .saddr = w->p.dst,
			     .daddr = w->p.src};
}

/*
 * Sum of the packet that the error quotes. A partial transport checksum may still be filled in by the
 * device: the transport part then sums up to the complement of what the field holds now.
 */
static __always_inline __u64 quoted_sum(const struct work *w, int partial_at)
{
	__u16 pseudo;

	if (!partial_at)
		return bpf_csum_diff(0, 0, (__be32 *)w->quoted, sizeof(w->quoted), 0);
	pseudo = partial_at == sizeof(struct iphdr) + 6
			 ? *(__u16 *)(w->quoted + sizeof(struct iphdr) + 6)
			 : *(__u16 *)(w->quoted + sizeof(struct iphdr) + 16);
	return bpf_csum_diff(0, 0, (__be32 *)w->quoted, sizeof(struct iphdr), 0) + (__u16)~pseudo;
}

static __noinline int send_icmp_error(struct __sk_buff *skb, struct work *w,
				      const struct globals *g, const struct icmp_answer *answer)
{
	struct {
		struct iphdr ip;
		struct icmphdr icmp;
	} head;
	int is_tcp = w->p.protocol == IPPROTO_TCP;
	__u32 length = sizeof(struct iphdr) + (is_tcp ? sizeof(struct tcphdr) : 8);
	__u32 checksum = sizeof(struct iphdr) + (is_tcp ? 16 : 6);
	int has_checksum = w->p.l4 && (is_tcp || w->p.protocol == IPPROTO_UDP);
	int is_partial;

	if (!may_answer(w->zone))
		return TC_ACT_SHOT;
	is_partial = has_checksum && is_checksum_partial(skb, IP_OFFSET + checksum);
	if (is_tcp ? bpf_skb_load_bytes(skb, IP_OFFSET, w->quoted, sizeof(w->quoted))
		   : bpf_skb_load_bytes(skb, IP_OFFSET, w->quoted, sizeof(struct iphdr) + 8))
		return TC_ACT_SHOT;
	head.icmp = (struct icmphdr){.type = ICMP_DEST_UNREACH,
				     .code = answer->code,
				     .sequence = bpf_htons(answer->mtu)};
	/* What is not quoted is zero, so the whole buffer has the same sum. */
	head.icmp.checksum =
		fold((__u64)bpf_csum_diff(0, 0, (__be32 *)&head.icmp, sizeof(head.icmp), 0) +
		     quoted_sum(w, is_partial ? checksum : 0));
	fill_ip(&head.ip, w, sizeof(head) + length, IPPROTO_ICMP);
	head.ip.saddr = answer->source;
	head.ip.check = fold(bpf_csum_diff(0, 0, (__be32 *)&head.ip, sizeof(head.ip), 0));
	if (bpf_skb_change_tail(skb, IP_OFFSET + length, 0) ||
	    bpf_skb_adjust_room(skb, sizeof(head), BPF_ADJ_ROOM_MAC, 0) ||
	    bpf_skb_store_bytes(skb, IP_OFFSET, &head, sizeof(head), 0))
		return TC_ACT_SHOT;
	return send_back(skb, w, g);
}

#endif
