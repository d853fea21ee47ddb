import { explicit as o, property as p, structure } from '../dsl';
import { PROTOCOL_PORT } from '../ranges';
import type { StructureSpec } from '../dsl';

/** BGP speakers and their sessions. */
export const bgpStructures: readonly StructureSpec[] = [
  structure('AddressFamilies', [
    p(1, 'family', 'string', {
      repeated: true,
      values: [
        'inet',
        'inet-labeled',
        'inet-vpn',
        'e-vpn',
        'erm-vpn',
        'route-target',
        'inet6',
        'inet-mvpn',
        'inet6-vpn',
      ],
    }),
  ]),
  structure('AuthenticationKeyItem', [
    o(1, 'key_id', 'uint32', { range: { min: 0, max: 63 } }),
    o(2, 'key', 'string'),
  ]),
  structure('AuthenticationData', [
    o(1, 'key_type', 'string', { values: ['md5'] }),
    p(2, 'key_items', 'AuthenticationKeyItem', { repeated: true }),
  ]),
  structure('BgpPrefixLimit', [
    o(1, 'maximum', 'int32'),
    o(2, 'idle_timeout', 'uint32', { range: { min: 0, max: 86400 } }),
  ]),
  structure('BgpFamilyAttributes', [
    o(1, 'address_family', 'string', {
      values: [
        'inet',
        'inet-labeled',
        'inet-vpn',
        'e-vpn',
        'erm-vpn',
        'route-target',
        'inet6',
        'inet-mvpn',
        'inet6-vpn',
      ],
    }),
    o(2, 'loop_count', 'uint32', { range: { min: 0, max: 16 } }),
    p(3, 'prefix_limit', 'BgpPrefixLimit'),
    p(4, 'default_tunnel_encap', 'string', {
      repeated: true,
      values: ['gre', 'mpls', 'udp', 'vxlan'],
    }),
  ]),
  structure('RouteOriginOverride', [
    p(1, 'origin_override', 'bool'),
    o(2, 'origin', 'string', { values: ['IGP', 'EGP', 'INCOMPLETE'] }),
  ]),
  structure('BgpSessionAttributes', [
    o(1, 'bgp_router', 'string', {
      doc: 'Name of the local speaker of this session; empty: both.',
    }),
    p(2, 'admin_down', 'bool'),
    p(3, 'passive', 'bool'),
    p(4, 'as_override', 'bool'),
    o(5, 'hold_time', 'uint32', { range: PROTOCOL_PORT }),
    o(6, 'loop_count', 'uint32', { range: { min: 0, max: 16 } }),
    o(7, 'local_autonomous_system', 'uint32'),
    p(8, 'address_families', 'AddressFamilies'),
    p(9, 'auth_data', 'AuthenticationData'),
    p(10, 'family_attributes', 'BgpFamilyAttributes', { repeated: true }),
    o(11, 'private_as_action', 'string', { values: ['remove', 'remove-all', 'replace-all'] }),
    p(12, 'route_origin_override', 'RouteOriginOverride'),
  ]),
  structure('BgpSession', [
    o(1, 'uuid', 'string'),
    p(2, 'attributes', 'BgpSessionAttributes', { repeated: true }),
  ]),
  structure('BgpPeeringAttributes', [p(1, 'session', 'BgpSession', { repeated: true })]),
  structure('BgpRouterParams', [
    p(1, 'admin_down', 'bool'),
    o(2, 'vendor', 'string'),
    o(3, 'cluster_id', 'uint32'),
    o(4, 'autonomous_system', 'uint32'),
    o(5, 'identifier', 'string', { doc: 'BGP identifier in the form of an IPv4 address.' }),
    o(6, 'address', 'string', { doc: 'Address at which the speaker listens.' }),
    o(7, 'port', 'int32'),
    o(8, 'source_port', 'int32'),
    o(9, 'hold_time', 'uint32', { range: PROTOCOL_PORT }),
    p(10, 'address_families', 'AddressFamilies'),
    p(11, 'auth_data', 'AuthenticationData'),
    o(12, 'local_autonomous_system', 'uint32'),
    o(13, 'router_type', 'string', {
      values: [
        'control-node',
        'external-control-node',
        'router',
        'bgpaas-server',
        'bgpaas-client',
      ],
    }),
    o(14, 'gateway_address', 'string', { format: 'ip' }),
    o(15, 'ipv6_gateway_address', 'string', { format: 'ip' }),
  ]),
];
