/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_DROP_REASONS_H
#define VROUTER_DROP_REASONS_H

/*
 * Why a packet is dropped. Numbers are part of the layout: new reasons go to the end, none is
 * reused. src/datapath/drop-reasons.ts has the same table; a test compares both.
 */
#define DROP_REASONS(REASON)                                                                        \
	REASON(1, MALFORMED, "malformed")                                                           \
	REASON(2, IPV6, "ipv6-not-served")                                                          \
	REASON(3, ETHERTYPE, "unknown-ethertype")                                                   \
	REASON(4, VLAN, "unknown-vlan")                                                             \
	REASON(5, LATER_FRAGMENT, "later-fragment")                                                 \
	REASON(6, NOT_PROGRAMMED, "interface-not-programmed")                                       \
	REASON(7, SOURCE_MAC, "source-mac-spoofed")                                                 \
	REASON(8, SOURCE_ADDRESS, "source-address-spoofed")                                         \
	REASON(9, ARP_IGNORED, "arp-ignored")                                                       \
	REASON(10, FORGED_TUNNEL, "forged-tunnel")                                                  \
	REASON(11, UNKNOWN_NODE, "tunnel-from-unknown-node")                                        \
	REASON(12, UNKNOWN_LABEL, "unknown-label")                                                  \
	REASON(13, NO_LABEL, "no-label-for-identity")                                               \
	REASON(14, NO_ROUTE, "no-route")                                                            \
	REASON(15, DISCARD, "discard-route")                                                        \
	REASON(16, NO_NEXT_HOP, "next-hop-missing")                                                 \
	REASON(17, TUNNEL_NOT_LOCAL, "tunnel-destination-not-local")                                \
	REASON(18, SERVICE_PORT, "service-port-unknown")                                            \
	REASON(19, NO_ENDPOINT, "service-without-endpoint")                                         \
	REASON(20, SOURCE_RANGE, "outside-source-ranges")                                           \
	REASON(21, BACKEND, "service-backend-unusable")                                             \
	REASON(22, POLICY_EGRESS, "policy-egress")                                                  \
	REASON(23, POLICY_INGRESS, "policy-ingress")                                                \
	REASON(24, DESTINATION_NOT_PROGRAMMED, "destination-not-programmed")                        \
	REASON(25, FLOW_TABLE_FULL, "flow-table-full")                                              \
	REASON(26, FLOW_TABLE_ERROR, "flow-table-error")                                            \
	REASON(27, SNAT_PORTS, "snat-ports-exhausted")                                              \
	REASON(28, TUPLE_COLLISION, "tuple-collision")                                              \
	REASON(29, GATEWAY, "to-gateway")                                                           \
	REASON(30, ICMP_UNRELATED, "icmp-error-unrelated")                                          \
	REASON(31, ICMP_TYPE, "icmp-type-not-served")                                               \
	REASON(32, PROTOCOL_NAT, "protocol-not-translatable")                                       \
	REASON(33, REWRITE, "rewrite-failed")                                                       \
	REASON(34, NOT_CONFIGURED, "datapath-not-configured")                                       \
	REASON(35, NOT_UNICAST, "not-unicast")                                                      \
	REASON(36, NO_HAIRPIN_ADDRESS, "no-hairpin-address")                                        \
	REASON(37, ARP_FROM_TUNNEL, "arp-from-tunnel")                                              \
	REASON(38, FORWARDED, "forwarded-by-node")                                                  \
	REASON(39, FRAGMENT_TINY, "first-fragment-tiny")                                            \
	REASON(40, FRAGMENT_OVERLAP, "fragment-overlap")                                            \
	REASON(41, TOO_BIG, "packet-too-big")                                                       \
	REASON(42, IP_OPTIONS, "ip-options-not-served")                                             \
	REASON(43, QUOTA_INTERFACE, "flow-quota-of-interface")                                      \
	REASON(44, QUOTA_NETWORK, "flow-quota-of-network")                                          \
	REASON(45, ANSWER_UNRELATED, "answer-unrelated")

#define DROP_REASON_ENUM(number, name, text) DROP_##name = number,
enum drop_reason { DROP_REASONS(DROP_REASON_ENUM) DROP_REASON_COUNT };

#endif
