import { explicit as o, property as p, structure } from '../dsl';
import type { StructureSpec } from '../dsl';

/** Prefixes, subnets and DHCP. */
export const addressStructures: readonly StructureSpec[] = [
  structure('SubnetType', [
    p(1, 'ip_prefix', 'string', { format: 'ip' }),
    p(2, 'ip_prefix_len', 'uint32', { zeroCounts: true, range: { min: 0, max: 128 } }),
  ]),
  structure('SubnetListType', [p(1, 'subnet', 'SubnetType', { repeated: true })]),
  structure('IpAddressesType', [p(1, 'ip_address', 'string', { repeated: true })]),
  structure('AllocationPoolType', [
    p(1, 'start', 'string', { format: 'ip', doc: 'First address, included.' }),
    p(2, 'end', 'string', { format: 'ip', doc: 'Last address, included.' }),
    p(3, 'vrouter_specific_pool', 'bool', { storedOnly: true }),
  ]),
  structure('CommunityAttributes', [p(1, 'community_attribute', 'string', { repeated: true })]),
  structure('RouteType', [
    p(1, 'prefix', 'string'),
    p(2, 'next_hop', 'string'),
    p(3, 'next_hop_type', 'string', { values: ['service-instance', 'ip-address'] }),
    p(4, 'community_attributes', 'CommunityAttributes', { storedOnly: true }),
  ]),
  structure('RouteTableType', [p(1, 'route', 'RouteType', { repeated: true })]),
  structure('DhcpOptionType', [
    o(1, 'dhcp_option_name', 'string'),
    o(2, 'dhcp_option_value', 'string'),
    o(3, 'dhcp_option_value_bytes', 'string', {
      doc: 'Value as decimal bytes with spaces between.',
    }),
  ]),
  structure('DhcpOptionsListType', [p(1, 'dhcp_option', 'DhcpOptionType', { repeated: true })]),
  structure('IpamSubnetType', [
    p(1, 'subnet', 'SubnetType'),
    p(2, 'default_gateway', 'string', { format: 'ip', doc: 'Empty: last usable address minus 1.' }),
    p(3, 'dns_server_address', 'string', {
      format: 'ip',
      doc: 'Empty: last usable address minus 2.',
    }),
    p(4, 'subnet_uuid', 'string', { format: 'uuid' }),
    p(5, 'enable_dhcp', 'bool', { storedOnly: true }),
    p(6, 'dns_nameservers', 'string', { repeated: true, storedOnly: true }),
    p(7, 'allocation_pools', 'AllocationPoolType', { repeated: true }),
    p(8, 'addr_from_start', 'bool', { doc: 'False: allocation runs downward from the top (R21).' }),
    p(9, 'alloc_unit', 'uint32', {
      doc: 'Addresses in one allocation, a power of two; 0 means 1.',
    }),
    p(10, 'subnet_name', 'string'),
    p(11, 'host_routes', 'RouteTableType', { storedOnly: true }),
    p(12, 'created', 'string', { storedOnly: true }),
    p(13, 'last_modified', 'string', { storedOnly: true }),
    p(14, 'exclusions', 'SubnetType', { repeated: true, grpcOnly: true, doc: 'Never allocated.' }),
    p(15, 'dhcp_option_list', 'DhcpOptionsListType', { storedOnly: true }),
    o(16, 'subscriber_tag', 'string', { storedOnly: true }),
    o(17, 'vlan_tag', 'int32', { storedOnly: true }),
    p(18, 'dhcp_relay_server', 'string', { repeated: true, storedOnly: true }),
  ]),
  structure('IpamSubnets', [p(1, 'subnets', 'IpamSubnetType', { repeated: true })]),
  structure('VnSubnetsType', [
    p(1, 'ipam_subnets', 'IpamSubnetType', { repeated: true }),
    p(2, 'host_routes', 'RouteTableType', { storedOnly: true }),
  ]),
  structure('IpamDnsAddressType', [
    p(1, 'tenant_dns_server_address', 'IpAddressesType'),
    o(2, 'virtual_dns_server_name', 'string'),
  ]),
  structure('IpamType', [
    p(1, 'ipam_method', 'string', { values: ['dhcp', 'fixed'], storedOnly: true }),
    p(2, 'ipam_dns_method', 'string', {
      values: ['none', 'default-dns-server', 'tenant-dns-server', 'virtual-dns-server'],
      storedOnly: true,
    }),
    p(3, 'ipam_dns_server', 'IpamDnsAddressType', { storedOnly: true }),
    p(4, 'dhcp_option_list', 'DhcpOptionsListType', { storedOnly: true }),
    p(5, 'cidr_block', 'SubnetType', { storedOnly: true }),
    p(6, 'host_routes', 'RouteTableType', { storedOnly: true }),
  ]),
  structure('FloatingIpPoolSubnetType', [p(1, 'subnet_uuid', 'string', { repeated: true })]),
  structure('PortMap', [
    o(1, 'protocol', 'string'),
    o(2, 'src_port', 'int32', { doc: 'Port of the floating address.' }),
    o(3, 'dst_port', 'int32', { doc: "Port of the interface's address." }),
  ]),
  structure('PortMappings', [p(1, 'port_mappings', 'PortMap', { repeated: true })]),
  structure('VirtualRouterNetworkIpamType', [
    p(1, 'allocation_pools', 'AllocationPoolType', { repeated: true }),
    p(2, 'subnet', 'SubnetType', { repeated: true }),
  ]),
];
