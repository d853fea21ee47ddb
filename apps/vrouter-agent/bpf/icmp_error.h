/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_ICMP_ERROR_H
#define VROUTER_ICMP_ERROR_H

/*
 * An ICMP error follows the flow of the packet that it is about, in the direction of that flow's
 * answers; the quoted packet is translated back with it.
 */
#include "flow.h"

struct quoted {
	struct packet as_answer; /* the quoted packet with its ends exchanged */
	__u16 ip;                /* offset of the quoted IP header */
};

static __always_inline int parse_quoted(struct __sk_buff *skb, const struct packet *p,
					struct quoted *quoted)
{
	struct iphdr ip;
	__be16 words[4];

	quoted->ip = p->l4 + sizeof(struct icmphdr);
	if (bpf_skb_load_bytes(skb, quoted->ip, &ip, sizeof(ip)))
		return DROP_MALFORMED;
	if (ip.version != 4 || ip.ihl < 5 || ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET))
		return DROP_MALFORMED;
	quoted->as_answer = *p;
	quoted->as_answer.src = ip.daddr;
	quoted->as_answer.dst = ip.saddr;
	quoted->as_answer.protocol = ip.protocol;
	quoted->as_answer.l4 = quoted->ip + ip.ihl * 4;
	if (bpf_skb_load_bytes(skb, quoted->as_answer.l4, words, sizeof(words)))
		return DROP_MALFORMED;
	quoted->as_answer.sport = words[1];
	quoted->as_answer.dport = words[0];
	if (ip.protocol == IPPROTO_ICMP) {
		__u8 is_reply = *(__u8 *)words == ICMP_ECHOREPLY;
		/* The answer to an echo request carries its identifier as destination. */
		quoted->as_answer.sport = is_reply ? words[2] : 0;
		quoted->as_answer.dport = is_reply ? 0 : words[2];
		quoted->as_answer.is_echo_reply = is_reply;
	}
	return 0;
}

/* The IP checksum at `ip` and the addresses balance each other in every sum around them. */
static __always_inline int replace_addresses(struct __sk_buff *skb, __u16 ip, const __be32 *from,
					     const __be32 *to)
{
	__s64 difference = bpf_csum_diff((__be32 *)from, 8, (__be32 *)to, 8, 0);

	return bpf_l3_csum_replace(skb, ip + 10, 0, difference, 0) ||
	       bpf_skb_store_bytes(skb, ip + 12, to, 8, 0);
}

static __noinline int translate_error(struct __sk_buff *skb, const struct packet *p,
				      const struct quoted *quoted, const struct flow_value_v4 *value)
{
	const struct packet *answer = &quoted->as_answer;
	/* The quoted packet goes the other way: its source is our destination. */
	__be32 quoted_from[2] = {answer->dst, answer->src};
	__be32 quoted_to[2] = {value->nat_dst, value->nat_src};
	__be32 from[2] = {p->src, p->dst};
	__be32 to[2] = {p->src == answer->src ? value->nat_src : p->src, value->nat_dst};
	__be32 ports_from = answer->dport | (__u32)answer->sport << 16;
	__be32 ports_to = value->nat_dport | (__u32)value->nat_sport << 16;
	__u16 place = answer->l4;
	__u32 width = 4;

	if (answer->protocol == IPPROTO_ICMP) {
		place += 4;
		width = 2;
		ports_from = answer->is_echo_reply ? answer->sport : answer->dport;
		ports_to = answer->is_echo_reply ? value->nat_sport : value->nat_dport;
	}
	if (replace_addresses(skb, quoted->ip, quoted_from, quoted_to))
		return DROP_REWRITE;
	if (width == 4) {
		if (bpf_l4_csum_replace(skb, p->l4 + 2, ports_from, ports_to, 4) ||
		    bpf_skb_store_bytes(skb, place, &ports_to, 4, 0))
			return DROP_REWRITE;
	} else if (bpf_l4_csum_replace(skb, p->l4 + 2, ports_from, ports_to, 2) ||
		   bpf_skb_store_bytes(skb, place, &ports_to, 2, 0)) {
		return DROP_REWRITE;
	}
	return replace_addresses(skb, IP_OFFSET, from, to) ? DROP_REWRITE : 0;
}

#endif
