/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_PARSE_H
#define VROUTER_PARSE_H

/* From a frame to the fields that the programs decide by. Nothing here changes a packet. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flow_layout.h"

#define IP_OFFSET ETH_HLEN
#define IP_MORE_FRAGMENTS 0x2000
#define IP_FRAGMENT_OFFSET 0x1fff
#define TUNNEL_PORT 4789

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* As in linux/icmp.h, which drags in headers of the C library. */
#define ICMP_ECHOREPLY 0
#define ICMP_DEST_UNREACH 3
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMP_PORT_UNREACH 3

struct icmphdr {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be16 id; /* of echo */
	__be16 sequence;
};

enum parse_result {
	PARSE_OK,
	PARSE_ARP,
	PARSE_IPV6,
	PARSE_OTHER,     /* another ethertype */
	PARSE_MALFORMED,
	PARSE_FRAGMENT,  /* a later fragment: it has no ports */
	PARSE_ICMP_ERROR, /* about another packet; ports and l4 fields are not set */
	PARSE_ICMP_TYPE, /* neither echo nor an error */
};

struct packet {
	__be32 src;
	__be32 dst;
	__be16 sport; /* ICMP echo: see struct flow_key_v4 */
	__be16 dport;
	__u16 l4; /* offset of the header behind IP, bytes from the frame's begin */
	__u8 protocol;
	__u8 tcp_flags; /* TCP_… as in the header; 0 for other protocols */
	__u8 smac[6];
	__u8 is_echo_reply;
	__u8 is_fragment; /* the first of several */
};

static __always_inline int parse_transport(void *data, void *end, struct packet *p)
{
	void *l4 = data + p->l4;

	p->sport = 0;
	p->dport = 0;
	p->tcp_flags = 0;
	p->is_echo_reply = 0;
	switch (p->protocol) {
	case IPPROTO_TCP: {
		struct tcphdr *tcp = l4;
		if ((void *)(tcp + 1) > end)
			return PARSE_MALFORMED;
		p->sport = tcp->source;
		p->dport = tcp->dest;
		p->tcp_flags = ((__u8 *)tcp)[13];
		return PARSE_OK;
	}
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP: {
		__be16 *ports = l4;
		if (l4 + 8 > end)
			return PARSE_MALFORMED;
		p->sport = ports[0];
		p->dport = ports[1];
		return PARSE_OK;
	}
	case IPPROTO_ICMP: {
		struct icmphdr *icmp = l4;
		if ((void *)(icmp + 1) > end)
			return PARSE_MALFORMED;
		switch (icmp->type) {
		case ICMP_ECHO:
			p->sport = icmp->id;
			return PARSE_OK;
		case ICMP_ECHOREPLY:
			p->dport = icmp->id;
			p->is_echo_reply = 1;
			return PARSE_OK;
		case ICMP_DEST_UNREACH:
		case ICMP_TIME_EXCEEDED:
		case ICMP_PARAMETERPROB:
			return PARSE_ICMP_ERROR;
		default:
			return PARSE_ICMP_TYPE;
		}
	}
	default:
		return PARSE_OK;
	}
}

static __always_inline int parse_linear(struct __sk_buff *skb, struct packet *p, int *need)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + IP_OFFSET;

	*need = IP_OFFSET + sizeof(*ip);
	if ((void *)(ip + 1) > end)
		return PARSE_MALFORMED;
	if (ip->version != 4 || ip->ihl < 5)
		return PARSE_MALFORMED;
	__builtin_memcpy(p->smac, eth->h_source, 6);
	p->src = ip->saddr;
	p->dst = ip->daddr;
	p->protocol = ip->protocol;
	p->l4 = IP_OFFSET + ip->ihl * 4;
	if (bpf_ntohs(ip->tot_len) < ip->ihl * 4)
		return PARSE_MALFORMED;
	p->is_fragment = (ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS)) != 0;
	if (ip->frag_off & bpf_htons(IP_FRAGMENT_OFFSET))
		return PARSE_FRAGMENT;
	*need = p->l4 + (p->protocol == IPPROTO_TCP ? sizeof(struct tcphdr) : 8);
	return parse_transport(data, end, p);
}

/* Headers that are not in the linear part are pulled there: that of IP, then the next. */
static __always_inline int parse(struct __sk_buff *skb, struct packet *p)
{
	int need = 0;
	int result;

	if (skb->protocol != bpf_htons(ETH_P_IP)) {
		if (skb->protocol == bpf_htons(ETH_P_ARP))
			return PARSE_ARP;
		if (skb->protocol == bpf_htons(ETH_P_IPV6))
			return PARSE_IPV6;
		return PARSE_OTHER;
	}
	result = parse_linear(skb, p, &need);
	for (int pulls = 0; pulls < 2 && result == PARSE_MALFORMED; pulls++) {
		if ((__u32)need > skb->len || bpf_skb_pull_data(skb, need))
			return PARSE_MALFORMED;
		result = parse_linear(skb, p, &need);
	}
	return result;
}

#endif
