import { explicit as o, property as p, structure } from '../dsl';
import type { StructureSpec } from '../dsl';

/** Rules of network policies, security groups and access control lists. */
export const ruleStructures: readonly StructureSpec[] = [
  structure('PortType', [
    p(1, 'start_port', 'int32', {
      zeroCounts: true,
      range: { min: -1, max: 65535 },
      doc: '-1 means any.',
    }),
    p(2, 'end_port', 'int32', {
      zeroCounts: true,
      range: { min: -1, max: 65535 },
      doc: '-1 means any.',
    }),
  ]),
  structure('AddressType', [
    p(1, 'subnet', 'SubnetType'),
    p(2, 'virtual_network', 'string', { doc: 'fq_name joined by colons, "any" or "local".' }),
    p(3, 'security_group', 'string', { doc: 'fq_name joined by colons or "local".' }),
    p(4, 'network_policy', 'string', { doc: 'Every network to which this policy is attached.' }),
    p(5, 'subnet_list', 'SubnetType', { repeated: true }),
  ]),
  structure('StaticMirrorNhType', [
    o(1, 'vtep_dst_ip_address', 'string'),
    o(2, 'vtep_dst_mac_address', 'string'),
    o(3, 'vni', 'uint32', { range: { min: 1, max: 16777215 } }),
  ]),
  structure('MirrorActionType', [
    o(1, 'analyzer_name', 'string'),
    o(2, 'encapsulation', 'string'),
    o(3, 'analyzer_ip_address', 'string'),
    o(4, 'analyzer_mac_address', 'string'),
    o(5, 'routing_instance', 'string'),
    o(6, 'udp_port', 'int32'),
    p(7, 'juniper_header', 'bool'),
    o(8, 'nh_mode', 'string', { values: ['dynamic', 'static'] }),
    p(9, 'static_nh_header', 'StaticMirrorNhType'),
    p(10, 'nic_assisted_mirroring', 'bool'),
    o(11, 'nic_assisted_mirroring_vlan', 'uint32', { range: { min: 0, max: 4094 } }),
  ]),
  structure('ActionListType', [
    p(1, 'simple_action', 'string', { values: ['pass', 'deny', 'alert'] }),
    p(2, 'gateway_name', 'string', { storedOnly: true }),
    p(3, 'apply_service', 'string', { repeated: true, storedOnly: true }),
    p(4, 'assign_routing_instance', 'string', { storedOnly: true }),
    p(5, 'log', 'bool', { storedOnly: true }),
    p(6, 'alert', 'bool', { storedOnly: true }),
    p(7, 'qos_action', 'string', { storedOnly: true }),
    p(8, 'mirror_to', 'MirrorActionType', { storedOnly: true }),
    p(9, 'host_based_service', 'bool', { storedOnly: true }),
  ]),
  structure('PolicyRuleType', [
    p(1, 'rule_sequence', 'SequenceType'),
    p(2, 'rule_uuid', 'string'),
    p(3, 'direction', 'string', { values: ['<>', '>'] }),
    p(4, 'protocol', 'string', { doc: 'tcp, udp, icmp, icmp6, any, or a number.' }),
    p(5, 'src_addresses', 'AddressType', { repeated: true }),
    p(6, 'src_ports', 'PortType', { repeated: true }),
    p(7, 'application', 'string', { repeated: true, storedOnly: true }),
    p(8, 'dst_addresses', 'AddressType', { repeated: true }),
    p(9, 'dst_ports', 'PortType', { repeated: true }),
    p(10, 'action_list', 'ActionListType'),
    p(11, 'ethertype', 'string', { values: ['IPv4', 'IPv6'] }),
    p(12, 'created', 'string', { storedOnly: true }),
    p(13, 'last_modified', 'string', { storedOnly: true }),
    o(14, 'description', 'string', { storedOnly: true }),
  ]),
  structure('PolicyEntriesType', [p(1, 'policy_rule', 'PolicyRuleType', { repeated: true })]),
  structure('MatchConditionType', [
    o(1, 'protocol', 'string'),
    p(2, 'src_address', 'AddressType'),
    p(3, 'src_port', 'PortType'),
    p(4, 'dst_address', 'AddressType'),
    p(5, 'dst_port', 'PortType'),
    o(6, 'ethertype', 'string', { values: ['IPv4', 'IPv6'] }),
  ]),
  structure('AclRuleType', [
    p(1, 'match_condition', 'MatchConditionType'),
    p(2, 'action_list', 'ActionListType'),
    o(3, 'rule_uuid', 'string'),
    o(4, 'direction', 'string', { values: ['>', '<>'] }),
  ]),
  structure('AclEntriesType', [
    p(1, 'dynamic', 'bool'),
    p(2, 'acl_rule', 'AclRuleType', { repeated: true }),
  ]),
  structure('VrfAssignRuleType', [
    p(1, 'match_condition', 'MatchConditionType'),
    o(2, 'vlan_tag', 'int32'),
    o(3, 'routing_instance', 'string', { doc: 'fq_name joined by colons.' }),
    p(4, 'ignore_acl', 'bool'),
  ]),
  structure('VrfAssignTableType', [
    p(1, 'vrf_assign_rule', 'VrfAssignRuleType', { repeated: true }),
  ]),
];
