import { dnsProblems } from './dns-rules';
import { toResource } from './resource';

const uuid = '11111111-1111-4111-8111-111111111111';

const server = (data: object, name = 'dns'): string[] =>
  dnsProblems(
    toResource('virtual-dns', {
      meta: { uuid, fqName: ['d', name] },
      virtualDnsData: { domainName: 'example.com', recordOrder: 'fixed', ...data },
    }),
  );
const record = (recordType: string, data: object): string[] =>
  dnsProblems(
    toResource('virtual-dns-record', {
      meta: { uuid, fqName: ['d', 'dns', 'r'] },
      virtualDnsRecordData: { recordType, recordName: 'www', recordClass: 'IN', recordTtlSeconds: 60, ...data },
    }),
  );

it.each<[string, string[]]>([
  ['a server', server({})],
  ['a domain that ends with a dot', server({ domainName: 'example.com.' })],
  ['an address', record('A', { recordData: '192.0.2.1' })],
  ['an IPv6 address', record('AAAA', { recordData: '2001:db8::1' })],
  ['a name for a name', record('CNAME', { recordData: 'a.example.com' })],
  ['an address as PTR', record('PTR', { recordName: '192.0.2.1', recordData: 'a.example.com' })],
  ['a reverse name', record('PTR', { recordName: '1.2.0.192.in-addr.arpa', recordData: 'a.example.com' })],
  ['a delegation to a virtual DNS server', record('NS', { recordData: 'default-domain:other' })],
  ['a mail server', record('MX', { recordData: 'mail.example.com', recordMxPreference: 10 })],
])('accepts %s', (_, problems) => {
  expect(problems).toEqual([]);
});

it.each<[string, string[], string]>([
  ['a name with a dot', server({}, 'a.b'), 'meta.fq_name: ends in "a.b"'],
  ['a domain that is no name', server({ domainName: '-a' }), 'domain_name: is "-a", but it must be a DNS name'],
  ['a time to live beyond 31 bits', server({ defaultTtlSeconds: 2_147_483_648 }), 'default_ttl_seconds: is 2147483648'],
  ['a word as address', record('A', { recordData: 'x' }), 'record_data: is "x", but it must be an IPv4 address'],
  ['IPv4 as AAAA', record('AAAA', { recordData: '192.0.2.1' }), 'an IPv6 address'],
  ['a record name that is none', record('A', { recordName: 'a_b', recordData: '192.0.2.1' }), 'record_name: is "a_b"'],
  ['a word as PTR', record('PTR', { recordData: 'a.b' }), 'record_name: is "www", but it must be an IP address'],
  ['a label of 64 letters', record('CNAME', { recordData: `${'a'.repeat(64)}.b` }), 'record_data'],
  ['a preference beyond 16 bits', record('MX', { recordData: 'm.x', recordMxPreference: 65_536 }), 'record_mx_preference: is 65536'],
])('refuses %s', (_, problems, text) => {
  expect(problems).toEqual([expect.stringContaining(text)]);
});
