/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_WORK_H
#define VROUTER_WORK_H

/*
 * What the slow path knows about the first packet of a connection while it decides. It lives in a
 * map, not on the stack; programs at tc hooks do not interrupt each other on a CPU.
 */
#include "adopt.h"

/* What a step of the slow path says. Positive: a drop reason. */
#define STEP_OK 0
#define STEP_REFUSE -1    /* no endpoint: answer with RST or port unreachable */
#define STEP_UNTOUCHED -2 /* not ours: let the packet go on */
#define STEP_ECHO -3      /* an echo request to the gateway: answer it */
#define STEP_RETRY -4     /* another CPU made the flow: use that */
#define STEP_TAKEN -6     /* the key is another connection's */
#define STEP_ANEW -5      /* what the flow was made for is gone: begin a new one */

struct work {
	struct packet p;
	enum hook hook;

	/* Where the packet came from. */
	__u32 zone;
	__u16 vlan;
	__u8 mac[6]; /* of the sending interface */
	__u32 vrf;
	__u32 identity;
	__u32 policy;
	__u32 generation; /* read before judging: what changes meanwhile is judged again */
	__u32 sender_vrf; /* of the end that begins; answers through the tunnel are looked up there */
	__u32 sender_space; /* of packets from the tunnel */
	__be32 tunnel_remote;
	__u32 in_label; /* without VNI_ANSWER */
	__u32 max_flows; /* of the sending interface */
	__u8 any_mac; /* the sending interface has no port security */
	__u8 is_answer; /* its sender takes it for one: VNI_ANSWER */
	__u8 is_self; /* a pod that calls itself through its service */
	__u8 is_to_service; /* a service of the sender's VRF, no port of a node */

	/* Where it goes, and how it looks then. */
	__u8 kind;
	__u8 snat;
	struct tuple to;
	__u32 to_vrf;
	__u32 service;
	__u32 oif;
	__u16 oif_vlan;
	__u8 dmac[6];
	__be32 remote;
	__u32 label;
	__u32 to_identity;
	__u32 to_policy;
	__u32 to_max_flows;
	__u32 target_vrf; /* of the end that is called; 0: outside */
	__u32 rule;
	__u8 is_local; /* the target is a local interface */
	__u8 to_any_mac;
	__u8 is_to_node; /* the target is another node */

	__u32 exceeded_mtu;   /* 0: the packet fits */
	int verdict;          /* of the flow that took the packet */
	__u8 quoted[40];      /* by an ICMP error about it: headers of IP and TCP */

	enum side side; /* on which the first direction's packets find their record */
	struct flow_key_v4 forward_key;
	struct flow_key_v4 reverse_key;
	__u32 answer_zone; /* where answers of the node, or through a tunnel, find their record */
	__u16 answer_vlan;
	struct flow_value_v4 forward;
	struct flow_value_v4 reverse;
};

TABLE(scratch, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct work, 1, 0);

/*
 * The work as it is. Steps with many paths are global functions, so that the verifier looks at each
 * once, whatever leads there; they find the work here.
 */
static __always_inline struct work *find_work(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

static __always_inline struct work *get_work(void)
{
	struct work *w = find_work();

	if (w)
		__builtin_memset(w, 0, sizeof(*w));
	return w;
}

static __always_inline struct vif *find_vif(__u32 ifindex, __u16 vlan)
{
	struct vif_key key = {.ifindex = ifindex, .vlan = vlan};

	return bpf_map_lookup_elem(&vifs, &key);
}

static __always_inline int is_rewritten(const struct work *w)
{
	return w->to.src != w->p.src || w->to.dst != w->p.dst || w->to.sport != w->p.sport ||
	       w->to.dport != w->p.dport;
}

/* Fixed mixing of the 5-tuple: the same connection finds the same slot on every node. */
static __always_inline __u32 mix(__u32 hash, __u32 value)
{
	hash ^= value;
	hash ^= hash >> 16;
	hash *= 0x85ebca6b;
	hash ^= hash >> 13;
	hash *= 0xc2b2ae35;
	return hash ^ hash >> 16;
}

static __always_inline __u32 hash_tuple(const struct packet *p)
{
	__u32 hash = mix(0x9e3779b9, p->src);

	hash = mix(hash, p->dst);
	hash = mix(hash, p->sport | (__u32)p->dport << 16);
	return mix(hash, p->protocol);
}

#endif
