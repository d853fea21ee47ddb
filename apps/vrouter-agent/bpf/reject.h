/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_REJECT_H
#define VROUTER_REJECT_H

/*
 * Answers that the datapath gives itself, built in the packet that they answer: TCP reset and ICMP
 * port unreachable for services without endpoints, echo replies of gateways.
 */
#include "work.h"

#define ANSWER_TTL 64

/* Back to where the packet came from. */
static __always_inline int send_back(struct __sk_buff *skb, const struct work *w,
				     const struct globals *g)
{
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

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

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
	ip->check = fold(bpf_csum_diff(0, 0, (__be32 *)ip, sizeof(*ip), 0));
}

static __noinline int reset(struct __sk_buff *skb, const struct work *w, const struct globals *g)
{
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} answer;
	struct {
		__be32 source;
		__be32 destination;
		__be32 rest; /* zero, protocol, length */
	} pseudo = {w->p.dst, w->p.src, bpf_htonl(IPPROTO_TCP << 16 | sizeof(struct tcphdr))};
	struct tcphdr tcp;
	struct iphdr ip;
	__u32 consumed;

	if (w->p.tcp_flags & TCP_RST)
		return TC_ACT_SHOT;
	if (bpf_skb_load_bytes(skb, IP_OFFSET, &ip, sizeof(ip)) ||
	    bpf_skb_load_bytes(skb, w->p.l4, &tcp, sizeof(tcp)))
		return TC_ACT_SHOT;
	consumed = bpf_ntohs(ip.tot_len) - ip.ihl * 4 - tcp.doff * 4 + tcp.syn + tcp.fin;
	if (bpf_skb_change_tail(skb, IP_OFFSET + sizeof(answer), 0))
		return TC_ACT_SHOT;
	fill_ip(&answer.ip, w, sizeof(answer), IPPROTO_TCP);
	answer.tcp = (struct tcphdr){.source = tcp.dest, .dest = tcp.source, .doff = 5, .rst = 1};
	if (tcp.ack) {
		answer.tcp.seq = tcp.ack_seq;
	} else {
		answer.tcp.ack = 1;
		answer.tcp.ack_seq = bpf_htonl(bpf_ntohl(tcp.seq) + consumed);
	}
	answer.tcp.check = fold(bpf_csum_diff(0, 0, (__be32 *)&answer.tcp, sizeof(answer.tcp),
					      bpf_csum_diff(0, 0, (__be32 *)&pseudo,
							    sizeof(pseudo), 0)));
	if (bpf_skb_store_bytes(skb, IP_OFFSET, &answer, sizeof(answer), 0))
		return TC_ACT_SHOT;
	return send_back(skb, w, g);
}

static __noinline int port_unreachable(struct __sk_buff *skb, const struct work *w,
				       const struct globals *g)
{
	struct {
		struct iphdr ip;
		struct icmphdr icmp;
		__u8 cause[sizeof(struct iphdr) + 8];
	} answer;

	if (w->p.l4 != IP_OFFSET + sizeof(struct iphdr))
		return TC_ACT_SHOT;
	if (bpf_skb_load_bytes(skb, IP_OFFSET, answer.cause, sizeof(answer.cause)))
		return TC_ACT_SHOT;
	if (bpf_skb_change_tail(skb, IP_OFFSET + sizeof(answer), 0))
		return TC_ACT_SHOT;
	fill_ip(&answer.ip, w, sizeof(answer), IPPROTO_ICMP);
	answer.icmp = (struct icmphdr){.type = ICMP_DEST_UNREACH, .code = ICMP_PORT_UNREACH};
	answer.icmp.checksum =
		fold(bpf_csum_diff(0, 0, (__be32 *)&answer.icmp,
				   sizeof(answer.icmp) + sizeof(answer.cause), 0));
	if (bpf_skb_store_bytes(skb, IP_OFFSET, &answer, sizeof(answer), 0))
		return TC_ACT_SHOT;
	return send_back(skb, w, g);
}

/* No endpoint: the client learns it at once. Counted like every packet that goes no further. */
static __always_inline int refuse(struct __sk_buff *skb, const struct work *w,
				  const struct globals *g)
{
	drop(skb, &w->p, DROP_NO_ENDPOINT, w->vrf);
	return w->p.protocol == IPPROTO_TCP ? reset(skb, w, g) : port_unreachable(skb, w, g);
}

/* The addresses change places, which leaves the IP checksum as it is. */
static __noinline int answer_echo(struct __sk_buff *skb, const struct work *w,
				  const struct globals *g)
{
	__be32 addresses[2] = {w->p.dst, w->p.src};
	__u8 reply = ICMP_ECHOREPLY;

	if (bpf_l4_csum_replace(skb, w->p.l4 + 2, bpf_htons(ICMP_ECHO << 8), 0, 2) ||
	    bpf_skb_store_bytes(skb, w->p.l4, &reply, 1, 0) ||
	    bpf_skb_store_bytes(skb, IP_ADDRESSES_OFFSET, addresses, 8, 0))
		return TC_ACT_SHOT;
	return send_back(skb, w, g);
}

#endif
