import { explicit as o, property as p, structure } from '../dsl';
import { PROTOCOL_PORT } from '../ranges';
import type { StructureSpec } from '../dsl';

/** Networks that a physical router routes. */
export const routedNetworkStructures: readonly StructureSpec[] = [
  structure('BgpParameters', [
    o(1, 'peer_autonomous_system', 'uint32'),
    o(2, 'peer_ip_address', 'string', { format: 'ip' }),
    p(3, 'peer_ip_address_list', 'string', { repeated: true }),
    o(4, 'hold_time', 'uint32', { range: PROTOCOL_PORT }),
    p(5, 'auth_data', 'AuthenticationData'),
    o(6, 'local_autonomous_system', 'uint32'),
    o(7, 'multihop_ttl', 'int32'),
  ]),
  structure('OspfParameters', [
    p(1, 'auth_data', 'AuthenticationData'),
    o(2, 'hello_interval', 'int32'),
    o(3, 'dead_interval', 'int32'),
    o(4, 'area_id', 'string'),
    o(5, 'area_type', 'string', { values: ['nssa', 'stub', 'backbone'] }),
    p(6, 'advertise_loopback', 'bool'),
    p(7, 'orignate_summary_lsa', 'bool'),
  ]),
  structure('PimParameters', [
    p(1, 'rp_ip_address', 'string', { repeated: true }),
    o(2, 'mode', 'string', { values: ['sparse', 'sparse-dense', 'dense'] }),
    p(3, 'enable_all_interfaces', 'bool'),
  ]),
  structure('StaticRouteParameters', [
    p(1, 'interface_route_table_uuid', 'string', { repeated: true }),
    p(2, 'next_hop_ip_address', 'string', { repeated: true }),
  ]),
  structure('BfdParameters', [
    o(1, 'time_interval', 'int32'),
    o(2, 'detection_time_multiplier', 'int32'),
  ]),
  structure('RoutingPolicyParameters', [
    p(1, 'import_routing_policy_uuid', 'string', { repeated: true }),
    p(2, 'export_routing_policy_uuid', 'string', { repeated: true }),
  ]),
  structure('RoutedProperties', [
    o(1, 'physical_router_uuid', 'string'),
    o(2, 'logical_router_uuid', 'string'),
    o(3, 'routed_interface_ip_address', 'string'),
    o(4, 'loopback_ip_address', 'string'),
    o(5, 'routing_protocol', 'string', { values: ['static-routes', 'bgp', 'ospf', 'pim'] }),
    p(6, 'bgp_params', 'BgpParameters'),
    p(7, 'ospf_params', 'OspfParameters'),
    p(8, 'pim_params', 'PimParameters'),
    p(9, 'static_route_params', 'StaticRouteParameters'),
    p(10, 'bfd_params', 'BfdParameters'),
    p(11, 'routing_policy_params', 'RoutingPolicyParameters'),
  ]),
  structure('VirtualNetworkRoutedPropertiesType', [
    p(1, 'routed_properties', 'RoutedProperties', { repeated: true }),
    p(2, 'shared_across_all_lrs', 'bool'),
  ]),
];
