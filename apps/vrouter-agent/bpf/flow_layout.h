/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_FLOW_LAYOUT_H
#define VROUTER_FLOW_LAYOUT_H

/* What programs write into maps: flows, drops, events, the result of a sweep. As layout.h. */
#include "layout.h"

/*
 * Flow key. The zone is a local interface (a pod's, the host interface, the uplink, or lo), and
 * "local" is that interface's side of the connection. Packets from a tunnel have the zone of a VRF
 * where an interface does not say which connection is meant: see ZONE_VRF. ICMP echo: the identifier
 * is the port of the side that asks, 0 that of the side that answers. Other protocols without ports: 0.
 */
struct flow_key_v4 {
	__u32 zone;
	__u16 vlan;
	__u8 protocol;
	__u8 pad;
	__be16 local_port;
	__be16 remote_port;
	__be32 local;
	__be32 remote;
	__u32 remote_vrf; /* with ZONE_VRF: of the end that is not local; else 0 */
};
ASSERT_SIZE(struct flow_key_v4, 24);
struct flow_key_v6 {
	__u32 zone;
	__u16 vlan;
	__u8 protocol;
	__u8 pad;
	__be16 local_port;
	__be16 remote_port;
	__u8 local[16];
	__u8 remote[16];
	__u32 remote_vrf;
};
ASSERT_SIZE(struct flow_key_v6, 48);

/*
 * Zone of packets from a tunnel to an address of this VRF that several interfaces have, or whose ports
 * at the interface belong to a connection with an equal address of another VRF. VRFs have 24 bits.
 */
#define ZONE_VRF 0x80000000
/*
 * In the VLAN of a key: the tuple of this side is taken by a connection whose record serves the other
 * side only. So it is when an interface uses one port to the same end directly and through a service.
 */
#define VLAN_OTHER_SIDE 0x8000

#define FLOW_OUT 1        /* the action is for packets that the zone's interface sends */
#define FLOW_IN 2         /* the action is for packets to the zone's interface */
#define FLOW_BOTH 4       /* action for packets sent; packets to the interface are delivered to it */
#define FLOW_REWRITE 8    /* the nat_ fields differ from the packet's */
#define FLOW_FORWARD 16   /* the direction of the first packet; with FLOW_BOTH: the zone began it */
#define FLOW_PEER 32      /* another record belongs to it, in peer_zone */
#define FLOW_PEER_SWAP 64 /* its local side is nat_dst, else nat_src */
#define FLOW_FROM_NODE 128 /* begun by the node itself: ingress policy does not apply */
#define FLOW_ANY_MAC 256  /* no port security */
#define FLOW_SELF 512     /* a pod that reached itself: policy does not apply */
#define FLOW_SNAT 1024    /* holds a port of the SNAT range */
#define FLOW_ALONE 2048   /* a sweep found it without its other half */
#define FLOW_VRF_COUNTED 4096 /* in the quota of the VRF that began */
#define FLOW_TO_SERVICE 8192 /* begun by a service of the sender's VRF */

#define TCP_SEEN_SYN 1
#define TCP_SEEN_ACK 2 /* an ACK without SYN */
#define TCP_SEEN_FIN 4
#define TCP_SEEN_RST 8

/*
 * Values of `generation` that are none. A record ends once, by the exchange that makes it 0; it is
 * deleted by a sweep a second later, when no program can still read it, because a deleted record is reused at
 * once for another connection. An ended record may become one of the same key again.
 */
#define FLOW_ENDED 0              /* last_out says when */
#define FLOW_IN_WORK 0xffffffff   /* being filled, or deleted */

/* Who a record is counted for: the end that began. `scope` is OWNER_… and a VRF or a VLAN tag. */
#define OWNER_NONE 0
#define OWNER_VIF 0x01000000      /* | vlan; id: ifindex */
#define OWNER_REMOTE 0x02000000   /* | VRF; id: IPv4 address, or the words of an IPv6 address added up */
#define OWNER_UNDERLAY 0x03000000 /* | vlan; id: ifindex of the interface that is called */
#define OWNER_VRF 0x04000000      /* | VRF; id: 0 */
struct owner {
	__u32 scope;
	__u32 id;
};
ASSERT_SIZE(struct owner, 8);

/* Records of an owner. `state`: the count, and in the upper half how often it changed. */
struct usage { /* program */
	__u64 state;
	__u64 state_before; /* when the sweep began to recount */
	__u32 seen;         /* by the recount */
	__u32 pad;
};
ASSERT_SIZE(struct usage, 24);

/*
 * What a record says; times are ktime >> 20 (about a millisecond). The kernel puts 48 bytes and the key
 * (24) in front: with 184 bytes every record has four cache lines of its own. One is only read for each
 * packet; packets sent and packets received, which run on different CPUs, each write one of the others.
 */
struct flow_value_v4 { /* program */
	__u32 generation; /* of the policy that it was judged by, FLOW_ENDED or FLOW_IN_WORK */
	__u16 flags;      /* FLOW_… */
	__u8 verdict;     /* 1: pass */
	__u8 kind;        /* enum next_hop_kind of the action */
	__u32 oif;
	__u32 label;
	__u8 remote[16];
	__u8 dmac[6];    /* for the frame that the action sends */
	__u8 vif_mac[6]; /* of the zone's interface */
	__u16 oif_vlan;
	__u16 pad;
	__be32 nat_src; /* the packet after the action, always filled */
	__be32 nat_dst;
#ifdef TEST_LAYOUT_GROWN
	__u64 test_grown; /* moves what follows; only in the tests of a changed layout */
#endif

	/* The line of packets that the zone's interface sends. */
	__be16 nat_sport;
	__be16 nat_dport;
	__u32 last_out; /* 0: none yet */
	__u64 packets_out;
	__u64 bytes_out;
	__u8 tcp_out; /* TCP_SEEN_… of packets that the zone's interface sent */
	__u8 pad_out[3];
	__u32 peer_zone;
	__u16 peer_vlan;
	__u16 pad_peer;
	__u32 vrf;    /* of the side that began */
	__u32 to_vrf; /* of its destination: another for services across VRFs */
	__u32 service; /* 0: none */
	__u32 remote_identity; /* of the end that is not local; 0: unknown */
	__u32 rule;
	__u8 reserved_out[8];

	/* The line of packets to the zone's interface. */
	__u32 in_label; /* of the tunnel packets for it, without VNI_ANSWER; 0: none came yet */
	__u32 last_in;
	__u64 packets_in;
	__u64 bytes_in;
	__u8 tcp_in;
	__u8 pad_in[3];
	__u32 remote_vrf;   /* of the end behind the tunnel; 0: none, or unknown */
	__u32 remote_space; /* as sender_space of label_in, for remote_vrf; 0: none, or not yet known */
	struct owner owner;
	__u8 reserved[20];
};
#ifdef TEST_LAYOUT_GROWN
ASSERT_SIZE(struct flow_value_v4, 192);
#else
ASSERT_SIZE(struct flow_value_v4, 184);
_Static_assert(__builtin_offsetof(struct flow_value_v4, nat_sport) == 56, "line of the action");
_Static_assert(__builtin_offsetof(struct flow_value_v4, in_label) == 120, "line of packets sent");
#endif
struct flow_value_v6 {
	__u8 common[48];
	__u8 nat_src[16];
	__u8 nat_dst[16];
	__u8 rest[128];
};
ASSERT_SIZE(struct flow_value_v6, 208);

/*
 * First fragments that passed, for those that follow. Each sender has FRAGMENT_SLOTS places, chosen by
 * a hash of what the fragments of one packet share: a sender only ever displaces its own.
 */
#define FRAGMENT_SLOTS 128
struct fragment_key_v4 {
	__u32 zone; /* of the flow; from a tunnel: of the VRF in which the destination is looked up */
	__u16 vlan;
	__u8 side; /* enum side */
	__u8 slot;
	__be32 sender; /* 0: the zone's interface itself */
	__u32 sender_vrf; /* 0: the zone's interface itself, or somebody outside */
};
ASSERT_SIZE(struct fragment_key_v4, 16);
#define FRAGMENT_TO_GATEWAY 1 /* of an echo request that the gateway answers */
struct fragment_v4 { /* program */
	__be32 src;
	__be32 dst;
	__be16 id;
	__u8 protocol;
	__u8 flags; /* FRAGMENT_… */
	__be16 sport; /* as in struct flow_key_v4 */
	__be16 dport;
	__u32 time; /* as that of flows */
	__u16 end;  /* bytes behind the IP header that the first fragment has */
	__u16 pad;
};
ASSERT_SIZE(struct fragment_v4, 24);

/* Answers that programs made for an interface, for their rate limit. Key: the zone. */
struct answer_window { /* program */
	__u64 second;
	__u64 answers;
};
ASSERT_SIZE(struct answer_window, 16);

struct drop_key {
	__u32 reason; /* enum drop_reason */
	__u32 vrf;
};
ASSERT_SIZE(struct drop_key, 8);
struct drop_count { /* program, for each CPU */
	__u64 packets;
	__u64 bytes;
};
ASSERT_SIZE(struct drop_count, 16);
struct drop_window { /* program; key: the reason */
	__u64 second;
	__u64 events;
};
ASSERT_SIZE(struct drop_window, 16);
struct drop_event { /* program, in the ring `drop_events` */
	__u64 time_ns; /* monotonic clock */
	__u32 reason;
	__u32 vrf;
	__u32 ifindex;
	__u32 rule; /* 0: none */
	__u8 source[16];
	__u8 destination[16];
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 address_length; /* 4, 16, or 0: not an IP packet */
	__u16 pad;
};
ASSERT_SIZE(struct drop_event, 64);

/* Command of the sweep program, and what it did. */
#define SWEEP_EXPIRED 0 /* records that idled too long */
#define SWEEP_ZONE 1    /* records of an interface */
#define SWEEP_BACKEND 2 /* records translated to a backend */
struct sweep { /* agent writes the first part, program the second */
	__u32 command;
	__u32 zone;
	__u16 vlan;
	__be16 port;
	__be32 address;
	__u8 protocol;
	__u8 recount;   /* 1: mends `usages`, too */
	__u16 grace_ms; /* how long an ended record stays */
	__u32 vrf;
	__u32 kept; /* records that stay */
	__u32 removed;
};
ASSERT_SIZE(struct sweep, 32);

#endif
