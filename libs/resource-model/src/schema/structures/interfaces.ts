import { explicit as o, property as p, structure } from '../dsl';
import { PROTOCOL_PORT } from '../ranges';
import type { StructureSpec } from '../dsl';

/** Interfaces of virtual machines. */
export const interfaceStructures: readonly StructureSpec[] = [
  structure('MacAddressesType', [p(1, 'mac_address', 'string', { repeated: true, format: 'mac' })]),
  structure('AllowedAddressPair', [
    p(1, 'ip', 'SubnetType'),
    p(2, 'mac', 'string', { format: 'mac' }),
    p(3, 'address_mode', 'string', {
      values: ['active-active', 'active-standby'],
      storedOnly: true,
    }),
  ]),
  structure('AllowedAddressPairs', [
    p(1, 'allowed_address_pair', 'AllowedAddressPair', { repeated: true }),
  ]),
  structure('InterfaceMirrorType', [
    o(1, 'traffic_direction', 'string', { values: ['ingress', 'egress', 'both'] }),
    p(2, 'mirror_to', 'MirrorActionType'),
  ]),
  structure('VirtualMachineInterfacePropertiesType', [
    p(1, 'service_interface_type', 'string', { storedOnly: true }),
    p(2, 'local_preference', 'uint32', { storedOnly: true }),
    p(3, 'sub_interface_vlan_tag', 'uint32', { range: { min: 0, max: 4094 } }),
    p(4, 'max_flows', 'uint32', { doc: 'Flows of this interface; 0 means the default quota.' }),
    p(5, 'interface_mirror', 'InterfaceMirrorType', { storedOnly: true }),
  ]),
  structure('ProtocolType', [
    o(1, 'protocol', 'string'),
    o(2, 'port', 'int32'),
    o(3, 'ignore_address', 'string', { values: ['none', 'source', 'destination'] }),
    p(4, 'source_prefix', 'SubnetType'),
    o(5, 'source_aggregate_prefix_length', 'int32'),
    p(6, 'destination_prefix', 'SubnetType'),
    o(7, 'destination_aggregate_prefix_length', 'int32'),
  ]),
  structure('FatFlowProtocolsType', [
    p(1, 'fat_flow_protocol', 'ProtocolType', { repeated: true }),
  ]),
  structure('PolicyBasedForwardingRuleType', [
    p(1, 'direction', 'string', { values: ['both', 'ingress', 'egress'] }),
    p(2, 'vlan_tag', 'uint32'),
    p(3, 'src_mac', 'string'),
    p(4, 'dst_mac', 'string'),
    p(5, 'mpls_label', 'uint32'),
    p(6, 'service_chain_address', 'string'),
    p(7, 'protocol', 'string'),
    o(8, 'ipv6_service_chain_address', 'string', { storedOnly: true }),
  ]),
  structure('HostPortMapping', [
    p(1, 'protocol', 'string', { values: ['TCP', 'UDP', 'SCTP'] }),
    p(2, 'host_port', 'uint32', { range: PROTOCOL_PORT }),
    p(3, 'container_port', 'uint32', { range: PROTOCOL_PORT }),
    p(4, 'host_ip', 'string', { format: 'ip', doc: 'Empty: every address of the node.' }),
  ]),
  structure('ServiceApplianceKeyValue', [
    p(1, 'key', 'string'),
    p(2, 'value', 'string'),
  ]),
  structure('KeyValuePairs', [
    p(1, 'key_value_pair', 'ServiceApplianceKeyValue', { repeated: true }),
  ]),
];
