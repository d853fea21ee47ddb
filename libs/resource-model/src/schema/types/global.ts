import { explicit as o, property as p, reference as ref, resourceType } from '../dsl';
import type { ResourceTypeSpec } from '../dsl';

/** Settings of the deployment, nodes and providers. */
export const globalTypes: readonly ResourceTypeSpec[] = [
  resourceType(19, 'global-system-config', {
    parents: ['config-root'],
    properties: [
      p(10, 'autonomous_system', 'uint32'),
      p(11, 'config_version', 'string'),
      p(12, 'ibgp_auto_mesh', 'bool', { initial: true, storedOnly: true }),
      p(13, 'alarm_enable', 'bool', { storedOnly: true }),
      p(14, 'bgp_always_compare_med', 'bool', { storedOnly: true }),
      p(15, 'bgpaas_parameters', 'BGPaaServiceParametersType', { storedOnly: true }),
      p(16, 'data_center_interconnect_asn_namespace', 'AsnRangeType', { storedOnly: true }),
      p(17, 'data_center_interconnect_loopback_namespace', 'SubnetListType', { storedOnly: true }),
      p(18, 'enable_4byte_as', 'bool', { initial: false, storedOnly: true }),
      p(19, 'enable_security_policy_draft', 'bool', {
        initial: false,
        storedOnly: true,
        doc: 'Changes of security policies wait for a commit.',
      }),
      p(20, 'fast_convergence_parameters', 'FastConvergenceParametersType', { storedOnly: true }),
      p(21, 'graceful_restart_parameters', 'GracefulRestartParametersType', { storedOnly: true }),
      p(22, 'igmp_enable', 'bool', { initial: false, storedOnly: true }),
      p(23, 'ip_fabric_subnets', 'SubnetListType', {
        storedOnly: true,
        doc: 'Prefixes of the underlay.',
      }),
      o(24, 'mac_aging_time', 'uint32', {
        range: { min: 0, max: 86400 },
        initial: 300,
        storedOnly: true,
        doc: 'Seconds; 0 means for ever.',
      }),
      p(25, 'mac_limit_control', 'MACLimitControlType', { storedOnly: true }),
      p(26, 'mac_move_control', 'MACMoveLimitControlType', { storedOnly: true }),
      p(27, 'plugin_tuning', 'PluginProperties', { storedOnly: true }),
      o(28, 'rd_cluster_seed', 'uint32', {
        range: { min: 1, max: 65535 },
        storedOnly: true,
        doc: 'Part of route distinguishers.',
      }),
      p(29, 'supported_device_families', 'DeviceFamilyListType', { storedOnly: true }),
      p(30, 'supported_fabric_annotations', 'KeyValuePairs', { storedOnly: true }),
      p(31, 'supported_vendor_hardwares', 'VendorHardwaresType', { storedOnly: true }),
      p(32, 'user_defined_log_statistics', 'UserDefinedLogStatList', {
        collection: { kind: 'map', element: 'statlist', key: 'name' },
        storedOnly: true,
      }),
    ],
    references: [ref(100, 'bgp-router')],
    doc: 'Settings of the deployment; exactly one, `default-global-system-config`.',
  }),
  resourceType(20, 'global-vrouter-config', {
    parents: ['global-system-config'],
    properties: [
      p(10, 'vxlan_network_identifier_mode', 'string', { values: ['automatic', 'configured'] }),
      p(11, 'encapsulation_priorities', 'EncapsulationPrioritiesType'),
      p(12, 'linklocal_services', 'LinklocalServicesTypes', { storedOnly: true }),
      p(13, 'flow_aging_timeout_list', 'FlowAgingTimeoutList'),
      p(14, 'forwarding_mode', 'string', { values: ['l2_l3', 'l2', 'l3'] }),
      p(15, 'port_translation_pools', 'PortTranslationPools', {
        collection: { kind: 'list', element: 'port_translation_pool' },
      }),
      p(16, 'flow_export_rate', 'uint32', { storedOnly: true }),
      p(17, 'enable_security_logging', 'bool', { initial: true, storedOnly: true }),
      p(18, 'ecmp_hashing_include_fields', 'EcmpHashingIncludeFields', {
        storedOnly: true,
        doc: 'Fields of a packet that choose among equal paths.',
      }),
      o(19, 'encryption_mode', 'string', {
        values: ['none', 'all'],
        initial: 'none',
        storedOnly: true,
      }),
      p(20, 'encryption_tunnel_endpoints', 'EncryptionTunnelEndpointList', {
        collection: { kind: 'list', element: 'endpoint' },
        storedOnly: true,
      }),
    ],
    doc: 'Settings of all vRouters.',
  }),
  resourceType(21, 'virtual-router', {
    parents: ['global-system-config'],
    properties: [
      p(10, 'virtual_router_ip_address', 'string', { format: 'ip', doc: 'Underlay address.' }),
      p(11, 'virtual_router_type', 'string', {
        values: ['embedded', 'tor-agent', 'tor-service-node', 'hypervisor'],
        storedOnly: true,
      }),
      p(12, 'virtual_router_dpdk_enabled', 'bool', { storedOnly: true }),
      p(13, 'virtual_router_ip_addresses', 'string', {
        repeated: true,
        format: 'ip',
        grpcOnly: true,
        doc: 'Every address of the node that pods may call, both families, the first the underlay.',
      }),
      p(14, 'kube_node_name', 'string', { grpcOnly: true }),
      p(15, 'virtual_router_sriov_physical_networks', 'KeyValuePairs', {
        collection: { kind: 'map', element: 'key_value_pair', key: 'key' },
        storedOnly: true,
        doc: 'Physical function of each network.',
      }),
    ],
    references: [
      ref(100, 'virtual-machine', { weak: true }),
      ref(101, 'network-ipam', { attr: 'VirtualRouterNetworkIpamType' }),
    ],
    unservedReferences: ['sub-cluster'],
    doc: 'A node that runs a vRouter.',
  }),
  resourceType(27, 'service-appliance-set', {
    parents: ['global-system-config'],
    properties: [
      p(10, 'service_appliance_driver', 'string', { storedOnly: true }),
      p(11, 'service_appliance_ha_mode', 'string'),
      p(12, 'service_appliance_set_properties', 'KeyValuePairs', { storedOnly: true }),
      o(13, 'service_appliance_set_virtualization_type', 'string', {
        values: ['virtual-machine', 'network-namespace', 'vrouter-instance', 'physical-device'],
        storedOnly: true,
      }),
    ],
    doc: 'A provider of load balancers: `native` (ECMP) or `opencontrail` (HAProxy).',
  }),
];
