import { explicit as o, property as p, reference as ref, resourceType } from '../dsl';
import type { ResourceTypeSpec } from '../dsl';

/** Virtual networks and their routing. */
export const networkTypes: readonly ResourceTypeSpec[] = [
  resourceType(13, 'network-ipam', {
    parents: ['project'],
    properties: [
      p(10, 'network_ipam_mgmt', 'IpamType', { storedOnly: true }),
      p(11, 'ipam_subnet_method', 'string', {
        values: ['user-defined-subnet', 'flat-subnet', 'auto-subnet'],
      }),
      p(12, 'ipam_subnets', 'IpamSubnets', {
        collection: { kind: 'list', element: 'subnets' },
        doc: 'Subnets of a flat-subnet IPAM.',
      }),
      p(13, 'ipam_subnetting', 'bool', { storedOnly: true }),
    ],
    references: [ref(100, 'virtual-dns')],
    doc: 'Subnets from which interfaces get their addresses.',
  }),
  resourceType(14, 'virtual-network', {
    parents: ['project'],
    properties: [
      p(10, 'virtual_network_properties', 'VirtualNetworkType'),
      p(11, 'virtual_network_network_id', 'uint32', {
        readOnly: true,
        doc: 'Base VNI of the network, 1 to 2^24-1; set in the create transaction.',
      }),
      p(12, 'route_target_list', 'RouteTargetList'),
      p(13, 'import_route_target_list', 'RouteTargetList'),
      p(14, 'export_route_target_list', 'RouteTargetList'),
      p(15, 'is_shared', 'bool'),
      p(16, 'router_external', 'bool'),
      p(17, 'fabric_snat', 'bool', {
        initial: false,
        doc: 'Translate traffic to outside to the address of the node.',
      }),
      p(18, 'address_allocation_mode', 'string', {
        values: [
          'user-defined-subnet-preferred',
          'user-defined-subnet-only',
          'flat-subnet-preferred',
          'flat-subnet-only',
        ],
      }),
      p(19, 'port_security_enabled', 'bool', { initial: true }),
      p(20, 'flood_unknown_unicast', 'bool', { initial: false, storedOnly: true }),
      p(21, 'mac_learning_enabled', 'bool', { initial: false, storedOnly: true }),
      p(22, 'virtual_network_category', 'string', {
        values: ['infra', 'tenant', 'internal', 'routed'],
        initial: 'tenant',
        storedOnly: true,
      }),
      p(23, 'ecmp_hashing_include_fields', 'EcmpHashingIncludeFields', {
        storedOnly: true,
        doc: 'Fields of a packet that choose among equal paths.',
      }),
      p(24, 'external_ipam', 'bool', {
        storedOnly: true,
        doc: 'Addresses come from outside and are not allocated.',
      }),
      p(25, 'igmp_enable', 'bool', { initial: false, storedOnly: true }),
      p(26, 'is_provider_network', 'bool', { initial: false }),
      p(27, 'layer2_control_word', 'bool', { initial: false, storedOnly: true }),
      o(28, 'mac_aging_time', 'uint32', {
        range: { min: 0, max: 86400 },
        initial: 300,
        storedOnly: true,
        doc: 'Seconds; 0 means for ever.',
      }),
      p(29, 'mac_limit_control', 'MACLimitControlType', { storedOnly: true }),
      p(30, 'mac_move_control', 'MACMoveLimitControlType', { storedOnly: true }),
      o(31, 'mtu', 'uint32', {
        range: { min: 0, max: 9216 },
        storedOnly: true,
        doc: '0: derived from the underlay.',
      }),
      p(32, 'multi_policy_service_chains_enabled', 'bool', { storedOnly: true }),
      p(33, 'pbb_etree_enable', 'bool', { initial: false, storedOnly: true }),
      p(34, 'pbb_evpn_enable', 'bool', { initial: false, storedOnly: true }),
      p(35, 'provider_properties', 'ProviderDetails', { storedOnly: true }),
      p(36, 'virtual_network_fat_flow_protocols', 'FatFlowProtocolsType', {
        collection: { kind: 'list', element: 'fat_flow_protocol' },
        storedOnly: true,
        doc: 'Flows of these protocols are merged.',
      }),
      p(37, 'virtual_network_routed_properties', 'VirtualNetworkRoutedPropertiesType', {
        storedOnly: true,
      }),
    ],
    references: [
      ref(100, 'network-ipam', { attr: 'VnSubnetsType' }),
      ref(101, 'network-policy', { attr: 'VirtualNetworkPolicyType' }),
      ref(102, 'virtual-network'),
      ref(103, 'route-table'),
      ref(104, 'service-health-check'),
    ],
    unservedReferences: [
      'bgpvpn',
      'intent-map',
      'multicast-policy',
      'qos-config',
      'routing-policy',
      'security-logging-object',
    ],
    doc: 'A network of interfaces with one address space (VRF).',
  }),
  resourceType(15, 'routing-instance', {
    parents: ['virtual-network'],
    derivedFrom: ['virtual-network'],
    properties: [
      p(10, 'routing_instance_is_default', 'bool', { initial: false }),
      p(11, 'routing_instance_fabric_snat', 'bool', { initial: false, storedOnly: true }),
      p(12, 'default_ce_protocol', 'DefaultProtocolType', { storedOnly: true }),
      p(13, 'evpn_ipv6_service_chain_information', 'ServiceChainInfo', { storedOnly: true }),
      p(14, 'evpn_service_chain_information', 'ServiceChainInfo', { storedOnly: true }),
      p(15, 'ipv6_service_chain_information', 'ServiceChainInfo', { storedOnly: true }),
      p(16, 'routing_instance_has_pnf', 'bool', { initial: false, storedOnly: true }),
      p(17, 'service_chain_information', 'ServiceChainInfo', { storedOnly: true }),
      p(18, 'static_route_entries', 'StaticRouteEntriesType', { storedOnly: true }),
    ],
    references: [
      ref(100, 'route-target', { attr: 'InstanceTargetType' }),
      ref(101, 'routing-instance', { attr: 'ConnectionType' }),
    ],
    doc: 'The VRF of a network; the default one is made and removed with its network.',
  }),
  resourceType(16, 'route-target', {
    doc: 'Name `target:<asn>:<number>`; tells VRFs what to import.',
  }),
  resourceType(33, 'route-table', {
    parents: ['project'],
    properties: [
      p(10, 'routes', 'RouteTableType', { storedOnly: true }),
    ],
    doc: 'Static routes that networks which refer to it announce.',
  }),
  resourceType(34, 'interface-route-table', {
    parents: ['project'],
    properties: [
      p(10, 'interface_route_table_routes', 'RouteTableType', { storedOnly: true }),
    ],
    references: [ref(100, 'service-instance', { attr: 'ServiceInterfaceTag', weak: true })],
    doc: 'Static routes towards the interfaces that refer to it.',
  }),
  resourceType(17, 'network-policy', {
    parents: ['project'],
    properties: [
      p(10, 'network_policy_entries', 'PolicyEntriesType'),
    ],
    doc: 'Which networks exchange routes and which of their traffic passes (contrailNetworkPolicy).',
  }),
  resourceType(35, 'logical-router', {
    parents: ['project'],
    properties: [
      p(10, 'configured_route_target_list', 'RouteTargetList', { storedOnly: true }),
      p(11, 'logical_router_dhcp_relay_server', 'IpAddressesType', { storedOnly: true }),
      p(12, 'logical_router_gateway_external', 'bool', { storedOnly: true }),
      o(13, 'logical_router_type', 'string', {
        values: ['snat-routing', 'vxlan-routing'],
        initial: 'snat-routing',
        storedOnly: true,
      }),
      o(14, 'vxlan_network_identifier', 'string', { storedOnly: true }),
    ],
    references: [
      ref(100, 'route-table'),
      ref(101, 'route-target'),
      ref(102, 'service-instance'),
      ref(103, 'virtual-machine-interface'),
      ref(104, 'virtual-network', { attr: 'LogicalRouterVirtualNetworkType' }),
    ],
    unservedReferences: ['bgpvpn', 'physical-router'],
    doc: 'Joins networks, or gives them a way outside.',
  }),
];
