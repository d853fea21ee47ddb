import { tryParseAddress } from '@contrail/net';
import type {
  Resource,
  VirtualDnsRecordType,
  VirtualDnsType,
} from '@contrail/proto-gen/config/v1/resources';

const ttlMax = 2_147_483_647;
const preferenceMax = 65_535;
const dnsName = 'a DNS name: labels of 1 to 63 letters, digits and hyphens, joined by dots';

/** What is wrong with a virtual DNS server or one of its records; over REST forbidden (403), as in the original. */
export function dnsProblems(resource: Resource): string[] {
  const kind = resource.kind;
  switch (kind?.$case) {
    case 'virtualDns':
      return [
        ...serverNameProblems(kind.value.meta?.fqName.at(-1) ?? ''),
        ...serverProblems(kind.value.virtualDnsData),
      ];
    case 'virtualDnsRecord':
      return recordProblems(kind.value.virtualDnsRecordData);
    default:
      return [];
  }
}

function serverNameProblems(name: string): string[] {
  if (/^[a-z\d][a-z\d-]*$/i.test(name)) return [];
  return [`meta.fq_name: ends in "${name}", but a virtual DNS server's name has letters, digits and hyphens only`];
}

function serverProblems(data: VirtualDnsType | undefined): string[] {
  const { domainName = '', defaultTtlSeconds = 0 } = data ?? {};
  const path = 'virtual_DNS_data';
  return [
    ...(domainName === '' || isDnsName(domainName)
      ? []
      : [wrong(`${path}.domain_name`, domainName, dnsName)]),
    ...ttlProblems(`${path}.default_ttl_seconds`, defaultTtlSeconds),
  ];
}

function recordProblems(data: VirtualDnsRecordType | undefined): string[] {
  if (data === undefined) return [];
  const { recordType = '', recordName = '', recordData = '' } = data;
  const { recordTtlSeconds = 0, recordMxPreference = 0 } = data;
  const path = 'virtual_DNS_record_data';
  const preferenceIsWrong =
    recordType === 'MX' && (recordMxPreference < 0 || recordMxPreference > preferenceMax);
  return [
    ...nameProblems(`${path}.record_name`, recordType, recordName),
    ...dataProblems(`${path}.record_data`, recordType, recordData),
    ...ttlProblems(`${path}.record_ttl_seconds`, recordTtlSeconds),
    ...(preferenceIsWrong
      ? [`${path}.record_mx_preference: is ${recordMxPreference}, but it must be 0 to ${preferenceMax}`]
      : []),
  ];
}

function nameProblems(path: string, type: string, name: string): string[] {
  if (type !== 'PTR') return isDnsName(name) ? [] : [wrong(path, name, dnsName)];
  const isReverse = /(^|\.)(in-addr|ip6)\.arpa\.?$/i.test(name);
  if (isReverse || tryParseAddress(name) !== undefined) return [];
  return [wrong(path, name, 'an IP address, or a name below in-addr.arpa or ip6.arpa')];
}

function dataProblems(path: string, type: string, data: string): string[] {
  const length = tryParseAddress(data)?.length;
  switch (type) {
    case 'A':
      return length === 4 ? [] : [wrong(path, data, 'an IPv4 address such as 192.0.2.1')];
    case 'AAAA':
      return length === 16 ? [] : [wrong(path, data, 'an IPv6 address such as 2001:db8::1')];
    case 'NS':
      // The name of a virtual DNS server has colons.
      if (length === 4 || data.includes(':') || isDnsName(data)) return [];
      return [wrong(path, data, 'a virtual DNS server, an IPv4 address or a DNS name')];
    default:
      return isDnsName(data) ? [] : [wrong(path, data, dnsName)];
  }
}

function ttlProblems(path: string, ttl: number): string[] {
  return ttl <= ttlMax ? [] : [`${path}: is ${ttl}, but it must be 0 to ${ttlMax}`];
}

function isDnsName(name: string): boolean {
  if (name.length > 255) return false;
  const labels = name.replace(/\.$/, '').split('.');
  return labels.every((label) => /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(label));
}

function wrong(path: string, value: string, expected: string): string {
  return `${path}: is ${JSON.stringify(value.slice(0, 80))}, but it must be ${expected}`;
}
