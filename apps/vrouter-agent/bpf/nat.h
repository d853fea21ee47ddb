/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_NAT_H
#define VROUTER_NAT_H

/* Rewriting a packet's addresses and ports with its checksums, partial ones included. */
#include "parse.h"

#define IP_CHECKSUM_OFFSET (IP_OFFSET + 10)
#define IP_ADDRESSES_OFFSET (IP_OFFSET + 12)

struct tuple {
	__be32 src;
	__be32 dst;
	__be16 sport;
	__be16 dport;
};

/* The checksum that a sum of 16-bit words makes. */
static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Protocols whose ports and checksum can be rewritten. */
static __always_inline int is_translatable(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP;
}

static __always_inline int rewrite_ports(struct __sk_buff *skb, const struct packet *p,
					 const struct tuple *to)
{
	if (p->protocol == IPPROTO_ICMP) {
		__be16 from_id = p->is_echo_reply ? p->dport : p->sport;
		__be16 to_id = p->is_echo_reply ? to->dport : to->sport;
		if (from_id == to_id)
			return 0;
		if (bpf_l4_csum_replace(skb, p->l4 + 2, from_id, to_id, 2))
			return -1;
		return bpf_skb_store_bytes(skb, p->l4 + 4, &to_id, 2, 0);
	}
	__be32 from_ports = p->sport | (__u32)p->dport << 16;
	__be32 to_ports = to->sport | (__u32)to->dport << 16;
	__u32 is_udp = p->protocol == IPPROTO_UDP;
	__u32 checksum = p->l4 + (is_udp ? 6 : 16);

	if (from_ports == to_ports)
		return 0;
	if (bpf_l4_csum_replace(skb, checksum, from_ports, to_ports,
				4 | (is_udp ? BPF_F_MARK_MANGLED_0 : 0)))
		return -1;
	return bpf_skb_store_bytes(skb, p->l4, &to_ports, 4, 0);
}

/*
 * Returns 0, or the reason to drop. Pointers into the packet are invalid afterwards. A later fragment
 * has addresses only: the checksum of the whole is in the first one.
 */
static __always_inline int rewrite(struct __sk_buff *skb, const struct packet *p,
				   const struct tuple *to)
{
	__be32 from_addresses[2] = {p->src, p->dst};
	__be32 to_addresses[2] = {to->src, to->dst};
	__s64 difference = bpf_csum_diff(from_addresses, 8, to_addresses, 8, 0);

	if (p->l4 && p->protocol != IPPROTO_ICMP) {
		__u32 is_udp = p->protocol == IPPROTO_UDP;
		__u32 checksum = p->l4 + (is_udp ? 6 : 16);
		__u64 flags = BPF_F_PSEUDO_HDR | (is_udp ? BPF_F_MARK_MANGLED_0 : 0);
		if (bpf_l4_csum_replace(skb, checksum, 0, difference, flags))
			return DROP_REWRITE;
	}
	if (p->l4 && rewrite_ports(skb, p, to))
		return DROP_REWRITE;
	if (bpf_l3_csum_replace(skb, IP_CHECKSUM_OFFSET, 0, difference, 0))
		return DROP_REWRITE;
	if (bpf_skb_store_bytes(skb, IP_ADDRESSES_OFFSET, to_addresses, 8, 0))
		return DROP_REWRITE;
	return 0;
}

#endif
