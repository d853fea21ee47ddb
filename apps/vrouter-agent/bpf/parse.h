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
#define IP_DONT_FRAGMENT 0x4000
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
#define ICMP_FRAG_NEEDED 4

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
	PARSE_TINY,      /* a first fragment without the whole transport header */
	PARSE_OPTIONS,   /* IP options; ports and l4 fields are not set */
	PARSE_ICMP_ERROR, /* about another packet; ports and l4 fields are not set */
	PARSE_ICMP_TYPE, /* neither echo nor an error */
};

struct packet {
	__be32 src;
	__be32 dst;
	__be16 sport; /* ICMP echo: see struct flow_key_v4 */
	__be16 dport;
	__u16 l4; /* offset of the header behind IP, bytes from the frame's begin; 0: later fragment */
	__u8 protocol;
	__u8 tcp_flags; /* TCP_… as in the header; 0 for other protocols */
	__u8 smac[6];
	__u8 is_echo_reply;
	__u8 is_fragment;   /* the first of several */
	__u8 dont_fragment;
	__u8 transport_length; /* bytes of the header behind IP; 0: it has none that we know */
	__be16 ip_id;
	__u16 fragment_offset; /* bytes */
	__u16 payload_length;  /* bytes behind the IP header */
};

static __always_inline int parse_transport(void *data, void *end, struct packet *p)
{
	void *l4 = data + p->l4;

	p->sport = 0;
	p->dport = 0;
	p->tcp_flags = 0;
	p->is_echo_reply = 0;
	p->transport_length = 0;
	switch (p->protocol) {
	case IPPROTO_TCP: {
		struct tcphdr *tcp = l4;
		if ((void *)(tcp + 1) > end || tcp->doff < 5)
			return PARSE_MALFORMED;
		p->transport_length = tcp->doff * 4;
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
		p->transport_length = 8;
		p->sport = ports[0];
		p->dport = ports[1];
		return PARSE_OK;
	}
	case IPPROTO_ICMP: {
		struct icmphdr *icmp = l4;
		if ((void *)(icmp + 1) > end)
			return PARSE_MALFORMED;
		p->transport_length = sizeof(*icmp);
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

/* Bytes of the transport header that ports, flags and checksum are in. */
static __always_inline int least_header(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return sizeof(struct tcphdr);
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_ICMP:
		return 8;
	default:
		return 0;
	}
}

/* The IP header, checked against the frame's length. Options are none of our business. */
static __always_inline int parse_ip(struct __sk_buff *skb, const struct iphdr *ip, struct packet *p)
{
	__u32 length = bpf_ntohs(ip->tot_len);

	if (ip->version != 4 || ip->ihl < 5)
		return PARSE_MALFORMED;
	p->src = ip->saddr;
	p->dst = ip->daddr;
	p->protocol = ip->protocol;
	p->l4 = IP_OFFSET + sizeof(*ip);
	if (length < (__u32)ip->ihl * 4 || length > skb->len - IP_OFFSET)
		return PARSE_MALFORMED;
	if (ip->ihl != 5)
		return PARSE_OPTIONS;
	p->payload_length = length - sizeof(*ip);
	p->ip_id = ip->id;
	p->dont_fragment = (ip->frag_off & bpf_htons(IP_DONT_FRAGMENT)) != 0;
	p->is_fragment = (ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS)) != 0;
	p->fragment_offset = (bpf_ntohs(ip->frag_off) & IP_FRAGMENT_OFFSET) * 8;
	if (!p->fragment_offset)
		return PARSE_OK;
	p->l4 = 0;
	return (__u32)p->fragment_offset + p->payload_length > 0xffff ? PARSE_MALFORMED
								       : PARSE_FRAGMENT;
}

/* Precondition: the headers are in the linear part, or the packet does not have them. */
static __always_inline int parse_linear(struct __sk_buff *skb, struct packet *p)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + IP_OFFSET;
	int result;

	if ((void *)(ip + 1) > end)
		return PARSE_MALFORMED;
	__builtin_memcpy(p->smac, eth->h_source, 6);
	result = parse_ip(skb, ip, p);
	if (result != PARSE_OK)
		return result;
	if (p->payload_length < least_header(p->protocol))
		return p->is_fragment ? PARSE_TINY : PARSE_MALFORMED;
	result = parse_transport(data, end, p);
	if (result == PARSE_OK && p->payload_length < p->transport_length)
		return p->is_fragment ? PARSE_TINY : PARSE_MALFORMED;
	return result;
}

/* Were source and destination found? */
static __always_inline int has_addresses(int result)
{
	return result != PARSE_ARP && result != PARSE_IPV6 && result != PARSE_OTHER &&
	       result != PARSE_MALFORMED;
}

/* All that is read: without IP options, and no transport header needs more than that of TCP. */
#define HEADERS_MAX (IP_OFFSET + sizeof(struct iphdr) + sizeof(struct tcphdr))

/* Headers that are not in the linear part are pulled there. Code is short here: it is cold for most packets. */
static __always_inline int parse(struct __sk_buff *skb, struct packet *p)
{
	__u32 wanted = skb->len < HEADERS_MAX ? skb->len : HEADERS_MAX;

	if (skb->protocol != bpf_htons(ETH_P_IP)) {
		if (skb->protocol == bpf_htons(ETH_P_ARP))
			return PARSE_ARP;
		if (skb->protocol == bpf_htons(ETH_P_IPV6))
			return PARSE_IPV6;
		return PARSE_OTHER;
	}
	if ((void *)(long)skb->data + wanted > (void *)(long)skb->data_end &&
	    bpf_skb_pull_data(skb, wanted))
		return PARSE_MALFORMED;
	return parse_linear(skb, p);
}

/* What other nodes send through the tunnel, seen at a glance: most of what comes to the uplink. */
static __always_inline int is_tunnel_packet(const struct __sk_buff *skb)
{
	struct iphdr *ip = (void *)(long)skb->data + IP_OFFSET;
	struct udphdr *udp = (void *)(ip + 1);

	return (void *)(udp + 1) <= (void *)(long)skb->data_end &&
	       skb->protocol == bpf_htons(ETH_P_IP) && ip->version == 4 && ip->ihl == 5 &&
	       ip->protocol == IPPROTO_UDP && !(ip->frag_off & bpf_htons(IP_FRAGMENT_OFFSET)) &&
	       udp->dest == bpf_htons(TUNNEL_PORT);
}

#endif
