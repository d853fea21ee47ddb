import { explicit as o, property as p, reference as ref, resourceType } from '../dsl';
import type { ResourceTypeSpec } from '../dsl';

/** Virtual DNS servers and records, BGP speakers. */
export const dnsAndBgpTypes: readonly ResourceTypeSpec[] = [
  resourceType(51, 'virtual-dns', {
    restName: 'virtual-DNS',
    parents: ['domain'],
    properties: [
      p(10, 'virtual_DNS_data', 'VirtualDnsType', { storedOnly: true }),
    ],
    doc: 'A virtual DNS server: a domain and how it is answered.',
  }),
  resourceType(52, 'virtual-dns-record', {
    restName: 'virtual-DNS-record',
    parents: ['virtual-dns'],
    properties: [
      p(10, 'virtual_DNS_record_data', 'VirtualDnsRecordType', { storedOnly: true }),
    ],
    doc: 'A record of a virtual DNS server.',
  }),
  resourceType(53, 'bgp-router', {
    parents: ['routing-instance'],
    properties: [
      p(10, 'bgp_router_parameters', 'BgpRouterParams', { storedOnly: true }),
    ],
    references: [ref(100, 'bgp-router', { attr: 'BgpPeeringAttributes' })],
    unservedReferences: ['control-node-zone', 'sub-cluster'],
    doc: 'A BGP speaker: a control node, or an external peer.',
  }),
  resourceType(54, 'bgp-as-a-service', {
    parents: ['project'],
    properties: [
      o(10, 'autonomous_system', 'uint32', {
        range: { min: 1, max: 4294967295 },
        storedOnly: true,
      }),
      o(11, 'bgpaas_ip_address', 'string', { format: 'ip', storedOnly: true }),
      p(12, 'bgpaas_ipv4_mapped_ipv6_nexthop', 'bool', { storedOnly: true }),
      p(13, 'bgpaas_session_attributes', 'BgpSessionAttributes', { storedOnly: true }),
      p(14, 'bgpaas_shared', 'bool', {
        initial: false,
        storedOnly: true,
        doc: 'One session for all interfaces.',
      }),
      p(15, 'bgpaas_suppress_route_advertisement', 'bool', { storedOnly: true }),
    ],
    references: [
      ref(100, 'bgp-router'),
      ref(101, 'service-health-check'),
      ref(102, 'virtual-machine-interface'),
    ],
    unservedReferences: ['control-node-zone'],
    doc: 'A BGP session between interfaces and the control plane.',
  }),
];
