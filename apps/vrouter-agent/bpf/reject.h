/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_REJECT_H
#define VROUTER_REJECT_H

/*
 * Answers that the datapath gives itself: TCP reset and ICMP port unreachable for services without
 * endpoints, fragmentation needed for what is too big, echo replies of gateways.
 */
#include "fragment.h"
#include "icmp_answer.h"

/* A partial checksum stays partial: the field then holds the sum of the pseudo header. */
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
	__s64 pseudo_sum = bpf_csum_diff(0, 0, (__be32 *)&pseudo, sizeof(pseudo), 0);
	__u32 consumed;
	int is_partial;

	if (w->p.tcp_flags & TCP_RST)
		return TC_ACT_SHOT;
	is_partial = is_checksum_partial(skb, w->p.l4 + 16);
	if (bpf_skb_load_bytes(skb, IP_OFFSET, &ip, sizeof(ip)) ||
	    bpf_skb_load_bytes(skb, w->p.l4, &tcp, sizeof(tcp)))
		return TC_ACT_SHOT;
	consumed = bpf_ntohs(ip.tot_len) - ip.ihl * 4 - tcp.doff * 4 + tcp.syn + tcp.fin;
	if (bpf_skb_change_tail(skb, IP_OFFSET + sizeof(answer), 0))
		return TC_ACT_SHOT;
	fill_ip(&answer.ip, w, sizeof(answer), IPPROTO_TCP);
	answer.ip.check = fold(bpf_csum_diff(0, 0, (__be32 *)&answer.ip, sizeof(answer.ip), 0));
	answer.tcp = (struct tcphdr){.source = tcp.dest, .dest = tcp.source, .doff = 5, .rst = 1};
	if (tcp.ack) {
		answer.tcp.seq = tcp.ack_seq;
	} else {
		answer.tcp.ack = 1;
		answer.tcp.ack_seq = bpf_htonl(bpf_ntohl(tcp.seq) + consumed);
	}
	answer.tcp.check = is_partial ? ~fold(pseudo_sum)
				      : fold(bpf_csum_diff(0, 0, (__be32 *)&answer.tcp,
							   sizeof(answer.tcp), pseudo_sum));
	if (bpf_skb_store_bytes(skb, IP_OFFSET, &answer, sizeof(answer), 0))
		return TC_ACT_SHOT;
	return send_back(skb, w, g);
}

/* No endpoint: the client learns it at once. Counted like every packet that goes no further. */
static __always_inline int refuse(struct __sk_buff *skb, struct work *w,
				  const struct globals *g)
{
	struct icmp_answer answer = {.source = w->p.dst, .code = ICMP_PORT_UNREACH};

	drop(skb, &w->p, DROP_NO_ENDPOINT, w->vrf);
	return w->p.protocol == IPPROTO_TCP ? reset(skb, w, g)
					    : send_icmp_error(skb, w, g, &answer);
}

/* The sender learns from its gateway what fits. */
static __always_inline int answer_too_big(struct __sk_buff *skb, struct work *w,
					  const struct globals *g)
{
	struct icmp_answer answer = {.source = g->hairpin_address ? g->hairpin_address : w->p.dst,
				     .code = ICMP_FRAG_NEEDED,
				     .mtu = w->exceeded_mtu};

	drop(skb, &w->p, DROP_TOO_BIG, w->vrf);
	return send_icmp_error(skb, w, g, &answer);
}

/*
 * The addresses change places, which leaves the IP checksum as it is. Fragments of a big request
 * become those of the reply.
 */
static __noinline int answer_echo(struct __sk_buff *skb, const struct work *w,
				  const struct globals *g)
{
	__be32 addresses[2] = {w->p.dst, w->p.src};
	__u8 reply = ICMP_ECHOREPLY;

	if (w->p.is_fragment && w->p.l4)
		remember_fragment(w, FRAGMENT_TO_GATEWAY);
	if (w->p.l4 &&
	    (bpf_l4_csum_replace(skb, w->p.l4 + 2, bpf_htons(ICMP_ECHO << 8), 0, 2) ||
	     bpf_skb_store_bytes(skb, w->p.l4, &reply, 1, 0)))
		return TC_ACT_SHOT;
	if (bpf_skb_store_bytes(skb, IP_ADDRESSES_OFFSET, addresses, 8, 0))
		return TC_ACT_SHOT;
	return send_back(skb, w, g);
}

#endif
