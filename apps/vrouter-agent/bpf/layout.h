/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_LAYOUT_H
#define VROUTER_LAYOUT_H

/*
 * What the agent writes into maps (src/datapath/layout/); flow_layout.h has what programs write. Numbers are in host order
 * (little-endian), addresses, ports (__be…) and MACs as on the wire. "Agent" or "program" after a
 * struct says who writes it. Reserved bytes are 0. Maps of different layouts live in different
 * folders, named by what the compiler says about the structs; flows pass from one to the other by the
 * names of their fields. So a field whose meaning changes gets another name.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#define ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)

enum vif_kind { VIF_POD, VIF_HOST };
#define VIF_ADDRESSES 4

struct vif_key {
	__u32 ifindex;
	__u16 vlan; /* tag of a nested pod; 0: a device of its own */
	__u16 pad;
};
ASSERT_SIZE(struct vif_key, 8);

struct vif { /* agent */
	__u8 kind;          /* enum vif_kind */
	__u8 port_security; /* 0: any source address and MAC */
	__u16 mtu;          /* bytes */
	__u32 vrf;
	__u32 identity;
	__u32 policy;    /* 0: not programmed, everything is dropped */
	__u32 max_flows; /* 0: no limit */
	__u8 mac[6];
	__u16 pad;
	__u8 uuid[16]; /* of the VMI */
	__be32 addresses_v4[VIF_ADDRESSES]; /* when it has several, else 0: it may be asked by any of them */
	__u8 reserved[4];
};
ASSERT_SIZE(struct vif, 64);

struct source_key_v4 {
	__u32 prefixlen; /* bits: 64 + length of the prefix */
	__u32 ifindex;
	__u16 vlan;
	__u16 pad;
	__be32 address;
};
ASSERT_SIZE(struct source_key_v4, 16);
struct source_key_v6 {
	__u32 prefixlen;
	__u32 ifindex;
	__u16 vlan;
	__u16 pad;
	__u8 address[16];
};
ASSERT_SIZE(struct source_key_v6, 28);

struct host_route_key_v4 {
	__u32 vrf;
	__be32 address;
};
ASSERT_SIZE(struct host_route_key_v4, 8);
struct host_route_key_v6 {
	__u32 vrf;
	__u8 address[16];
};
ASSERT_SIZE(struct host_route_key_v6, 20);

struct prefix_route_key_v4 {
	__u32 prefixlen; /* bits: 32 + length of the prefix */
	__u32 vrf;
	__be32 address;
};
ASSERT_SIZE(struct prefix_route_key_v4, 12);
struct prefix_route_key_v6 {
	__u32 prefixlen;
	__u32 vrf;
	__u8 address[16];
};
ASSERT_SIZE(struct prefix_route_key_v6, 24);

struct route { /* agent */
	__u32 next_hop;
	__u32 identity; /* of what is behind it; 0: unknown */
	__u8 reserved[8];
};
ASSERT_SIZE(struct route, 16);

enum next_hop_kind {
	NEXT_HOP_NONE,
	NEXT_HOP_ENCAP,     /* a local Vif: ifindex, vlan */
	NEXT_HOP_TUNNEL,    /* VXLAN: remote, vrf, label */
	NEXT_HOP_COMPOSITE, /* ECMP: member_count slots in `composites` */
	NEXT_HOP_RECEIVE,   /* the node's own stack */
	NEXT_HOP_GATEWAY,   /* answers ARP and ICMP echo */
	NEXT_HOP_FABRIC,    /* the underlay, with source translation when snat */
	NEXT_HOP_DISCARD,
	NEXT_HOP_LOOPBACK, /* only in flows: back into the node's stack through lo */
};

struct next_hop { /* agent */
	__u8 kind;
	__u8 snat;
	__u8 remote_length; /* 4, 16, or 0: none */
	__u8 pad;
	__u32 ifindex;
	__u16 vlan;
	__u16 member_count;
	__u32 vrf;        /* in which the receiver looks up */
	__u32 label;      /* 0: that of {vrf, sender's identity}; else a fixed VNI */
	__u8 remote[16];  /* underlay address; IPv4 in the first four bytes */
	__u8 mac[6];      /* of the inner frame; 0: the gateway's */
	__u16 pad2;
	__u8 reserved[20];
};
ASSERT_SIZE(struct next_hop, 64);

struct composite_key {
	__u32 next_hop;
	__u32 slot;
};
ASSERT_SIZE(struct composite_key, 8);

/*
 * Labels have 23 bits; this one of the VNI says that the packet answers: the end to which it goes began the
 * connection, and its node alone knows whether it may. The agent gives out no such label.
 */
#define VNI_ANSWER 0x800000

struct label_in { /* agent; key: the VNI received, without VNI_ANSWER */
	__u32 vrf;
	__u32 identity; /* of the sender; 0: from the route to its address */
	__u32 sender_vrf;
	__u32 sender_space; /* VRFs of one space never use an address twice; 0: none shares addresses with the sender's */
};
ASSERT_SIZE(struct label_in, 16);

struct label_out_key { /* value: __u32 VNI */
	__u32 vrf;
	__u32 identity;
};
ASSERT_SIZE(struct label_out_key, 8);

struct service_key_v4 {
	__u32 vrf;
	__be32 address;
	__be16 port;
	__u8 protocol; /* 0 with port 0: marks the address as a service's */
	__u8 pad;
};
ASSERT_SIZE(struct service_key_v4, 12);
struct service_key_v6 {
	__u32 vrf;
	__u8 address[16];
	__be16 port;
	__u8 protocol;
	__u8 pad;
};
ASSERT_SIZE(struct service_key_v6, 24);

#define SERVICE_SOURCE_RANGES 1
#define SERVICE_EXTERNAL 2
#define SERVICE_INTERNAL_LOCAL 4
#define SERVICE_EXTERNAL_LOCAL 8
#define SERVICE_HOST_PORT 16

struct service { /* agent */
	__u32 id;
	__u32 slot_count;         /* 0: refused at once */
	__u32 affinity_timeout_s; /* 0: no affinity */
	__u32 flags;              /* SERVICE_… */
	__u8 reserved[16];
};
ASSERT_SIZE(struct service, 32);

struct backend_key {
	__u32 service;
	__u32 slot;
};
ASSERT_SIZE(struct backend_key, 8);

struct backend { /* agent */
	__u8 address[16];
	__u32 vrf;
	__be16 port;
	__u8 address_length; /* 4 or 16 */
	__u8 pad;
	__u8 reserved[8];
};
ASSERT_SIZE(struct backend, 32);

struct affinity_key_v4 {
	__u32 service;
	__be32 client;
	__u32 vrf; /* of the client */
};
ASSERT_SIZE(struct affinity_key_v4, 12);

struct affinity { /* program */
	__u32 slot;
	__u32 last_s; /* seconds of the monotonic clock */
	__be32 address; /* the slot's backend when chosen: a refilled slot is not followed */
	__u32 reserved;
};
ASSERT_SIZE(struct affinity, 16);

struct source_range_key_v4 {
	__u32 prefixlen; /* bits: 32 + length of the prefix */
	__u32 service;
	__be32 address;
};
ASSERT_SIZE(struct source_range_key_v4, 12);
struct source_range_key_v6 {
	__u32 prefixlen;
	__u32 service;
	__u8 address[16];
};
ASSERT_SIZE(struct source_range_key_v6, 24);

struct node_key_v4 {
	__be32 address;
};
ASSERT_SIZE(struct node_key_v4, 4);
struct node_key_v6 {
	__u8 address[16];
};
ASSERT_SIZE(struct node_key_v6, 16);
struct node { /* agent */
	__u32 self;
	__u32 reserved;
};
ASSERT_SIZE(struct node, 8);

enum policy_direction { POLICY_INGRESS, POLICY_EGRESS, POLICY_EGRESS_TO_SERVICE };

struct policy_key {
	__u32 prefixlen;     /* bits: 72 any protocol; 80 + length of the port prefix */
	__u32 policy;
	__u32 peer_identity; /* 0: any */
	__u8 direction;      /* enum policy_direction */
	__u8 protocol;
	__be16 port; /* destination */
};
ASSERT_SIZE(struct policy_key, 16);
struct policy_verdict { /* agent */
	__u32 verdict; /* 1: pass, 0: deny */
	__u32 rule;
	__u8 reserved[8];
};
ASSERT_SIZE(struct policy_verdict, 16);

struct vrf { /* agent */
	__u32 max_flows;
	__u32 vni;
	__u32 space; /* as sender_space of label_in */
	__u32 reserved;
};
ASSERT_SIZE(struct vrf, 16);

struct globals { /* agent; one entry */
	__be32 node_address; /* 0: not configured yet, everything is dropped */
	__u8 node_address_v6[16];
	__u32 uplink_ifindex;
	__u32 tunnel_ifindex;
	__u32 host_ifindex;
	__u32 fabric_vrf;
	__u32 host_identity;
	__u16 snat_port_min;
	__u16 snat_port_max;
	__be32 hairpin_address; /* 0: none */
	__u8 hairpin_address_v6[16];
	__u32 generation;
	__u32 tcp_established_s;
	__u32 tcp_half_open_s;
	__u32 tcp_closing_s;
	__u32 udp_s;
	__u32 udp_stream_s;
	__u32 icmp_s;
	__u16 uplink_mtu; /* bytes of IP; 0: unknown, nothing is too big */
	__u16 tunnel_mtu; /* what fits into the uplink with the tunnel's headers */
	__u32 epoch; /* another number after each change of a table that the agent writes; never 0 */
	__u8 reserved[24];
};
ASSERT_SIZE(struct globals, 124);

#endif
