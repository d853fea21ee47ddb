import { encode, type Answer } from 'dns-packet';
import { formatAddress } from '@contrail/net';
import { formatName, type WireName } from '../zone/domain-name';
import type { ResourceRecord } from '../zone/record';
import { headerBytes } from './query';

/** A compression pointer to the name of the question. */
const questionPointer = Buffer.from([0xc0, headerBytes]);

/**
 * One record as bytes.
 *
 * @param questionName owner names that equal it are written as a pointer, two bytes.
 */
export function encodeRecord(record: ResourceRecord, questionName: WireName): Uint8Array {
  const bytes = encode({ type: 'response', answers: [toAnswer(record)] }).subarray(headerBytes);
  return record.name === questionName ? Buffer.concat([questionPointer, bytes.subarray(record.name.length)]) : bytes;
}

/** A record in dns-packet's words. */
function toAnswer({ name, ttl, data }: ResourceRecord): Answer {
  const common = { name: textOf(name), ttl };
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return { ...common, type: data.type, data: formatAddress(data.address) };
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { ...common, type: data.type, data: textOf(data.target) };
    case 'SRV': {
      const { priority, weight, port, target } = data;
      return { ...common, type: 'SRV', data: { priority, weight, port, target: textOf(target) } };
    }
    case 'TXT':
      return { ...common, type: 'TXT', data: data.text };
    case 'SOA': {
      const { serial, refresh, retry, expire, minimum } = data;
      const names = { mname: textOf(data.primary), rname: textOf(data.mailbox) };
      return { ...common, type: 'SOA', data: { ...names, serial, refresh, retry, expire, minimum } };
    }
  }
}

/** A record for people, as in a zone file. */
export function formatRecord({ name, ttl, data }: ResourceRecord): string {
  return `${formatName(name)} ${ttl} IN ${data.type} ${formatData(data)}`;
}

function formatData(data: ResourceRecord['data']): string {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return formatAddress(data.address);
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return formatName(data.target);
    case 'SRV':
      return `${data.priority} ${data.weight} ${data.port} ${formatName(data.target)}`;
    case 'TXT':
      return JSON.stringify(data.text);
    case 'SOA': {
      const { serial, refresh, retry, expire, minimum } = data;
      return [formatName(data.primary), formatName(data.mailbox), serial, refresh, retry, expire, minimum].join(' ');
    }
  }
}

/** Our own records have plain labels only, so dots separate them. */
function textOf(name: WireName): string {
  return formatName(name);
}
