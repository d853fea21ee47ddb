import { explicit as o, property as p, structure } from '../dsl';
import { PROTOCOL_PORT } from '../ranges';
import type { StructureSpec } from '../dsl';

/** Settings of the deployment and of all vRouters. */
export const globalStructures: readonly StructureSpec[] = [
  structure('EncapsulationPrioritiesType', [
    p(1, 'encapsulation', 'string', { repeated: true, values: ['VXLAN', 'MPLSoUDP', 'MPLSoGRE'] }),
  ]),
  structure('LinklocalServiceEntryType', [
    p(1, 'linklocal_service_name', 'string'),
    p(2, 'linklocal_service_ip', 'string', { format: 'ip' }),
    p(3, 'linklocal_service_port', 'uint32', { range: PROTOCOL_PORT }),
    p(4, 'ip_fabric_service_ip', 'string', { repeated: true, format: 'ip' }),
    p(5, 'ip_fabric_DNS_service_name', 'string'),
    p(6, 'ip_fabric_service_port', 'uint32', { range: PROTOCOL_PORT }),
  ]),
  structure('LinklocalServicesTypes', [
    p(1, 'linklocal_service_entry', 'LinklocalServiceEntryType', { repeated: true }),
  ]),
  structure('FlowAgingTimeout', [
    p(1, 'protocol', 'string'),
    p(2, 'port', 'uint32', { range: PROTOCOL_PORT }),
    p(3, 'timeout_in_seconds', 'uint32'),
  ]),
  structure('FlowAgingTimeoutList', [
    p(1, 'flow_aging_timeout', 'FlowAgingTimeout', { repeated: true }),
  ]),
  structure('PortTranslationPool', [
    p(1, 'protocol', 'string'),
    p(2, 'port_range', 'PortType'),
    p(3, 'port_count', 'string'),
  ]),
  structure('PortTranslationPools', [
    p(1, 'port_translation_pool', 'PortTranslationPool', { repeated: true }),
  ]),
  structure('EncryptionTunnelEndpoint', [o(1, 'tunnel_remote_ip_address', 'string')]),
  structure('EncryptionTunnelEndpointList', [
    p(1, 'endpoint', 'EncryptionTunnelEndpoint', { repeated: true }),
  ]),
  structure('AsnRangeType', [
    o(1, 'asn_min', 'uint32'),
    o(2, 'asn_max', 'uint32'),
  ]),
  structure('BGPaaServiceParametersType', [
    o(1, 'port_start', 'int32', { range: { min: -1, max: 65535 } }),
    o(2, 'port_end', 'int32', { range: { min: -1, max: 65535 } }),
  ]),
  structure('GracefulRestartParametersType', [
    p(1, 'enable', 'bool'),
    o(2, 'restart_time', 'uint32', { range: { min: 0, max: 4095 } }),
    o(3, 'long_lived_restart_time', 'uint32', { range: { min: 0, max: 16777215 } }),
    o(4, 'end_of_rib_timeout', 'uint32', { range: { min: 0, max: 4095 } }),
    p(5, 'bgp_helper_enable', 'bool'),
    p(6, 'xmpp_helper_enable', 'bool'),
  ]),
  structure('FastConvergenceParametersType', [
    p(1, 'enable', 'bool'),
    p(2, 'nh_reachability_check', 'bool'),
    o(3, 'xmpp_hold_time', 'uint32', { range: { min: 1, max: 90 } }),
  ]),
  structure('PluginProperty', [
    o(1, 'property', 'string'),
    o(2, 'value', 'string'),
  ]),
  structure('PluginProperties', [p(1, 'plugin_property', 'PluginProperty', { repeated: true })]),
  structure('DeviceFamilyListType', [p(1, 'device_family', 'string', { repeated: true })]),
  structure('VendorHardwaresType', [p(1, 'vendor_hardware', 'string', { repeated: true })]),
  structure('UserDefinedLogStat', [
    o(1, 'name', 'string'),
    o(2, 'pattern', 'string'),
  ]),
  structure('UserDefinedLogStatList', [p(1, 'statlist', 'UserDefinedLogStat', { repeated: true })]),
];
