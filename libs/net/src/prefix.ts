import { ContrailError } from '@contrail/errors';
import {
  addressEquals,
  addressFromBigInt,
  addressToBigInt,
  formatAddress,
  parseAddress,
} from './address';
import type { Address } from './address';

export interface Prefix {
  readonly address: Address;
  /** 0 to 32 or 0 to 128. */
  readonly length: number;
}

/** Host bits are cleared: "10.32.1.1/12" is 10.32.0.0/12. @throws ContrailError INVALID_ARGUMENT */
export function parsePrefix(text: string): Prefix {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text.trim());
  if (!match) throw new ContrailError('INVALID_ARGUMENT', `"${text}" is not a prefix; write 10.32.0.0/12`);
  const address = parseAddress(match[1] ?? '');
  const length = Number(match[2]);
  if (length > address.length * 8) {
    throw new ContrailError('INVALID_ARGUMENT', `"${text}": length is more than ${address.length * 8}`);
  }
  return { address: networkAddress({ address, length }), length };
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address)}/${prefix.length}`;
}

/** First address of the prefix. */
export function networkAddress(prefix: Prefix): Address {
  const host = BigInt(prefix.address.length * 8 - prefix.length);
  return addressFromBigInt((addressToBigInt(prefix.address) >> host) << host, prefix.address.length);
}

/** Last address of the prefix (the broadcast address of an IPv4 subnet). */
export function lastAddress(prefix: Prefix): Address {
  const host = BigInt(prefix.address.length * 8 - prefix.length);
  const value = addressToBigInt(networkAddress(prefix)) | ((1n << host) - 1n);
  return addressFromBigInt(value, prefix.address.length);
}

/** False when the families differ. */
export function prefixContains(prefix: Prefix, address: Address): boolean {
  if (prefix.address.length !== address.length) return false;
  return addressEquals(networkAddress({ address, length: prefix.length }), networkAddress(prefix));
}

export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  const [wide, narrow] = a.length <= b.length ? [a, b] : [b, a];
  return prefixContains(wide, narrow.address);
}
