import type { Address, Prefix } from '@contrail/net';
import { joinName, labelsBelow, parseName, type WireName } from './domain-name';

const inAddrArpa = parseName('in-addr.arpa');
const ip6Arpa = parseName('ip6.arpa');

/** `4.3.2.1.in-addr.arpa` for 1.2.3.4; nibbles below ip6.arpa for IPv6. */
export function reverseName(address: Address): WireName {
  return joinName(reverseLabels(address).reverse(), apexOf(address));
}

/**
 * The reverse zone around an address that lies wholly inside the prefix: 10.96.0.0/12 has the zones 96.10.in-addr.arpa
 * to 111.10.in-addr.arpa. So we never claim a name that belongs to somebody else.
 */
export function reverseZone(prefix: Prefix, address: Address): WireName {
  const bitsOfLabel = address.length === 4 ? 8 : 4;
  const count = Math.ceil(prefix.length / bitsOfLabel);
  return joinName(reverseLabels(address).slice(0, count).reverse(), apexOf(address));
}

/** Whose reverse name it is. */
export interface ReverseQuestion {
  /** The address, with zeros for the labels that the name lacks. */
  readonly address: Address;
  /** Bits that the name fixes; 32 or 128 when the name is that of one address. */
  readonly length: number;
  /** More labels than an address has, or labels that are no numbers: the name cannot exist. */
  readonly isImpossible: boolean;
}

/** Reads a name below in-addr.arpa or ip6.arpa; undefined for other names. */
export function parseReverseName(name: WireName): ReverseQuestion | undefined {
  const v4 = labelsBelow(name, inAddrArpa);
  if (v4 !== undefined) return readLabels(v4.reverse(), 4, /^(0|[1-9]\d{0,2})$/, 10);
  const v6 = labelsBelow(name, ip6Arpa);
  return v6 === undefined ? undefined : readLabels(v6.reverse(), 16, /^[0-9a-f]$/, 16);
}

function readLabels(labels: readonly string[], byteLength: 4 | 16, form: RegExp, radix: number): ReverseQuestion {
  const bitsOfLabel = byteLength === 4 ? 8 : 4;
  const labelCount = (byteLength * 8) / bitsOfLabel;
  const address = new Uint8Array(byteLength);
  let good = 0;
  for (const label of labels.slice(0, labelCount)) {
    const value = form.test(label) ? parseInt(label, radix) : 256;
    if (value > 255) break;
    if (byteLength === 4) address[good] = value;
    else address[good >> 1] = (address[good >> 1] ?? 0) | (good % 2 === 0 ? value << 4 : value);
    good++;
  }
  return { address, length: good * bitsOfLabel, isImpossible: good < labels.length };
}

/** Most significant label first. */
function reverseLabels(address: Address): string[] {
  if (address.length === 4) return Array.from(address, String);
  return Array.from(address).flatMap((byte) => [(byte >> 4).toString(16), (byte & 15).toString(16)]);
}

function apexOf(address: Address): WireName {
  return address.length === 4 ? inAddrArpa : ip6Arpa;
}
