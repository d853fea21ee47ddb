import { explicit as o, property as p, reference as ref, resourceType } from '../dsl';
import type { ResourceTypeSpec } from '../dsl';

/** Pods, their interfaces and addresses. */
export const interfaceTypes: readonly ResourceTypeSpec[] = [
  resourceType(22, 'virtual-machine', {
    properties: [
      p(10, 'server_type', 'string', {
        values: ['baremetal-server', 'virtual-server', 'container'],
        initial: 'virtual-server',
      }),
      p(11, 'host_port_mappings', 'HostPortMapping', { repeated: true, grpcOnly: true }),
      p(12, 'kube_node_name', 'string', { grpcOnly: true, doc: 'Node on which the pod runs.' }),
    ],
    references: [ref(100, 'service-instance', { weak: true })],
    doc: 'A pod; its uuid is the uid of the pod.',
  }),
  resourceType(23, 'virtual-machine-interface', {
    parents: ['project', 'virtual-machine', 'virtual-router'],
    properties: [
      p(10, 'virtual_machine_interface_mac_addresses', 'MacAddressesType'),
      p(11, 'virtual_machine_interface_properties', 'VirtualMachineInterfacePropertiesType'),
      p(12, 'virtual_machine_interface_device_owner', 'string'),
      p(13, 'virtual_machine_interface_disable_policy', 'bool', { initial: false }),
      p(14, 'virtual_machine_interface_allowed_address_pairs', 'AllowedAddressPairs'),
      p(15, 'port_security_enabled', 'bool', { initial: true }),
      p(16, 'vlan_tag_based_bridge_domain', 'bool', { initial: false, storedOnly: true }),
      p(17, 'container_interface_name', 'string', { grpcOnly: true, doc: 'Empty means eth0.' }),
      p(18, 'ecmp_hashing_include_fields', 'EcmpHashingIncludeFields', {
        storedOnly: true,
        doc: 'Fields of a packet that choose among equal paths.',
      }),
      p(19, 'igmp_enable', 'bool', { initial: false, storedOnly: true }),
      p(20, 'virtual_machine_interface_bindings', 'KeyValuePairs', {
        collection: { kind: 'map', element: 'key_value_pair', key: 'key' },
        storedOnly: true,
        doc: 'Facts of the hypervisor, by key.',
      }),
      p(21, 'virtual_machine_interface_dhcp_option_list', 'DhcpOptionsListType', {
        storedOnly: true,
      }),
      p(22, 'virtual_machine_interface_fat_flow_protocols', 'FatFlowProtocolsType', {
        collection: { kind: 'list', element: 'fat_flow_protocol' },
        storedOnly: true,
        doc: 'Flows of these protocols are merged.',
      }),
      p(23, 'virtual_machine_interface_host_routes', 'RouteTableType', { storedOnly: true }),
      p(24, 'vrf_assign_table', 'VrfAssignTableType', {
        storedOnly: true,
        doc: 'Rules that move packets to another routing instance.',
      }),
    ],
    references: [
      ref(100, 'virtual-network', { max: 1 }),
      ref(101, 'virtual-machine', { max: 1 }),
      ref(102, 'security-group'),
      ref(103, 'routing-instance', { attr: 'PolicyBasedForwardingRuleType' }),
      ref(104, 'virtual-machine-interface'),
      ref(105, 'bgp-router'),
      ref(106, 'interface-route-table'),
      ref(107, 'port-tuple'),
      ref(108, 'service-health-check'),
    ],
    unservedReferences: [
      'bridge-domain',
      'physical-interface',
      'port-profile',
      'qos-config',
      'security-logging-object',
      'service-endpoint',
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
      p(15, 'instance_ip_secondary', 'bool', { initial: false }),
      p(16, 'service_instance_ip', 'bool', { initial: false, storedOnly: true }),
      p(17, 'service_health_check_ip', 'bool', { initial: false, storedOnly: true }),
      p(18, 'instance_ip_local_ip', 'bool', {
        initial: false,
        storedOnly: true,
        doc: 'The address is known on its node only.',
      }),
      o(19, 'instance_ip_subscriber_tag', 'string', { storedOnly: true }),
      p(20, 'secondary_ip_tracking_ip', 'SubnetType', {
        storedOnly: true,
        doc: 'Address whose interface this secondary address follows.',
      }),
    ],
    references: [
      ref(100, 'virtual-network', { max: 1 }),
      ref(101, 'virtual-machine-interface'),
      ref(102, 'network-ipam', { max: 1 }),
      ref(103, 'virtual-router'),
    ],
    unservedReferences: ['flow-node', 'logical-interface', 'physical-router'],
    doc: 'An address of an interface.',
  }),
  resourceType(36, 'floating-ip-pool', {
    parents: ['virtual-network'],
    properties: [
      p(10, 'floating_ip_pool_subnets', 'FloatingIpPoolSubnetType', {
        doc: 'Empty: every subnet of the network.',
      }),
    ],
    doc: 'Pool of external addresses: those of its network, or of some of its subnets.',
  }),
  resourceType(37, 'floating-ip', {
    parents: ['floating-ip-pool', 'instance-ip'],
    properties: [
      o(10, 'floating_ip_address', 'string', {
        format: 'ip',
        doc: 'Empty in a create: taken from the pool.',
      }),
      o(11, 'floating_ip_address_family', 'string', { values: ['v4', 'v6'] }),
      o(12, 'floating_ip_fixed_ip_address', 'string', {
        format: 'ip',
        storedOnly: true,
        doc: 'Address of the interface to which it is translated.',
      }),
      p(13, 'floating_ip_is_virtual_ip', 'bool', {
        storedOnly: true,
        doc: 'Belongs to a service, not to one interface.',
      }),
      p(14, 'floating_ip_port_mappings', 'PortMappings', {
        collection: { kind: 'list', element: 'port_mappings' },
        storedOnly: true,
        doc: 'With port mappings enabled only these ports are translated.',
      }),
      p(15, 'floating_ip_port_mappings_enable', 'bool', { initial: false, storedOnly: true }),
      o(16, 'floating_ip_traffic_direction', 'string', {
        values: ['ingress', 'egress', 'both'],
        initial: 'both',
        storedOnly: true,
      }),
    ],
    references: [ref(100, 'project'), ref(101, 'virtual-machine-interface')],
    doc: 'An external address that is translated to an interface.',
  }),
  resourceType(25, 'alias-ip-pool', {
    parents: ['virtual-network'],
    doc: 'Pool of alias addresses.',
  }),
  resourceType(26, 'alias-ip', {
    parents: ['alias-ip-pool'],
    properties: [
      p(10, 'alias_ip_address', 'string', { format: 'ip' }),
      p(11, 'alias_ip_address_family', 'string', { values: ['v4', 'v6'] }),
    ],
    references: [ref(100, 'project'), ref(101, 'virtual-machine-interface')],
    doc: 'A second address of an interface, of another network, translated one to one or routed.',
  }),
];
