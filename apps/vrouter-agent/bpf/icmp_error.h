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
	if (ip.version != 4 || ip.ihl < 5)
		return DROP_MALFORMED;
	/* Without ports: which flow it belonged to is unknown. */
	if (ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET))
		return DROP_ICMP_UNRELATED;
	quoted->as_answer = *p;
	quoted->as_answer.src = ip.daddr;
	quoted->as_answer.dst = ip.saddr;
	quoted->as_answer.protocol = ip.protocol;
	quoted->as_answer.l4 = quoted->ip + ip.ihl * 4;
	if (bpf_skb_load_bytes(skb, quoted->as_answer.l4, words, sizeof(words)))
		return DROP_MALFORMED;
	quoted->as_answer.sport = least_header(ip.protocol) ? words[1] : 0;
	quoted->as_answer.dport = least_header(ip.protocol) ? words[0] : 0;
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

/* Puts `to` in the place of `from` inside the ICMP message whose checksum is at `checksum`. */
static __always_inline int replace_quoted(struct __sk_buff *skb, __u32 checksum, __u32 at, __be32 from,
					  __be32 to, __u32 size)
{
	return bpf_l4_csum_replace(skb, checksum, from, to, size) ||
	       bpf_skb_store_bytes(skb, at, &to, size, 0);
}

/*
 * The quoted transport checksum, when the quoted part has it, follows what it covers. `difference` is
 * that of the words covered. A UDP checksum of zero says that there is none.
 */
static __always_inline int replace_quoted_checksum(struct __sk_buff *skb, __u32 checksum,
						   const struct packet *quoted, __s64 difference)
{
	__u32 at = quoted->l4;
	__u16 from = 0;
	__u16 to;

	if (quoted->protocol == IPPROTO_TCP)
		at += 16;
	else
		at += quoted->protocol == IPPROTO_UDP ? 6 : 2;
	if (bpf_skb_load_bytes(skb, at, &from, 2) || (!from && quoted->protocol == IPPROTO_UDP))
		return 0;
	to = fold((__u64)(__u16)~from + (__u32)difference);
	if (!to && quoted->protocol == IPPROTO_UDP)
		to = 0xffff;
	return replace_quoted(skb, checksum, at, from, to, 2);
}

static __always_inline int replace_quoted_transport(struct __sk_buff *skb, __u32 checksum,
						    const struct packet *answer,
						    const struct flow_value_v4 *value)
{
	__be32 from[3] = {answer->dst, answer->src, answer->dport | (__u32)answer->sport << 16};
	__be32 to[3] = {value->nat_dst, value->nat_src,
			value->nat_dport | (__u32)value->nat_sport << 16};
	__be32 from_id = answer->is_echo_reply ? answer->sport : answer->dport;
	__be32 to_id = answer->is_echo_reply ? value->nat_sport : value->nat_dport;

	if (answer->protocol == IPPROTO_ICMP)
		return replace_quoted_checksum(skb, checksum, answer,
					       bpf_csum_diff(&from_id, 4, &to_id, 4, 0)) ||
		       replace_quoted(skb, checksum, answer->l4 + 4, from_id, to_id, 2);
	return replace_quoted_checksum(skb, checksum, answer,
				       bpf_csum_diff(from, sizeof(from), to, sizeof(to), 0)) ||
	       replace_quoted(skb, checksum, answer->l4, from[2], to[2], 4);
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

	if (replace_addresses(skb, quoted->ip, quoted_from, quoted_to) ||
	    replace_quoted_transport(skb, p->l4 + 2, answer, value) ||
	    replace_addresses(skb, IP_OFFSET, from, to))
		return DROP_REWRITE;
	return 0;
}

#endif
