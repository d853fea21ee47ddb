import { explicit as o, property as p, structure } from '../dsl';
import { PROTOCOL_PORT } from '../ranges';
import type { StructureSpec } from '../dsl';

/** Load balancers, their parts, and what Kubernetes Services add. */
export const loadbalancerStructures: readonly StructureSpec[] = [
  structure('LoadbalancerType', [
    p(1, 'status', 'string'),
    p(2, 'provisioning_status', 'string'),
    p(3, 'operating_status', 'string'),
    p(4, 'vip_subnet_id', 'string'),
    p(5, 'vip_address', 'string', { format: 'ip' }),
    p(6, 'admin_state', 'bool'),
  ]),
  structure('LoadbalancerListenerType', [
    p(1, 'protocol', 'string', {
      values: ['TCP', 'UDP', 'SCTP', 'HTTP', 'HTTPS', 'TERMINATED_HTTPS'],
    }),
    p(2, 'protocol_port', 'uint32', { range: PROTOCOL_PORT }),
    p(3, 'admin_state', 'bool'),
    p(4, 'connection_limit', 'int32', { storedOnly: true }),
    p(5, 'default_tls_container', 'string'),
    p(6, 'sni_containers', 'string', { repeated: true }),
  ]),
  structure('LoadbalancerPoolType', [
    p(1, 'status', 'string', { storedOnly: true }),
    p(2, 'status_description', 'string', { storedOnly: true }),
    p(3, 'admin_state', 'bool'),
    p(4, 'protocol', 'string', {
      values: ['TCP', 'UDP', 'SCTP', 'HTTP', 'HTTPS', 'TERMINATED_HTTPS'],
    }),
    p(5, 'loadbalancer_method', 'string', {
      values: ['ROUND_ROBIN', 'LEAST_CONNECTIONS', 'SOURCE_IP'],
    }),
    p(6, 'subnet_id', 'string', { storedOnly: true }),
    p(7, 'session_persistence', 'string', { values: ['SOURCE_IP', 'HTTP_COOKIE', 'APP_COOKIE'] }),
    p(8, 'persistence_cookie_name', 'string'),
  ]),
  structure('LoadbalancerMemberType', [
    p(1, 'status', 'string', { storedOnly: true }),
    p(2, 'status_description', 'string', { storedOnly: true }),
    p(3, 'weight', 'uint32', { storedOnly: true }),
    p(4, 'admin_state', 'bool'),
    p(5, 'address', 'string', { format: 'ip' }),
    p(6, 'protocol_port', 'uint32', { range: PROTOCOL_PORT }),
    o(7, 'subnet_id', 'string', { storedOnly: true }),
  ]),
  structure('LoadbalancerHealthmonitorType', [
    p(1, 'admin_state', 'bool'),
    o(2, 'monitor_type', 'string', { values: ['PING', 'TCP', 'HTTP', 'HTTPS'] }),
    o(3, 'delay', 'int32', { doc: 'Seconds between probes.' }),
    o(4, 'timeout', 'int32', { doc: 'Seconds.' }),
    o(5, 'max_retries', 'int32'),
    o(6, 'http_method', 'string'),
    o(7, 'url_path', 'string'),
    o(8, 'expected_codes', 'string', { doc: 'HTTP codes, such as 200 or 200-204.' }),
  ]),
  structure('EndpointConditions', [
    p(1, 'ready', 'bool'),
    p(2, 'serving', 'bool'),
    p(3, 'terminating', 'bool'),
    p(4, 'node_name', 'string', { doc: 'Kubernetes node of the endpoint; empty when unknown.' }),
    p(5, 'zone', 'string'),
    p(6, 'hint_zones', 'string', { repeated: true }),
    p(7, 'hint_nodes', 'string', { repeated: true }),
  ]),
  structure('ServiceTraffic', [
    p(1, 'affinity_timeout_s', 'uint32', { doc: 'Client affinity in seconds; 0 means none.' }),
    p(2, 'source_ranges', 'SubnetType', { repeated: true, doc: 'Empty: every client.' }),
    p(3, 'internal_local_only', 'bool', { doc: 'internalTrafficPolicy Local.' }),
    p(4, 'external_local_only', 'bool', { doc: 'externalTrafficPolicy Local.' }),
    p(5, 'publish_not_ready', 'bool'),
    p(6, 'node_port_listeners', 'NodePortListener', { repeated: true }),
    p(7, 'health_check_node_port', 'uint32', { range: PROTOCOL_PORT }),
  ]),
  structure('NodePortListener', [
    p(1, 'listener_uuid', 'string', { format: 'uuid' }),
    p(2, 'node_port', 'uint32', { range: PROTOCOL_PORT }),
  ]),
];
