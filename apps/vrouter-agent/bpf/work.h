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

/*
 * What the tables say of a connection to be: who begins it, where it goes and how its packets look then, how
 * it is answered. Not of one connection alone, so it can be remembered (known_courses.h).
 */
#define COURSE \
	__u32 vrf; \
	__u32 identity; \
	__u32 policy; \
	__u32 sender_vrf; /* of the end that begins; answers through the tunnel are looked up there */ \
	__u32 remote_space; /* of the end behind the tunnel, whichever that is */ \
	__u32 max_flows; /* of the sending interface */ \
	__u32 network_max_flows; /* of the VRF that pays for the connection (quota.h) */ \
	__u8 mac[6]; /* of the sending interface */ \
	__u8 any_mac; /* the sending interface has no port security */ \
	__u8 kind; \
	struct tuple to; \
	__u32 to_vrf; \
	__u32 service; \
	__u32 slot_count; /* of the service */ \
	__u32 oif; \
	__u16 oif_vlan; \
	__u8 dmac[6]; \
	__be32 remote; \
	__u32 label; \
	__u32 to_identity; \
	__u32 to_max_flows; \
	__u32 target_vrf; /* of the end that is called; 0: outside */ \
	__u32 rule; \
	__u32 called_zone; /* of packets from the tunnel: as local_zone says */ \
	__u16 called_vlan; \
	__u16 answer_vlan; \
	__u32 answer_zone; /* where answers of the node, or through a tunnel, find their record */ \
	__u32 answer_label; /* under which a call from the tunnel is answered */ \
	__u8 is_to_service; /* a service of the sender's VRF, no port of a node */ \
	__u8 is_local; /* the target is a local interface */ \
	__u8 to_any_mac; \
	__u8 is_to_node; /* the target is another node */
struct course {
	COURSE
};

struct work {
	struct packet p;
	enum hook hook;

	/* Where the packet came from. */
	__u32 zone;
	__u16 vlan;
	__u32 generation; /* as these were before anything was looked up: what changes meanwhile is judged again */
	__u32 epoch;
	__be32 tunnel_remote;
	__u32 in_label; /* without VNI_ANSWER */
	__u8 is_answer; /* its sender takes it for one: VNI_ANSWER */
	__u8 is_self; /* a pod that calls itself through its service */
	__u8 snat;

	union {
		struct course course;
		struct {
			COURSE
		};
	};
	__u32 to_policy;
	__u8 is_known; /* the course was remembered */
	__u8 is_tuple_bound; /* the course is that of this connection alone */

	__u32 exceeded_mtu;   /* 0: the packet fits */
	int verdict;          /* of the flow that took the packet */
	__u8 quoted[40];      /* by an ICMP error about it: headers of IP and TCP */

	enum side side; /* on which the first direction's packets find their record */
	struct flow_key_v4 forward_key;
	struct flow_key_v4 reverse_key;
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

/* A new work. */
static __always_inline struct work *get_work(const struct globals *g)
{
	struct work *w = find_work();

	if (!g || !w)
		return 0;
	__builtin_memset(w, 0, sizeof(*w));
	w->generation = *(volatile const __u32 *)&g->generation;
	/* Also a barrier: what is looked up from now on is at least as new. */
	__sync_lock_test_and_set(&w->epoch, *(volatile const __u32 *)&g->epoch);
	return w;
}

static __always_inline struct vif *find_vif(__u32 ifindex, __u16 vlan)
{
	struct vif_key key = {.ifindex = ifindex, .vlan = vlan};

	return bpf_map_lookup_elem(&vifs, &key);
}

/* Who sends, as the tables say. 0: nobody yet. */
static __always_inline int set_sending_vif(struct work *w, __u32 *vrf)
{
	struct vif *vif = find_vif(w->zone, w->vlan);

	if (!vif)
		return 0;
	*vrf = vif->vrf;
	w->vrf = vif->vrf;
	w->sender_vrf = vif->vrf;
	w->max_flows = vif->max_flows;
	w->identity = vif->identity;
	w->policy = vif->policy;
	w->any_mac = !vif->port_security;
	__builtin_memcpy(w->mac, vif->mac, 6);
	return vif->policy != 0;
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
