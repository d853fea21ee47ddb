import { explicit as o, property as p, structure } from '../dsl';
import type { StructureSpec } from '../dsl';

/** Service instances, their templates and health checks. */
export const serviceStructures: readonly StructureSpec[] = [
  structure('ServiceInterfaceTag', [o(1, 'interface_type', 'string')]),
  structure('ServiceTemplateInterfaceType', [
    o(1, 'service_interface_type', 'string'),
    p(2, 'shared_ip', 'bool'),
    p(3, 'static_route_enable', 'bool'),
  ]),
  structure('ServiceTemplateType', [
    o(1, 'version', 'int32'),
    o(2, 'service_mode', 'string', { values: ['transparent', 'in-network', 'in-network-nat'] }),
    o(3, 'service_type', 'string', {
      values: ['firewall', 'analyzer', 'source-nat', 'loadbalancer'],
    }),
    o(4, 'image_name', 'string'),
    p(5, 'service_scaling', 'bool'),
    p(6, 'interface_type', 'ServiceTemplateInterfaceType', { repeated: true }),
    o(7, 'flavor', 'string'),
    p(8, 'ordered_interfaces', 'bool'),
    o(9, 'service_virtualization_type', 'string', {
      values: ['virtual-machine', 'network-namespace', 'vrouter-instance', 'physical-device'],
    }),
    p(10, 'availability_zone_enable', 'bool'),
    o(11, 'vrouter_instance_type', 'string', { values: ['libvirt-qemu', 'docker'] }),
    o(12, 'instance_data', 'string'),
  ]),
  structure('ServiceScaleOutType', [
    o(1, 'max_instances', 'int32'),
    p(2, 'auto_scale', 'bool'),
  ]),
  structure('ServiceInstanceInterfaceType', [
    o(1, 'virtual_network', 'string'),
    o(2, 'ip_address', 'string'),
    p(3, 'static_routes', 'RouteTableType'),
    p(4, 'allowed_address_pairs', 'AllowedAddressPairs'),
  ]),
  structure('ServiceInstanceType', [
    p(1, 'auto_policy', 'bool'),
    o(2, 'availability_zone', 'string'),
    o(3, 'management_virtual_network', 'string'),
    o(4, 'left_virtual_network', 'string'),
    o(5, 'left_ip_address', 'string'),
    o(6, 'right_virtual_network', 'string'),
    o(7, 'right_ip_address', 'string'),
    p(8, 'interface_list', 'ServiceInstanceInterfaceType', { repeated: true }),
    p(9, 'scale_out', 'ServiceScaleOutType'),
    o(10, 'ha_mode', 'string', { values: ['active-active', 'active-standby'] }),
    o(11, 'virtual_router_id', 'string'),
    o(12, 'service_virtualization_type', 'string', {
      values: ['virtual-machine', 'network-namespace', 'vrouter-instance', 'physical-device'],
    }),
  ]),
  structure('ServiceHealthCheckType', [
    p(1, 'enabled', 'bool'),
    o(2, 'health_check_type', 'string', {
      values: ['link-local', 'end-to-end', 'segment', 'vn-ip-list'],
    }),
    o(3, 'monitor_type', 'string', { values: ['PING', 'HTTP', 'BFD'] }),
    o(4, 'delay', 'int32', { doc: 'Seconds between probes.' }),
    o(5, 'delayUsecs', 'int32'),
    o(6, 'timeout', 'int32', { doc: 'Seconds.' }),
    o(7, 'timeoutUsecs', 'int32'),
    o(8, 'max_retries', 'int32'),
    o(9, 'http_method', 'string'),
    o(10, 'url_path', 'string'),
    o(11, 'expected_codes', 'string'),
    p(12, 'target_ip_all', 'bool'),
    p(13, 'target_ip_list', 'IpAddressesType'),
  ]),
];
