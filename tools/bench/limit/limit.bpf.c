// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The least that a forwarding plane can do: look the 5-tuple up, count, redirect. See ../README.md. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct key {
	__be32 saddr, daddr;
	__be32 ports;
	__u32 protocol;
};
struct target {
	__u32 ifindex; /* the pod's device, or the tunnel's */
	__u32 remote; /* host byte order; 0: on this node */
};
struct flow {
	struct target target;
	__u64 packets, bytes;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__type(key, struct key);
	__type(value, struct flow);
} flows SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __be32);
	__type(value, struct target);
} targets SEC(".maps");

/* At the ingress of pods' devices and of the tunnel. */
SEC("tc")
int limit(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);
	int is_first = 0;

	if ((void *)tcp + 8 > end || ip->version != 4 || ip->ihl != 5)
		return TC_ACT_OK;
	if (ip->protocol == IPPROTO_TCP && (void *)tcp + 14 <= end)
		is_first = tcp->syn;
	struct key key = { ip->saddr, ip->daddr, *(__be32 *)tcp, ip->protocol };
	struct flow *flow = is_first ? 0 : bpf_map_lookup_elem(&flows, &key);

	if (!flow) {
		struct target *target = bpf_map_lookup_elem(&targets, &key.daddr);

		if (!target)
			return TC_ACT_OK;
		struct flow made = { .target = *target };

		bpf_map_update_elem(&flows, &key, &made, BPF_ANY);
		flow = bpf_map_lookup_elem(&flows, &key);
		if (!flow)
			return TC_ACT_SHOT;
	}
	flow->packets++;
	flow->bytes += skb->len;
	if (!flow->target.remote)
		return bpf_redirect_peer(flow->target.ifindex, 0);
	struct bpf_tunnel_key tunnel = { .tunnel_id = 1, .remote_ipv4 = flow->target.remote, .tunnel_ttl = 64 };

	bpf_skb_set_tunnel_key(skb, &tunnel, sizeof(tunnel), BPF_F_ZERO_CSUM_TX);
	return bpf_redirect(flow->target.ifindex, 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
