import { tryParseAddress } from '@contrail/net';
import type { Client } from './responder';

const unknownAddress = new Uint8Array(4);

/** A client by the address of its socket; IPv4 in IPv6 (`::ffff:192.0.2.1`) and scopes (`%eth0`) are taken off. */
export function clientOf(address: string, transport: Client['transport']): Client {
  const name = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : (address.split('%')[0] ?? '');
  return { address: tryParseAddress(name) ?? unknownAddress, name, transport };
}
