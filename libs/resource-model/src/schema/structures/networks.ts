import { explicit as o, property as p, structure } from '../dsl';
import type { StructureSpec } from '../dsl';

/** Virtual networks, their routing and their layer 2. */
export const networkStructures: readonly StructureSpec[] = [
  structure('VirtualNetworkType', [
    p(1, 'allow_transit', 'bool', { storedOnly: true }),
    p(2, 'network_id', 'uint32', { storedOnly: true }),
    p(3, 'vxlan_network_identifier', 'uint32', { range: { min: 0, max: 16777215 } }),
    p(4, 'forwarding_mode', 'string', { values: ['l2_l3', 'l2', 'l3'] }),
    p(5, 'rpf', 'string', { values: ['enable', 'disable'] }),
    p(6, 'mirror_destination', 'bool', { storedOnly: true }),
    p(7, 'max_flows', 'uint32', {
      doc: 'Flows of the whole network on one node; 0 means no limit.',
    }),
    o(8, 'mtu', 'uint32', {
      range: { min: 0, max: 9216 },
      storedOnly: true,
      doc: '0: derived from the underlay.',
    }),
  ]),
  structure('SequenceType', [
    p(1, 'major', 'int32', { zeroCounts: true }),
    p(2, 'minor', 'int32', { zeroCounts: true }),
  ]),
  structure('TimerType', [
    p(1, 'start_time', 'string', { storedOnly: true }),
    p(2, 'on_interval', 'string', { storedOnly: true }),
    p(3, 'off_interval', 'string', { storedOnly: true }),
    p(4, 'end_time', 'string', { storedOnly: true }),
  ]),
  structure('VirtualNetworkPolicyType', [
    p(1, 'sequence', 'SequenceType', { doc: 'Order in which the network applies its policies.' }),
    p(2, 'timer', 'TimerType', { storedOnly: true }),
  ]),
  structure('RouteTargetList', [
    p(1, 'route_target', 'string', { repeated: true, format: 'route-target' }),
  ]),
  structure('InstanceTargetType', [
    p(1, 'import_export', 'string', { values: ['import', 'export'], doc: 'Empty means both.' }),
  ]),
  structure('ConnectionType', [o(1, 'destination_instance', 'string')]),
  structure('ProviderDetails', [
    o(1, 'segmentation_id', 'uint32', { range: { min: 0, max: 4094 } }),
    o(2, 'physical_network', 'string'),
  ]),
  structure('MACLimitControlType', [
    o(1, 'mac_limit', 'int32'),
    o(2, 'mac_limit_action', 'string', { values: ['log', 'alarm', 'shutdown', 'drop'] }),
  ]),
  structure('MACMoveLimitControlType', [
    o(1, 'mac_move_limit', 'int32'),
    o(2, 'mac_move_time_window', 'uint32', { range: { min: 1, max: 60 } }),
    o(3, 'mac_move_limit_action', 'string', { values: ['log', 'alarm', 'shutdown', 'drop'] }),
  ]),
  structure('EcmpHashingIncludeFields', [
    p(1, 'hashing_configured', 'bool'),
    p(2, 'source_ip', 'bool'),
    p(3, 'destination_ip', 'bool'),
    p(4, 'ip_protocol', 'bool'),
    p(5, 'source_port', 'bool'),
    p(6, 'destination_port', 'bool'),
  ]),
  structure('ProtocolBgpType', [o(1, 'autonomous_system', 'uint32')]),
  structure('ProtocolOspfType', [o(1, 'area', 'int32')]),
  structure('DefaultProtocolType', [
    p(1, 'bgp', 'ProtocolBgpType'),
    p(2, 'ospf', 'ProtocolOspfType'),
  ]),
  structure('ServiceChainInfo', [
    o(1, 'routing_instance', 'string'),
    p(2, 'prefix', 'string', { repeated: true }),
    o(3, 'service_chain_address', 'string'),
    o(4, 'service_instance', 'string'),
    o(5, 'source_routing_instance', 'string'),
    o(6, 'service_chain_id', 'string'),
    p(7, 'sc_head', 'bool'),
  ]),
  structure('StaticRouteType', [
    o(1, 'prefix', 'string'),
    o(2, 'next_hop', 'string'),
    p(3, 'route_target', 'string', { repeated: true }),
    p(4, 'community', 'string', { repeated: true }),
  ]),
  structure('StaticRouteEntriesType', [p(1, 'route', 'StaticRouteType', { repeated: true })]),
  structure('LogicalRouterVirtualNetworkType', [
    o(1, 'logical_router_virtual_network_type', 'string', {
      values: ['ExternalGateway', 'InternalVirtualNetwork'],
    }),
  ]),
];
