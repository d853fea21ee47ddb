import { ContrailError } from '@contrail/errors';
import { formatPrefix, networkAddress } from '@contrail/net';
import type { IpPrefix } from '../datapath/port';

/**
 * Checks of what comes from control, so that a malformed entry becomes one exception in the Ack
 * and never a malformed map key. All throw ContrailError INVALID_ARGUMENT naming the field.
 */
export function checkedAddress(field: string, address: Uint8Array): Uint8Array {
  if (address.length === 4 || address.length === 16) return address;
  throw invalid(field, `has ${address.length} bytes; an address has 4 or 16`);
}

/** @returns the prefix without host bits. */
export function checkedPrefix(
  field: string,
  prefix: { address: Uint8Array; length: number } | undefined,
): IpPrefix {
  if (!prefix) throw invalid(field, 'is absent');
  const address = checkedAddress(field, prefix.address);
  if (prefix.length > address.length * 8) {
    throw invalid(field, `has length ${prefix.length}, more than ${address.length * 8}`);
  }
  const network = networkAddress(prefix);
  if (Buffer.compare(network, address) !== 0) {
    throw invalid(field, `${formatPrefix(prefix)} has host bits`);
  }
  return { address: network, length: prefix.length };
}

export function checkedMac(field: string, mac: Uint8Array): Uint8Array {
  if (mac.length === 6) return mac;
  throw invalid(field, `has ${mac.length} bytes; a MAC address has 6`);
}

/** @param max the last allowed value. */
export function checkedNumber(field: string, value: number, range: { min: number; max: number }): number {
  if (Number.isInteger(value) && value >= range.min && value <= range.max) return value;
  throw invalid(field, `is ${value}; write ${range.min} to ${range.max}`);
}

function invalid(field: string, problem: string): ContrailError {
  return new ContrailError('INVALID_ARGUMENT', `${field}: ${problem}`);
}
