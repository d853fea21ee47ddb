import { explicit as o, property as p, structure } from '../dsl';
import type { StructureSpec } from '../dsl';

/** Security policy by tags. */
export const securityStructures: readonly StructureSpec[] = [
  structure('FirewallServiceType', [
    o(1, 'protocol', 'string', { doc: 'tcp, udp, icmp, icmp6, any, or a number.' }),
    o(2, 'protocol_id', 'int32', { doc: 'Number of the protocol; set by the server.' }),
    p(3, 'src_ports', 'PortType'),
    p(4, 'dst_ports', 'PortType'),
  ]),
  structure('FirewallServiceGroupType', [
    p(1, 'firewall_service', 'FirewallServiceType', { repeated: true }),
  ]),
  structure('FirewallRuleEndpointType', [
    p(1, 'subnet', 'SubnetType'),
    o(2, 'virtual_network', 'string', { doc: 'fq_name joined by colons.' }),
    o(3, 'address_group', 'string', { doc: 'fq_name joined by colons.' }),
    p(4, 'tags', 'string', {
      repeated: true,
      doc: '`type=value`, or `global:type=value` for a global tag.',
    }),
    p(5, 'tag_ids', 'int32', { repeated: true, doc: 'Numbers of the tags; set by the server.' }),
    p(6, 'any', 'bool', { doc: 'Every end point.' }),
  ]),
  structure('FirewallRuleMatchTagsType', [
    p(1, 'tag_list', 'string', { repeated: true, doc: 'Names of tag types.' }),
  ]),
  structure('FirewallRuleMatchTagsTypeIdList', [p(1, 'tag_type', 'int32', { repeated: true })]),
  structure('FirewallSequence', [
    o(1, 'sequence', 'string', { doc: 'Position, a decimal number as text; smaller comes first.' }),
  ]),
];
