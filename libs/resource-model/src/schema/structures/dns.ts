import { explicit as o, property as p, structure } from '../dsl';
import type { StructureSpec } from '../dsl';

/** Virtual DNS servers and records. */
export const dnsStructures: readonly StructureSpec[] = [
  structure('DnsSoaRecordType', [o(1, 'negative_cache_ttl_seconds', 'int32')]),
  structure('VirtualDnsType', [
    o(1, 'domain_name', 'string', { doc: 'Domain that it answers for.' }),
    p(2, 'dynamic_records_from_client', 'bool', {
      doc: 'Names of virtual machines become records.',
    }),
    o(3, 'record_order', 'string', {
      values: ['fixed', 'random', 'round-robin'],
      doc: 'Order of equal records in an answer.',
    }),
    o(4, 'default_ttl_seconds', 'uint32', { doc: 'For records without one.' }),
    o(5, 'next_virtual_DNS', 'string', {
      doc: 'fq_name of the next server, or an address; asked for other names.',
    }),
    o(6, 'floating_ip_record', 'string', {
      values: ['dashed-ip', 'dashed-ip-tenant-name', 'vm-name', 'vm-name-tenant-name'],
      doc: 'How names of floating addresses are made.',
    }),
    p(7, 'external_visible', 'bool', {
      doc: 'Clients outside the virtual networks are answered too.',
    }),
    p(8, 'reverse_resolution', 'bool'),
    p(9, 'soa_record', 'DnsSoaRecordType'),
  ]),
  structure('VirtualDnsRecordType', [
    o(1, 'record_name', 'string', { doc: 'Relative to the domain, or an address for PTR.' }),
    o(2, 'record_type', 'string', { values: ['A', 'AAAA', 'CNAME', 'PTR', 'NS', 'MX'] }),
    o(3, 'record_class', 'string', { values: ['IN'] }),
    o(4, 'record_data', 'string', { doc: 'Address, name, or the delegated server, by type.' }),
    o(5, 'record_ttl_seconds', 'uint32'),
    o(6, 'record_mx_preference', 'int32'),
    o(7, 'record_source_name', 'string'),
  ]),
];
