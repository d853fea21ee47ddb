import { property as p, reference as ref, resourceType } from './dsl';
import type { ResourceTypeSpec } from './dsl';

/** Every resource type, in the order of `Resource.kind`. Source: Contrail schema R21. */
export const resourceTypes: readonly ResourceTypeSpec[] = [
  resourceType(10, 'config-root', { doc: 'Root of all objects; exactly one, uuid fixed.' }),
  resourceType(11, 'domain', { parents: ['config-root'], doc: 'Administrative domain.' }),
  resourceType(12, 'project', {
    parents: ['domain'],
    properties: [p(10, 'vxlan_routing', 'bool', { storedOnly: true })],
    doc: 'Tenant; one for each Kubernetes namespace, or one shared by configuration.',
  }),
  resourceType(13, 'network-ipam', {
    parents: ['project'],
    properties: [
      p(10, 'network_ipam_mgmt', 'IpamType', { storedOnly: true }),
      p(11, 'ipam_subnet_method', 'string', {
        values: ['user-defined-subnet', 'flat-subnet', 'auto-subnet'],
      }),
      p(12, 'ipam_subnets', 'IpamSubnets', { doc: 'Subnets of a flat-subnet IPAM.' }),
      p(13, 'ipam_subnetting', 'bool', { storedOnly: true }),
    ],
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
      p(17, 'fabric_snat', 'bool', { doc: 'Translate traffic to outside to the address of the node.' }),
      p(18, 'address_allocation_mode', 'string', {
        values: [
          'user-defined-subnet-preferred',
          'user-defined-subnet-only',
          'flat-subnet-preferred',
          'flat-subnet-only',
        ],
      }),
      p(19, 'port_security_enabled', 'bool'),
      p(20, 'flood_unknown_unicast', 'bool', { storedOnly: true }),
      p(21, 'mac_learning_enabled', 'bool', { storedOnly: true }),
      p(22, 'virtual_network_category', 'string', { storedOnly: true }),
    ],
    references: [
      ref(100, 'network-ipam', { attr: 'VnSubnetsType' }),
      ref(101, 'network-policy', { attr: 'VirtualNetworkPolicyType' }),
      ref(102, 'virtual-network'),
    ],
    doc: 'A network of interfaces with one address space (VRF).',
  }),
  resourceType(15, 'routing-instance', {
    parents: ['virtual-network'],
    properties: [
      p(10, 'routing_instance_is_default', 'bool'),
      p(11, 'routing_instance_fabric_snat', 'bool', { storedOnly: true }),
    ],
    references: [ref(100, 'route-target', { attr: 'InstanceTargetType' }), ref(101, 'routing-instance')],
    doc: 'The VRF of a network; the default one is made and removed with its network.',
  }),
  resourceType(16, 'route-target', { doc: 'Name `target:<asn>:<number>`; tells VRFs what to import.' }),
  resourceType(17, 'network-policy', {
    parents: ['project'],
    properties: [p(10, 'network_policy_entries', 'PolicyEntriesType')],
    doc: 'Which networks exchange routes and which of their traffic passes (contrailNetworkPolicy).',
  }),
  resourceType(18, 'security-group', {
    parents: ['project'],
    properties: [
      p(10, 'security_group_id', 'uint32', { readOnly: true }),
      p(11, 'configured_security_group_id', 'uint32'),
      p(12, 'security_group_entries', 'PolicyEntriesType'),
    ],
    doc: 'Allow rules for the interfaces that refer to it.',
  }),
  resourceType(19, 'global-system-config', {
    parents: ['config-root'],
    properties: [
      p(10, 'autonomous_system', 'uint32'),
      p(11, 'config_version', 'string'),
      p(12, 'ibgp_auto_mesh', 'bool', { storedOnly: true }),
    ],
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
      p(15, 'port_translation_pools', 'PortTranslationPools'),
      p(16, 'flow_export_rate', 'uint32', { storedOnly: true }),
      p(17, 'enable_security_logging', 'bool', { storedOnly: true }),
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
    ],
    references: [ref(100, 'virtual-machine', { weak: true })],
    doc: 'A node that runs a vRouter.',
  }),
  resourceType(22, 'virtual-machine', {
    properties: [
      p(10, 'server_type', 'string', { values: ['baremetal-server', 'virtual-server', 'container'] }),
      p(11, 'host_port_mappings', 'HostPortMapping', { repeated: true, grpcOnly: true }),
      p(12, 'kube_node_name', 'string', { grpcOnly: true, doc: 'Node on which the pod runs.' }),
    ],
    doc: 'A pod; its uuid is the uid of the pod.',
  }),
  resourceType(23, 'virtual-machine-interface', {
    parents: ['project', 'virtual-machine'],
    properties: [
      p(10, 'virtual_machine_interface_mac_addresses', 'MacAddressesType'),
      p(11, 'virtual_machine_interface_properties', 'VirtualMachineInterfacePropertiesType'),
      p(12, 'virtual_machine_interface_device_owner', 'string'),
      p(13, 'virtual_machine_interface_disable_policy', 'bool'),
      p(14, 'virtual_machine_interface_allowed_address_pairs', 'AllowedAddressPairs'),
      p(15, 'port_security_enabled', 'bool'),
      p(16, 'vlan_tag_based_bridge_domain', 'bool', { storedOnly: true }),
      p(17, 'container_interface_name', 'string', { grpcOnly: true, doc: 'Empty means eth0.' }),
    ],
    references: [
      ref(100, 'virtual-network', { max: 1 }),
      ref(101, 'virtual-machine', { max: 1 }),
      ref(102, 'security-group'),
      ref(103, 'routing-instance', { attr: 'PolicyBasedForwardingRuleType' }),
      ref(104, 'virtual-machine-interface'),
    ],
    doc: 'An attachment of a pod, or of a service address, to a network.',
  }),
  resourceType(24, 'instance-ip', {
    properties: [
      p(10, 'instance_ip_address', 'string', { format: 'ip' }),
      p(11, 'instance_ip_family', 'string', { values: ['v4', 'v6'] }),
      p(12, 'instance_ip_mode', 'string', { values: ['active-active', 'active-standby'] }),
      p(13, 'subnet_uuid', 'string', { format: 'uuid' }),
      p(14, 'instance_ip_subnet', 'SubnetType', { storedOnly: true }),
      p(15, 'instance_ip_secondary', 'bool'),
      p(16, 'service_instance_ip', 'bool', { storedOnly: true }),
      p(17, 'service_health_check_ip', 'bool', { storedOnly: true }),
    ],
    references: [
      ref(100, 'virtual-network', { max: 1 }),
      ref(101, 'virtual-machine-interface'),
      ref(102, 'network-ipam', { max: 1 }),
    ],
    doc: 'An address of an interface.',
  }),
  resourceType(25, 'alias-ip-pool', { parents: ['virtual-network'], doc: 'Pool of alias addresses.' }),
  resourceType(26, 'alias-ip', {
    parents: ['alias-ip-pool'],
    properties: [
      p(10, 'alias_ip_address', 'string', { format: 'ip' }),
      p(11, 'alias_ip_address_family', 'string', { values: ['v4', 'v6'] }),
    ],
    references: [ref(100, 'project'), ref(101, 'virtual-machine-interface')],
    doc: 'A second address of an interface, of another network, translated one to one or routed.',
  }),
  resourceType(27, 'service-appliance-set', {
    parents: ['global-system-config'],
    properties: [
      p(10, 'service_appliance_driver', 'string', { storedOnly: true }),
      p(11, 'service_appliance_ha_mode', 'string'),
      p(12, 'service_appliance_set_properties', 'KeyValuePairs', { storedOnly: true }),
    ],
    doc: 'A provider of load balancers: `native` (ECMP) or `opencontrail` (HAProxy).',
  }),
  resourceType(28, 'loadbalancer', {
    parents: ['project'],
    properties: [
      p(10, 'loadbalancer_provider', 'string', { doc: '`native` or `opencontrail`.' }),
      p(11, 'loadbalancer_properties', 'LoadbalancerType'),
      p(12, 'service_traffic', 'ServiceTraffic', { grpcOnly: true }),
    ],
    references: [ref(100, 'service-appliance-set', { max: 1 }), ref(101, 'virtual-machine-interface')],
    doc: 'A Service or an Ingress; its uuid is the uid of that object.',
  }),
  resourceType(29, 'loadbalancer-listener', {
    parents: ['project'],
    properties: [p(10, 'loadbalancer_listener_properties', 'LoadbalancerListenerType')],
    references: [ref(100, 'loadbalancer', { max: 1 })],
    doc: 'A port of a load balancer.',
  }),
  resourceType(30, 'loadbalancer-pool', {
    parents: ['project'],
    properties: [
      p(10, 'loadbalancer_pool_properties', 'LoadbalancerPoolType'),
      p(11, 'loadbalancer_pool_provider', 'string'),
      p(12, 'loadbalancer_pool_custom_attributes', 'KeyValuePairs', { storedOnly: true }),
    ],
    references: [
      ref(100, 'service-appliance-set', { max: 1 }),
      ref(101, 'virtual-machine-interface'),
      ref(102, 'loadbalancer-listener', { max: 1 }),
    ],
    doc: 'The members behind a listener.',
  }),
  resourceType(31, 'loadbalancer-member', {
    parents: ['loadbalancer-pool'],
    properties: [
      p(10, 'loadbalancer_member_properties', 'LoadbalancerMemberType'),
      p(11, 'endpoint_conditions', 'EndpointConditions', { grpcOnly: true }),
    ],
    doc: 'One endpoint and port; annotations `vmi` and `vm` name the pod as in R21.',
  }),
];
